#include <arrow/array.h>
#include <arrow/type.h>
#include <arrow/type_traits.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "penstock/sink/json_cells.h"
#include "penstock/sink/npy.h"
#include "penstock/sink/picture.h"
#include "penstock/sink/registry.h"
#include "penstock/sink/tar_archive.h"

/// Options of the writer webdataset, beside those of file_sink.h:
///   compression  see ReadStreamCompression
///   encode       whether values that are neither text nor binary become files by their column's
///                extension, or else are an error; true
///
/// Each row is a sample: the tar members `<key>.<column>`, one for each column that is not null and
/// does not begin with "__". The key is the column `__key__`, or else the row's place in the
/// output. Text and binary go as they are. What follows the last dot of a column's name says how
/// the rest is encoded: json as JSON, npy as a NumPy file, png, bmp, jpg, jpeg, webp, tif and tiff
/// as pictures, all else as the value's text.
namespace penstock {
namespace {

/// Members are handed on in pieces of about this size.
constexpr size_t kPieceBytes = size_t{1} << 20;
constexpr std::string_view kKeyColumn = "__key__";

std::string_view ExtensionOf(std::string_view column) {
  const size_t dot = column.rfind('.');
  return dot == std::string_view::npos ? column : column.substr(dot + 1);
}

std::optional<std::string> PlainBytesAt(const arrow::Array& column, int64_t row) {
  switch (column.type_id()) {
    case arrow::Type::STRING:
      return std::string(static_cast<const arrow::StringArray&>(column).GetView(row));
    case arrow::Type::LARGE_STRING:
      return std::string(static_cast<const arrow::LargeStringArray&>(column).GetView(row));
    case arrow::Type::BINARY:
      return std::string(static_cast<const arrow::BinaryArray&>(column).GetView(row));
    case arrow::Type::LARGE_BINARY:
      return std::string(static_cast<const arrow::LargeBinaryArray&>(column).GetView(row));
    case arrow::Type::FIXED_SIZE_BINARY:
      return std::string(static_cast<const arrow::FixedSizeBinaryArray&>(column).GetView(row));
    case arrow::Type::STRING_VIEW:
    case arrow::Type::BINARY_VIEW:
      return std::string(static_cast<const arrow::BinaryViewArray&>(column).GetView(row));
    case arrow::Type::DICTIONARY: {
      const auto& encoded = static_cast<const arrow::DictionaryArray&>(column);
      return PlainBytesAt(*encoded.dictionary(), encoded.GetValueIndex(row));
    }
    default:
      return std::nullopt;
  }
}

bool IsPlain(const arrow::DataType& type) {
  if (type.id() == arrow::Type::DICTIONARY) {
    return IsPlain(*static_cast<const arrow::DictionaryType&>(type).value_type());
  }
  return arrow::is_base_binary_like(type.id()) || type.id() == arrow::Type::BINARY_VIEW ||
         type.id() == arrow::Type::STRING_VIEW || type.id() == arrow::Type::FIXED_SIZE_BINARY;
}

Result<std::string> NpyAt(const arrow::Array& column, int64_t row) {
  PENSTOCK_TRY(NpyArray array, NpyArray::Of(column.type()));
  std::string values;
  PENSTOCK_RETURN_NOT_OK(array.Append(*column.Slice(row, 1), &values));
  return array.Head(std::nullopt) + values;
}

Result<std::string> JsonAt(const arrow::Array& column, int64_t row) {
  PENSTOCK_TRY(const auto cells, MakeJsonCells(*column.type(), JsonStyle{.iso_dates = true}));
  cells->Bind(column);
  std::string text;
  PENSTOCK_RETURN_NOT_OK(cells->Append(row, &text));
  return text;
}

Result<std::string> EncodedAt(const std::string& name, const arrow::Array& column, int64_t row) {
  if (std::optional<std::string> plain = PlainBytesAt(column, row)) return *std::move(plain);
  const std::string_view extension = ExtensionOf(name);
  if (extension == "npy") return NpyAt(column, row);
  if (const EncodePicture encode = PictureEncoderOf(extension)) {
    PENSTOCK_TRY(const Picture picture, PictureAt(column, row));
    return encode(picture);
  }
  return JsonAt(column, row);
}

Status CheckColumn(const arrow::Field& field, bool encode) {
  const std::string& name = field.name();
  if (IsPlain(*field.type()) || field.type()->id() == arrow::Type::NA) return Status::OK();
  if (name == kKeyColumn) {
    return Status::Invalid("the samples' keys must be text; got: ", field.type()->ToString());
  }
  if (name.starts_with("__")) return Status::OK();
  if (!encode) {
    return Status::Invalid("without an encoder only text and binary can be written; got: ",
                           field.type()->ToString());
  }
  const std::string_view extension = ExtensionOf(name);
  if (extension == "npy") return NpyArray::Of(field.type()).status();
  if (PictureEncoderOf(extension) != nullptr) return CheckPictureType(*field.type());
  constexpr std::array<std::string_view, 8> kForeign{"ppm", "pgm", "pickle", "pkl",
                                                     "pth", "pt",  "msg",    "mp"};
  if (std::ranges::find(kForeign, extension) != kForeign.end()) {
    return Status::Invalid("values are not encoded as ", extension,
                           " here; encode them to binary before; got: ", field.type()->ToString());
  }
  return MakeJsonCells(*field.type(), JsonStyle{}).status();
}

class WebdatasetFile final : public FileWriter {
 public:
  WebdatasetFile(std::shared_ptr<arrow::io::OutputStream> stream, FilePlace place)
      : stream_(std::move(stream)), place_(place) {}

  Status Write(const std::shared_ptr<arrow::RecordBatch>& batch) override {
    for (int64_t row = 0; row < batch->num_rows(); ++row) {
      PENSTOCK_RETURN_NOT_OK(AppendSample(*batch, row));
      ++rows_;
      if (members_.size() >= kPieceBytes) PENSTOCK_RETURN_NOT_OK(HandOn());
    }
    return HandOn();
  }

  Result<std::string> Finish() override {
    members_ = TarEnd(bytes_);
    PENSTOCK_RETURN_NOT_OK(HandOn());
    return "";
  }

 private:
  Result<std::string> KeyOf(const arrow::RecordBatch& batch, int64_t row) const {
    const auto keys = batch.GetColumnByName(std::string(kKeyColumn));
    if (keys == nullptr) {
      return fmt::format("{:06}_{:06}_{:09}", place_.part, place_.file, rows_);
    }
    if (keys->IsNull(row)) return Status::Invalid("a sample has no key (a null in '__key__')");
    return PlainBytesAt(*keys, row).value_or("");
  }

  Status AppendSample(const arrow::RecordBatch& batch, int64_t row) {
    PENSTOCK_TRY(const std::string key, KeyOf(batch, row));
    for (int i = 0; i < batch.num_columns(); ++i) {
      const std::string& name = batch.column_name(i);
      if (name.starts_with("__") || batch.column(i)->IsNull(row)) continue;
      const auto bytes = EncodedAt(name, *batch.column(i), row);
      if (!bytes.ok()) {
        return bytes.status().WithMessage("Column '", name, "': ", bytes.status().message());
      }
      PENSTOCK_RETURN_NOT_OK(AppendTarMember(fmt::format("{}.{}", key, name), *bytes, &members_));
    }
    return Status::OK();
  }

  Status HandOn() {
    PENSTOCK_RETURN_NOT_OK(stream_->Write(std::string_view(members_)));
    bytes_ += static_cast<int64_t>(members_.size());
    members_.clear();
    return Status::OK();
  }

  const std::shared_ptr<arrow::io::OutputStream> stream_;  // Shared with the part's file.
  const FilePlace place_;
  std::string members_;
  int64_t bytes_ = 0;
  int64_t rows_ = 0;
};

class WebdatasetFormat final : public FileFormat {
 public:
  WebdatasetFormat(arrow::Compression::type compression, bool encode)
      : compression_(compression), encode_(encode) {}

  std::string extension() const override { return ".tar"; }
  arrow::Compression::type stream_compression() const override { return compression_; }
  bool rows_stand_alone() const override { return true; }

  Status CheckSchema(const arrow::Schema& schema) const override {
    for (const auto& field : schema.fields()) {
      const Status checked = CheckColumn(*field, encode_);
      if (!checked.ok()) {
        return checked.WithMessage("Column '", field->name(), "': ", checked.message());
      }
    }
    return Status::OK();
  }

  Result<std::unique_ptr<FileWriter>> Open(std::shared_ptr<arrow::io::OutputStream> stream,
                                           std::shared_ptr<arrow::Schema> schema,
                                           FilePlace place) const override {
    return std::make_unique<WebdatasetFile>(std::move(stream), place);
  }

 private:
  const arrow::Compression::type compression_;
  const bool encode_;
};

}  // namespace

Result<std::unique_ptr<FileFormat>> MakeWebdatasetFormat(OptionReader& options) {
  PENSTOCK_TRY(const auto compression, ReadStreamCompression(options));
  PENSTOCK_TRY(const bool encode, options.Bool("encode", true));
  return std::make_unique<WebdatasetFormat>(compression, encode);
}

}  // namespace penstock
