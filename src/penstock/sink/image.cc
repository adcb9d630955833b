#include <arrow/array.h>
#include <arrow/type.h>

#include <utility>

#include "penstock/sink/picture.h"
#include "penstock/sink/registry.h"

/// Options of the writer image, which writes the one column that its rows have, a file a row,
/// beside those of file_sink.h:
///   file_format  "png", "bmp", "jpg", "jpeg", "webp", "tif" or "tiff"; "png"
///
/// Binary columns are taken to be encoded already and written as they are, under whatever
/// extension "file_format" names.
namespace penstock {
namespace {

class ImageFile final : public FileWriter {
 public:
  ImageFile(std::shared_ptr<arrow::io::OutputStream> stream, std::string column,
            EncodePicture encode)
      : stream_(std::move(stream)), column_(std::move(column)), encode_(encode) {}

  Status Write(const std::shared_ptr<arrow::RecordBatch>& batch) override {
    for (int64_t row = 0; row < batch->num_rows(); ++row) {
      const auto bytes = BytesAt(*batch->column(0), row);
      if (!bytes.ok()) {
        return bytes.status().WithMessage("Column '", column_, "': ", bytes.status().message());
      }
      PENSTOCK_RETURN_NOT_OK(stream_->Write(std::string_view(*bytes)));
    }
    return Status::OK();
  }

  Result<std::string> Finish() override { return ""; }

 private:
  Result<std::string> BytesAt(const arrow::Array& column, int64_t row) const {
    const auto encoded = [&](const auto& array) -> Result<std::string> {
      if (!array.IsNull(row)) return std::string(array.GetView(row));
      return Status::Invalid("a row without a picture cannot be written; drop rows of null");
    };
    if (column.type_id() == arrow::Type::BINARY) {
      return encoded(static_cast<const arrow::BinaryArray&>(column));
    }
    if (column.type_id() == arrow::Type::LARGE_BINARY) {
      return encoded(static_cast<const arrow::LargeBinaryArray&>(column));
    }
    PENSTOCK_TRY(const Picture picture, PictureAt(column, row));
    return encode_(picture);
  }

  const std::shared_ptr<arrow::io::OutputStream> stream_;  // Shared with the part's file.
  const std::string column_;
  const EncodePicture encode_;
};

class ImageFormat final : public FileFormat {
 public:
  ImageFormat(std::string extension, EncodePicture encode)
      : extension_(std::move(extension)), encode_(encode) {}

  std::string extension() const override { return extension_; }
  bool file_per_row() const override { return true; }

  Status CheckSchema(const arrow::Schema& schema) const override {
    if (schema.num_fields() != 1) {
      return Status::Invalid("An image file holds one column; choose it; got: ",
                             schema.num_fields());
    }
    const arrow::Field& field = *schema.field(0);
    const bool binary = field.type()->id() == arrow::Type::BINARY ||
                        field.type()->id() == arrow::Type::LARGE_BINARY;
    if (!binary && encode_ == nullptr) {
      return Status::Invalid("Column '", field.name(),
                             "': tensors become png, bmp, jpeg, webp or tiff here; encode "
                             "them to binary before for the file format: ",
                             extension_);
    }
    const Status checked = binary ? Status::OK() : CheckPictureType(*field.type());
    if (checked.ok()) return checked;
    return checked.WithMessage("Column '", field.name(), "': ", checked.message());
  }

  Result<std::unique_ptr<FileWriter>> Open(std::shared_ptr<arrow::io::OutputStream> stream,
                                           std::shared_ptr<arrow::Schema> schema,
                                           FilePlace place) const override {
    return std::make_unique<ImageFile>(std::move(stream), schema->field(0)->name(), encode_);
  }

 private:
  const std::string extension_;
  const EncodePicture encode_;  // Null: only what is encoded already can be written.
};

}  // namespace

Result<std::unique_ptr<FileFormat>> MakeImageFormat(OptionReader& options) {
  PENSTOCK_TRY(const std::string format, options.Text("file_format", "png"));
  constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyz0123456789";
  if (format.empty() || format.find_first_not_of(kLetters) != std::string::npos) {
    return options.Wrong("file_format",
                         "png, bmp, jpg, jpeg, webp, tif, tiff, or the extension of encoded "
                         "images");
  }
  return std::make_unique<ImageFormat>("." + format, PictureEncoderOf(format));
}

}  // namespace penstock
