#include "penstock/sink/picture.h"

#include <arrow/extension_type.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <vector>

#include "penstock/sink/npy.h"

namespace penstock {
namespace {

/// Tensors of differing shapes are stored as their values in a row, and their shape.
bool IsRagged(const arrow::DataType& type) {
  if (type.id() != arrow::Type::STRUCT || type.num_fields() != 2) return false;
  const auto& fields = static_cast<const arrow::StructType&>(type);
  const auto data = fields.GetFieldByName("data");
  const auto shape = fields.GetFieldByName("shape");
  return data != nullptr && shape != nullptr && data->type()->num_fields() == 1 &&
         shape->type()->id() == arrow::Type::FIXED_SIZE_LIST &&
         shape->type()->field(0)->type()->id() == arrow::Type::INT32;
}

std::shared_ptr<arrow::Array> StorageOf(std::shared_ptr<arrow::Array> array) {
  while (array->type_id() == arrow::Type::EXTENSION &&
         IsRagged(*static_cast<const arrow::ExtensionType&>(*array->type()).storage_type())) {
    array = static_cast<const arrow::ExtensionArray&>(*array).storage();
  }
  return array;
}

std::shared_ptr<arrow::DataType> StorageTypeOf(const arrow::DataType& type) {
  if (type.id() == arrow::Type::EXTENSION) {
    const auto& storage = static_cast<const arrow::ExtensionType&>(type).storage_type();
    if (IsRagged(*storage)) return storage;
  }
  return type.GetSharedPtr();
}

Result<Picture> PictureOf(const std::vector<int64_t>& shape, std::string samples) {
  const bool grey = shape.size() == 2;
  Picture picture{.channels = 1, .samples = std::move(samples)};
  if (grey || shape.size() == 3) {
    picture.height = shape[0];
    picture.width = shape[1];
    if (!grey) picture.channels = shape[2];
  }
  const bool known = picture.channels == 1 || picture.channels == 3 || picture.channels == 4;
  if (picture.height > 0 && picture.width > 0 && known) return picture;
  return Status::Invalid(
      "a picture has the shape (height, width) or (height, width, 1, 3 or 4), none of them 0; "
      "got: (",
      fmt::format("{}", fmt::join(shape, ", ")), ")");
}

}  // namespace

Status CheckPictureType(const arrow::DataType& type) {
  const auto storage = StorageTypeOf(type);
  const auto values = IsRagged(*storage) ? storage->field(0)->type()->field(0)->type() : storage;
  const auto array = NpyArray::Of(values);
  if (array.ok() && array->value_type() == arrow::Type::UINT8) return Status::OK();
  return Status::Invalid(
      "a picture is a tensor of bytes (uint8); multiply or cast the column's values; got: ",
      type.ToString());
}

Result<Picture> PictureAt(const arrow::Array& column, int64_t row) {
  PENSTOCK_RETURN_NOT_OK(CheckPictureType(*column.type()));
  const std::shared_ptr<arrow::Array> one = StorageOf(column.Slice(row, 1));
  if (one->null_count() > 0) {
    return Status::Invalid("a row without a picture cannot be written; drop rows of null");
  }
  const auto whole = [](const arrow::Array& values, std::string* bytes) -> Result<NpyArray> {
    PENSTOCK_TRY(NpyArray array, NpyArray::Of(values.type()));
    PENSTOCK_RETURN_NOT_OK(array.Append(values, bytes));
    return array;
  };
  std::string samples;
  if (!IsRagged(*one->type())) {
    PENSTOCK_TRY(const NpyArray array, whole(*one, &samples));
    return PictureOf(array.shape(), std::move(samples));
  }
  const auto& ragged = static_cast<const arrow::StructArray&>(*one);
  PENSTOCK_TRY(const NpyArray array, whole(*ragged.GetFieldByName("data"), &samples));
  PENSTOCK_TRY(
      const auto lengths,
      static_cast<const arrow::FixedSizeListArray&>(*ragged.GetFieldByName("shape")).Flatten());
  std::vector<int64_t> shape;
  int64_t count = 1;
  for (int64_t i = 0; i < lengths->length(); ++i) {
    shape.push_back(static_cast<const arrow::Int32Array&>(*lengths).Value(i));
    count *= std::max<int64_t>(shape.back(), 0);
    if (count > static_cast<int64_t>(samples.size())) break;
  }
  if (count != static_cast<int64_t>(samples.size())) {
    return Status::Invalid("a picture's values are not as many as its shape says; got: ",
                           samples.size());
  }
  return PictureOf(shape, std::move(samples));
}

EncodePicture PictureEncoderOf(std::string_view extension) {
  if (extension == "png") return &EncodePng;
  if (extension == "bmp") return &EncodeBmp;
  if (extension == "webp") return &EncodeWebp;
  if (extension == "tif" || extension == "tiff") return &EncodeTiff;
  return extension == "jpg" || extension == "jpeg" ? &EncodeJpeg : nullptr;
}

}  // namespace penstock
