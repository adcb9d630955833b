#include "penstock/sink/npy.h"

#include <arrow/extension_type.h>
#include <arrow/util/bit_util.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <limits>

#include "penstock/block/ragged.h"
#include "penstock/block/tensor.h"

namespace penstock {
namespace {

constexpr size_t kAlignment = 64;
constexpr size_t kPreambleBytes = 10;  // Magic, version, length.
constexpr size_t kNumberDigitsMax = 20;

const char* UnitName(arrow::TimeUnit::type unit) {
  switch (unit) {
    case arrow::TimeUnit::SECOND:
      return "s";
    case arrow::TimeUnit::MILLI:
      return "ms";
    case arrow::TimeUnit::MICRO:
      return "us";
    case arrow::TimeUnit::NANO:
      return "ns";
  }
  return "";
}

/// NumPy's name of a type of values; empty for those that it lacks.
std::string DescriptionOf(const arrow::DataType& type) {
  switch (type.id()) {
    case arrow::Type::BOOL:
      return "|b1";
    case arrow::Type::INT8:
      return "|i1";
    case arrow::Type::UINT8:
      return "|u1";
    case arrow::Type::INT16:
    case arrow::Type::INT32:
    case arrow::Type::INT64:
      return fmt::format("<i{}", type.byte_width());
    case arrow::Type::UINT16:
    case arrow::Type::UINT32:
    case arrow::Type::UINT64:
      return fmt::format("<u{}", type.byte_width());
    case arrow::Type::HALF_FLOAT:
    case arrow::Type::FLOAT:
    case arrow::Type::DOUBLE:
      return fmt::format("<f{}", type.byte_width());
    case arrow::Type::TIMESTAMP:
      return fmt::format("<M8[{}]",
                         UnitName(static_cast<const arrow::TimestampType&>(type).unit()));
    case arrow::Type::DURATION:
      return fmt::format("<m8[{}]", UnitName(static_cast<const arrow::DurationType&>(type).unit()));
    default:
      return "";
  }
}

/// Puts what stands for a null in the place of the value at `bytes`; false where nothing does.
bool PutMissing(arrow::Type::type type, char* bytes) {
  const auto put = [bytes](auto value) { std::memcpy(bytes, &value, sizeof(value)); };
  switch (type) {
    case arrow::Type::HALF_FLOAT:
      put(uint16_t{0x7E00});
      return true;
    case arrow::Type::FLOAT:
      put(std::numeric_limits<float>::quiet_NaN());
      return true;
    case arrow::Type::DOUBLE:
      put(std::numeric_limits<double>::quiet_NaN());
      return true;
    case arrow::Type::TIMESTAMP:
    case arrow::Type::DURATION:
      put(std::numeric_limits<int64_t>::min());
      return true;
    default:
      return false;
  }
}

Status NullFailure(const arrow::DataType& type) {
  return Status::Invalid(
      "an array of NumPy's has no nulls among such values; fill or drop them; got a null in: ",
      type.ToString());
}

}  // namespace

Result<NpyArray> NpyArray::Of(const std::shared_ptr<arrow::DataType>& type) {
  NpyArray array;
  array.value_type_ = type;
  while (true) {
    const arrow::DataType& level = *array.value_type_;
    const TensorParts tensor = TensorPartsOf(level);
    const RaggedParts ragged = RaggedPartsOf(level);
    if (ragged.values != nullptr) {
      array.shape_.insert(array.shape_.end(), static_cast<size_t>(ragged.dimensions), -1);
      array.value_type_ = ragged.values;
    } else if (tensor.values != nullptr) {
      array.shape_.insert(array.shape_.end(), tensor.shape.begin(), tensor.shape.end());
      array.value_type_ = tensor.values;
    } else if (level.id() == arrow::Type::FIXED_SIZE_LIST) {
      array.shape_.push_back(static_cast<const arrow::FixedSizeListType&>(level).list_size());
      array.value_type_ = level.field(0)->type();
    } else if (level.id() == arrow::Type::LIST || level.id() == arrow::Type::LARGE_LIST) {
      array.shape_.push_back(-1);
      array.value_type_ = level.field(0)->type();
    } else {
      break;
    }
  }
  array.description_ = DescriptionOf(*array.value_type_);
  if (!array.description_.empty()) return array;
  return Status::Invalid(
      "an array of NumPy's holds numbers, truth values and times, and tensors and lists of them; "
      "convert the column, or write another format; got: ",
      type->ToString());
}

Status NpyArray::Append(const arrow::Array& rows, std::string* out) {
  return AppendLevel(rows, 0, out);
}

Status NpyArray::AppendLevel(const arrow::Array& array, size_t dimension, std::string* out) {
  if (dimension == shape_.size()) return AppendValues(array, out);
  if (array.null_count() > 0) return NullFailure(*array.type());
  const TensorParts tensor = TensorPartsOf(*array.type());
  if (tensor.values != nullptr) {
    const auto& storage = static_cast<const arrow::FixedSizeListArray&>(
        *static_cast<const arrow::ExtensionArray&>(array).storage());
    PENSTOCK_TRY(const auto values, storage.Flatten());
    return AppendLevel(*values, dimension + tensor.shape.size(), out);
  }
  if (RaggedPartsOf(*array.type()).values != nullptr) {
    const RaggedColumn ragged(array);
    const auto dimensions = static_cast<size_t>(ragged.dimensions());
    for (int64_t row = 0; row < array.length(); ++row) {
      PENSTOCK_RETURN_NOT_OK(ragged.Check(row));
      for (size_t i = 0; i < dimensions; ++i) {
        const int32_t extent = ragged.Extent(row, static_cast<int>(i));
        PENSTOCK_RETURN_NOT_OK(TakeLength(dimension + i, extent));
      }
    }
    PENSTOCK_TRY(const auto values, ragged.data().Flatten());
    return AppendLevel(*values, dimension + dimensions, out);
  }
  if (array.type_id() == arrow::Type::FIXED_SIZE_LIST) {
    PENSTOCK_TRY(const auto values, static_cast<const arrow::FixedSizeListArray&>(array).Flatten());
    return AppendLevel(*values, dimension + 1, out);
  }
  const auto take = [&](const auto& lists) -> Status {
    for (int64_t i = 0; i < lists.length(); ++i) {
      PENSTOCK_RETURN_NOT_OK(TakeLength(dimension, lists.value_length(i)));
    }
    PENSTOCK_TRY(const auto values, lists.Flatten());
    return AppendLevel(*values, dimension + 1, out);
  };
  return array.type_id() == arrow::Type::LIST
             ? take(static_cast<const arrow::ListArray&>(array))
             : take(static_cast<const arrow::LargeListArray&>(array));
}

Status NpyArray::TakeLength(size_t dimension, int64_t length) {
  if (shape_[dimension] < 0) shape_[dimension] = length;
  if (shape_[dimension] == length) return Status::OK();
  return Status::Invalid("all rows of a file must have one shape, but a list has ",
                         shape_[dimension], " values in one row and ", length,
                         " in another; pad them, or write another format");
}

Status NpyArray::AppendValues(const arrow::Array& array, std::string* out) const {
  if (array.type_id() == arrow::Type::BOOL) {
    if (array.null_count() > 0) return NullFailure(*array.type());
    const auto& values = static_cast<const arrow::BooleanArray&>(array);
    for (int64_t i = 0; i < array.length(); ++i) *out += values.Value(i) ? '\1' : '\0';
    return Status::OK();
  }
  const auto width = static_cast<size_t>(array.type()->byte_width());
  const size_t begin = out->size();
  const auto bytes = static_cast<size_t>(array.length()) * width;
  if (bytes == 0) return Status::OK();
  out->append(reinterpret_cast<const char*>(array.data()->buffers[1]->data()) +
                  static_cast<size_t>(array.offset()) * width,
              bytes);
  if (array.null_count() == 0) return Status::OK();
  for (int64_t i = 0; i < array.length(); ++i) {
    if (array.IsValid(i)) continue;
    if (!PutMissing(array.type_id(), out->data() + begin + static_cast<size_t>(i) * width)) {
      return NullFailure(*array.type());
    }
  }
  return Status::OK();
}

std::string NpyArray::Head(std::optional<int64_t> rows) const {
  std::string shape = rows ? fmt::format("{},", *rows) : "";
  for (const int64_t length : shape_) shape += fmt::format(" {},", std::max<int64_t>(length, 0));
  if (!shape.empty() && shape_.size() + (rows ? 1 : 0) > 1) shape.pop_back();
  if (shape.starts_with(' ')) shape.erase(0, 1);
  std::string text = fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}), }}",
                                 description_, shape);
  const size_t longest = kPreambleBytes +
                         sizeof("{'descr': '', 'fortran_order': False, 'shape': (), }\n") +
                         description_.size() + (shape_.size() + 1) * (kNumberDigitsMax + 2);
  const size_t whole = (longest + kAlignment - 1) / kAlignment * kAlignment;
  text.resize(whole - kPreambleBytes - 1, ' ');
  text += '\n';
  const size_t length = text.size();
  return std::string("\x93NUMPY\x01\x00", 8) + static_cast<char>(length & 0xFF) +
         static_cast<char>(length >> 8) + text;
}

}  // namespace penstock
