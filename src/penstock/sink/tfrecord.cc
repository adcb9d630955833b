#include <arrow/type.h>

#include <string_view>
#include <utility>

#include "penstock/base/crc32c.h"
#include "penstock/sink/plain_columns.h"
#include "penstock/sink/registry.h"
#include "penstock/sink/tfrecord_example.h"

/// Options of the writer tfrecord, beside those of file_sink.h:
///   compression  see ReadStreamCompression
namespace penstock {
namespace {

/// Records are handed on in pieces of about this size.
constexpr size_t kPieceBytes = size_t{1} << 20;

void AppendLittle(uint64_t value, int bytes, std::string* out) {
  for (int i = 0; i < bytes; ++i) *out += static_cast<char>(value >> (8 * i));
}

/// Dictionaries and views go as the values that they stand for.
Result<std::shared_ptr<arrow::DataType>> FeatureType(const arrow::DataType& type) {
  switch (type.id()) {
    case arrow::Type::DICTIONARY:
      return FeatureType(*static_cast<const arrow::DictionaryType&>(type).value_type());
    case arrow::Type::STRING_VIEW:
      return arrow::large_utf8();
    case arrow::Type::BINARY_VIEW:
      return arrow::large_binary();
    default:
      PENSTOCK_RETURN_NOT_OK(CheckFeatureType(type));
      return type.GetSharedPtr();
  }
}

class TfrecordFile final : public FileWriter {
 public:
  TfrecordFile(std::shared_ptr<arrow::io::OutputStream> stream,
               std::shared_ptr<arrow::Schema> schema)
      : stream_(std::move(stream)), schema_(std::move(schema)) {}

  Status Write(const std::shared_ptr<arrow::RecordBatch>& given) override {
    PENSTOCK_TRY(const auto batch, CastColumns(given, schema_));
    for (int64_t row = 0; row < batch->num_rows(); ++row) {
      example_.clear();
      PENSTOCK_RETURN_NOT_OK(AppendExample(*batch, row, &example_));
      AppendRecord();
      if (records_.size() >= kPieceBytes) PENSTOCK_RETURN_NOT_OK(HandOn());
    }
    return HandOn();
  }

  Result<std::string> Finish() override { return ""; }

 private:
  void AppendRecord() {
    const size_t begin = records_.size();
    AppendLittle(example_.size(), 8, &records_);
    AppendLittle(MaskedCrc32c(std::string_view(records_).substr(begin)), 4, &records_);
    records_ += example_;
    AppendLittle(MaskedCrc32c(example_), 4, &records_);
  }

  Status HandOn() {
    PENSTOCK_RETURN_NOT_OK(stream_->Write(std::string_view(records_)));
    records_.clear();
    return Status::OK();
  }

  const std::shared_ptr<arrow::io::OutputStream> stream_;  // Shared with the part's file.
  const std::shared_ptr<arrow::Schema> schema_;            // Shared as all schemas are.
  std::string example_;
  std::string records_;
};

class TfrecordFormat final : public FileFormat {
 public:
  explicit TfrecordFormat(arrow::Compression::type compression) : compression_(compression) {}

  std::string extension() const override { return ".tfrecords"; }
  arrow::Compression::type stream_compression() const override { return compression_; }

  Status CheckSchema(const arrow::Schema& schema) const override {
    return ChooseTypes(schema, FeatureType).status();
  }

  Result<std::unique_ptr<FileWriter>> Open(std::shared_ptr<arrow::io::OutputStream> stream,
                                           std::shared_ptr<arrow::Schema> schema,
                                           FilePlace place) const override {
    PENSTOCK_TRY(auto plain, ChooseTypes(*schema, FeatureType));
    return std::make_unique<TfrecordFile>(std::move(stream), std::move(plain));
  }

 private:
  const arrow::Compression::type compression_;
};

}  // namespace

Result<std::unique_ptr<FileFormat>> MakeTfrecordFormat(OptionReader& options) {
  PENSTOCK_TRY(const auto compression, ReadStreamCompression(options));
  return std::make_unique<TfrecordFormat>(compression);
}

}  // namespace penstock
