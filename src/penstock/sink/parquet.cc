#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <parquet/arrow/schema.h>
#include <parquet/arrow/writer.h>
#include <parquet/properties.h>

#include <algorithm>
#include <utility>

#include "penstock/block/block.h"
#include "penstock/memory/warm_pool.h"
#include "penstock/sink/parquet_dictionary.h"
#include "penstock/sink/parquet_options.h"
#include "penstock/sink/plain_columns.h"
#include "penstock/sink/readable_lists.h"
#include "penstock/sink/registry.h"

namespace penstock {
namespace {

/// Row groups are held in memory until they are whole.
constexpr int64_t kRowGroupBytesMax = int64_t{64} << 20;

class ParquetFile final : public FileWriter {
 public:
  ParquetFile(std::shared_ptr<arrow::io::OutputStream> stream,
              std::shared_ptr<arrow::Schema> schema, ParquetOptions options)
      : stream_(std::move(stream)), schema_(std::move(schema)), options_(std::move(options)) {}

  /// Cuts the batch so that no row group grows far beyond the bytes that may be held in memory.
  Status Write(const std::shared_ptr<arrow::RecordBatch>& given) override {
    PENSTOCK_TRY(const auto batch, CastColumns(given, schema_));
    if (writer_ == nullptr) PENSTOCK_RETURN_NOT_OK(Begin(batch.get()));
    const int64_t bytes = BlockBytes(*batch);
    const int64_t slices =
        std::max<int64_t>((bytes + kRowGroupBytesMax - 1) / kRowGroupBytesMax, 1);
    const int64_t slice_rows = std::max<int64_t>((batch->num_rows() + slices - 1) / slices, 1);
    for (int64_t offset = 0; offset < batch->num_rows(); offset += slice_rows) {
      if (group_bytes_ > 0 && group_bytes_ + bytes / slices > kRowGroupBytesMax) {
        PENSTOCK_RETURN_NOT_OK(writer_->NewBufferedRowGroup());
        group_bytes_ = 0;
      }
      PENSTOCK_RETURN_NOT_OK(writer_->WriteRecordBatch(*batch->Slice(offset, slice_rows)));
      group_bytes_ += bytes / slices;
    }
    return Status::OK();
  }

  Result<std::string> Finish() override {
    if (writer_ == nullptr) PENSTOCK_RETURN_NOT_OK(Begin(/*first=*/nullptr));
    PENSTOCK_RETURN_NOT_OK(writer_->Close());
    return "";
  }

 private:
  Status Begin(const arrow::RecordBatch* first) {
    auto properties = options_.properties;
    if (first != nullptr && options_.judges_dictionary) {
      PENSTOCK_TRY(properties, WithoutIdleDictionaries(*properties, *first));
    }
    PENSTOCK_TRY(writer_, parquet::arrow::FileWriter::Open(
                              *schema_, &WarmPool::Shared(), std::move(stream_),
                              std::move(properties), options_.arrow_properties));
    return Status::OK();
  }

  static Result<std::shared_ptr<parquet::WriterProperties>> WithoutIdleDictionaries(
      const parquet::WriterProperties& properties, const arrow::RecordBatch& first) {
    PENSTOCK_TRY(const auto columns,
                 ColumnsBeyondDictionary(first, properties.dictionary_pagesize_limit()));
    parquet::WriterProperties::Builder builder(properties);
    for (const std::string& column : columns) {
      const parquet::schema::ColumnPath path({column});
      builder.disable_dictionary(std::make_shared<parquet::schema::ColumnPath>(path));
    }
    return builder.build();
  }

  std::shared_ptr<arrow::io::OutputStream> stream_;  // The writer's once there is one.
  const std::shared_ptr<arrow::Schema> schema_;      // Shared as all schemas are.
  const ParquetOptions options_;
  std::unique_ptr<parquet::arrow::FileWriter> writer_;  // Null until something is written.
  int64_t group_bytes_ = 0;
};

class ParquetFormat final : public FileFormat {
 public:
  explicit ParquetFormat(ParquetOptions options) : options_(std::move(options)) {}

  std::string extension() const override { return ".parquet"; }

  bool holds_no_columns() const override { return true; }

  Status CheckSchema(const arrow::Schema& schema) const override {
    for (const auto& field : schema.fields()) {
      std::shared_ptr<parquet::SchemaDescriptor> converted;
      const Status possible = parquet::arrow::ToParquetSchema(arrow::schema({field}).get(),
                                                              *options_.properties, &converted);
      if (!possible.ok()) {
        return Status::Invalid(
            "Column '", field->name(),
            "': Parquet has no such type; cast the column; got: ", field->type()->ToString());
      }
    }
    return Status::OK();
  }

  std::shared_ptr<arrow::Schema> FileSchema(const arrow::RecordBatch& batch) const override {
    return ReadableSchema(batch);
  }

  Result<std::unique_ptr<FileWriter>> Open(std::shared_ptr<arrow::io::OutputStream> stream,
                                           std::shared_ptr<arrow::Schema> schema,
                                           FilePlace place) const override {
    return std::make_unique<ParquetFile>(std::move(stream), std::move(schema), options_);
  }

 private:
  const ParquetOptions options_;
};

}  // namespace

Result<std::unique_ptr<FileFormat>> MakeParquetFormat(OptionReader& options) {
  PENSTOCK_TRY(ParquetOptions read, ReadParquetOptions(options));
  return std::make_unique<ParquetFormat>(std::move(read));
}

}  // namespace penstock
