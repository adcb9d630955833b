#include <arrow/adapters/orc/adapter.h>
#include <arrow/adapters/orc/options.h>
#include <arrow/extension_type.h>
#include <arrow/io/interfaces.h>
#include <arrow/type.h>
#include <arrow/util/compression.h>

#include <utility>

#include "penstock/block/ragged.h"
#include "penstock/sink/plain_columns.h"
#include "penstock/sink/registry.h"

/// Options of the writer orc, beside those of file_sink.h:
///   compression   "none", "snappy", "zlib", "lz4" or "zstd"; "none"
///   batch_rows    rows that are written at a time; 1024
///   stripe_bytes  67108864
namespace penstock {
namespace {

/// ORC knows neither tensors nor unsigned or half numbers, nor times of day. Of these, what is
/// held by a wider type goes as that.
Result<std::shared_ptr<arrow::DataType>> OrcType(const arrow::DataType& type) {
  switch (type.id()) {
    case arrow::Type::DICTIONARY:
      return OrcType(*static_cast<const arrow::DictionaryType&>(type).value_type());
    case arrow::Type::EXTENSION:
      if (const RaggedParts vectors = RaggedPartsOf(type); vectors.dimensions == 1) {
        return arrow::list(vectors.values);
      }
      return OrcType(*static_cast<const arrow::ExtensionType&>(type).storage_type());
    case arrow::Type::FIXED_SIZE_LIST:
      return arrow::list(static_cast<const arrow::FixedSizeListType&>(type).value_type());
    case arrow::Type::STRING_VIEW:
      return arrow::utf8();
    case arrow::Type::BINARY_VIEW:
      return arrow::binary();
    case arrow::Type::DECIMAL32:
    case arrow::Type::DECIMAL64: {
      const auto& decimal = static_cast<const arrow::DecimalType&>(type);
      return arrow::decimal128(decimal.precision(), decimal.scale());
    }
    case arrow::Type::HALF_FLOAT:
      return arrow::float32();
    case arrow::Type::UINT8:
      return arrow::int16();
    case arrow::Type::UINT16:
      return arrow::int32();
    case arrow::Type::UINT32:
    case arrow::Type::UINT64:
      return arrow::int64();
    case arrow::Type::NA:
    case arrow::Type::TIME32:
    case arrow::Type::TIME64:
    case arrow::Type::DURATION:
    case arrow::Type::INTERVAL_MONTHS:
    case arrow::Type::INTERVAL_DAY_TIME:
    case arrow::Type::INTERVAL_MONTH_DAY_NANO:
    case arrow::Type::DECIMAL256:
    case arrow::Type::LIST_VIEW:
    case arrow::Type::LARGE_LIST_VIEW:
    case arrow::Type::RUN_END_ENCODED:
      return Status::Invalid("ORC has no such type; cast the column, or write Parquet; got: ",
                             type.ToString());
    default:
      return type.GetSharedPtr();
  }
}

/// Takes everything and keeps the first failure to itself: the writer of ORC throws where it meets
/// one while it closes.
class LatchingStream final : public arrow::io::OutputStream {
 public:
  explicit LatchingStream(std::shared_ptr<arrow::io::OutputStream> stream)
      : stream_(std::move(stream)) {}

  Status Close() override { return Status::OK(); }
  bool closed() const override { return false; }
  Result<int64_t> Tell() const override { return bytes_; }
  using arrow::io::OutputStream::Write;
  Status Write(const void* data, int64_t bytes) override {
    bytes_ += bytes;
    if (failure_.ok()) failure_ = stream_->Write(data, bytes);
    return Status::OK();
  }
  const Status& failure() const { return failure_; }

 private:
  const std::shared_ptr<arrow::io::OutputStream> stream_;  // Shared with the part's file.
  Status failure_;
  int64_t bytes_ = 0;
};

/// Keeps what it writes to alive: the writer of ORC only borrows it.
class OrcFile final : public FileWriter {
 public:
  OrcFile(std::unique_ptr<LatchingStream> stream, std::shared_ptr<arrow::Schema> schema,
          std::unique_ptr<arrow::adapters::orc::ORCFileWriter> writer)
      : stream_(std::move(stream)), schema_(std::move(schema)), writer_(std::move(writer)) {}

  Status Write(const std::shared_ptr<arrow::RecordBatch>& batch) override {
    PENSTOCK_TRY(const auto plain, CastColumns(batch, schema_));
    PENSTOCK_RETURN_NOT_OK(writer_->Write(*plain));
    return stream_->failure();
  }

  Result<std::string> Finish() override {
    PENSTOCK_RETURN_NOT_OK(writer_->Close());
    PENSTOCK_RETURN_NOT_OK(stream_->failure());
    return "";
  }

 private:
  const std::unique_ptr<LatchingStream> stream_;
  const std::shared_ptr<arrow::Schema> schema_;  // Shared as all schemas are.
  const std::unique_ptr<arrow::adapters::orc::ORCFileWriter> writer_;
};

class OrcFormat final : public FileFormat {
 public:
  explicit OrcFormat(arrow::adapters::orc::WriteOptions options) : options_(std::move(options)) {}

  std::string extension() const override { return ".orc"; }
  bool holds_no_columns() const override { return true; }

  Status CheckSchema(const arrow::Schema& schema) const override {
    return ChooseTypes(schema, OrcType).status();
  }

  Result<std::unique_ptr<FileWriter>> Open(std::shared_ptr<arrow::io::OutputStream> stream,
                                           std::shared_ptr<arrow::Schema> schema,
                                           FilePlace place) const override {
    PENSTOCK_TRY(auto plain, ChooseTypes(*schema, OrcType));
    auto latching = std::make_unique<LatchingStream>(std::move(stream));
    PENSTOCK_TRY(auto writer, arrow::adapters::orc::ORCFileWriter::Open(latching.get(), options_));
    auto file = std::make_unique<OrcFile>(std::move(latching), plain, std::move(writer));
    PENSTOCK_TRY(const auto nothing, arrow::RecordBatch::MakeEmpty(schema));
    PENSTOCK_RETURN_NOT_OK(file->Write(nothing));  // A file without rows has columns, too.
    return file;
  }

 private:
  const arrow::adapters::orc::WriteOptions options_;
};

}  // namespace

Result<std::unique_ptr<FileFormat>> MakeOrcFormat(OptionReader& options) {
  arrow::adapters::orc::WriteOptions orc;
  PENSTOCK_TRY(const std::string codec, options.Text("compression", "none"));
  if (codec != "none" && codec != "snappy" && codec != "zlib" && codec != "lz4" &&
      codec != "zstd") {
    return options.Wrong("compression", "none, snappy, zlib, lz4 or zstd");
  }
  if (codec != "none") {
    PENSTOCK_TRY(orc.compression, arrow::util::Codec::GetCompressionType(codec == "zlib"  ? "gzip"
                                                                         : codec == "lz4" ? "lz4"
                                                                                          : codec));
  }
  PENSTOCK_TRY(orc.batch_size, options.Integer("batch_rows", orc.batch_size, 1));
  PENSTOCK_TRY(orc.stripe_size, options.Integer("stripe_bytes", orc.stripe_size, 1));
  return std::make_unique<OrcFormat>(std::move(orc));
}

}  // namespace penstock
