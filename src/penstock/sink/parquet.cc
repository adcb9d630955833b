#include <arrow/extension_type.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <arrow/util/compression.h>
#include <parquet/arrow/schema.h>
#include <parquet/arrow/writer.h>
#include <parquet/properties.h>

#include <algorithm>
#include <utility>

#include "penstock/block/block.h"
#include "penstock/sink/registry.h"

/// Options of the writer parquet, beside those of file_sink.h:
///   compression        "none", "snappy", "gzip", "zstd", "lz4" or "brotli"; "snappy"
///   compression_level  the codec's own scale; its default when absent
///   row_group_rows     at most so many rows a row group; 1048576
///   dictionary         whether columns are dictionary-encoded where that pays; true
///   statistics         whether row groups carry their columns' least and greatest values; true
namespace penstock {
namespace {

/// Row groups are held in memory until they are whole.
constexpr int64_t kRowGroupBytesMax = int64_t{64} << 20;

bool HoldsFixedSizeList(const arrow::DataType& type) {
  if (type.id() == arrow::Type::FIXED_SIZE_LIST) return true;
  if (type.id() == arrow::Type::EXTENSION) {
    return HoldsFixedSizeList(*static_cast<const arrow::ExtensionType&>(type).storage_type());
  }
  return std::ranges::any_of(type.fields(),
                             [](const auto& field) { return HoldsFixedSizeList(*field->type()); });
}

class ParquetFile final : public FileWriter {
 public:
  explicit ParquetFile(std::unique_ptr<parquet::arrow::FileWriter> writer)
      : writer_(std::move(writer)) {}

  /// Cuts the batch so that no row group grows far beyond the bytes that may be held in memory.
  Status Write(const std::shared_ptr<arrow::RecordBatch>& batch) override {
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
    PENSTOCK_RETURN_NOT_OK(writer_->Close());
    return "";
  }

 private:
  const std::unique_ptr<parquet::arrow::FileWriter> writer_;
  int64_t group_bytes_ = 0;
};

class ParquetFormat final : public FileFormat {
 public:
  explicit ParquetFormat(std::shared_ptr<parquet::WriterProperties> properties)
      : properties_(std::move(properties)) {}

  std::string extension() const override { return ".parquet"; }

  Status CheckSchema(const arrow::Schema& schema) const override {
    for (const auto& field : schema.fields()) {
      std::shared_ptr<parquet::SchemaDescriptor> converted;
      const Status possible =
          parquet::arrow::ToParquetSchema(arrow::schema({field}).get(), *properties_, &converted);
      if (!possible.ok()) {
        return Status::Invalid(
            "Column '", field->name(),
            "': Parquet has no such type; cast the column; got: ", field->type()->ToString());
      }
    }
    return Status::OK();
  }

  /// Arrow writes nulls among tensors and other lists of a fixed size, but cannot read them.
  bool CanBeRead(const arrow::RecordBatch& batch) const override {
    return std::ranges::none_of(batch.columns(), [](const auto& column) {
      return column->null_count() > 0 && HoldsFixedSizeList(*column->type());
    });
  }

  Result<std::unique_ptr<FileWriter>> Open(std::shared_ptr<arrow::io::OutputStream> stream,
                                           std::shared_ptr<arrow::Schema> schema,
                                           FilePlace place) const override {
    const auto arrow_properties =
        parquet::ArrowWriterProperties::Builder().store_schema()->set_use_threads(false)->build();
    PENSTOCK_TRY(auto writer, parquet::arrow::FileWriter::Open(
                                  *schema, arrow::default_memory_pool(), std::move(stream),
                                  properties_, arrow_properties));
    return std::make_unique<ParquetFile>(std::move(writer));
  }

 private:
  const std::shared_ptr<parquet::WriterProperties> properties_;  // Shared with every file.
};

}  // namespace

Result<std::unique_ptr<FileFormat>> MakeParquetFormat(OptionReader& options) {
  parquet::WriterProperties::Builder properties;
  properties.enable_page_checksum();
  PENSTOCK_TRY(const std::string codec, options.Text("compression", "snappy"));
  const auto known =
      arrow::util::Codec::GetCompressionType(codec == "none" ? "uncompressed" : codec);
  if (!known.ok() || !arrow::util::Codec::IsAvailable(*known)) {
    return options.Wrong("compression", "none, snappy, gzip, zstd, lz4 or brotli");
  }
  properties.compression(*known);
  if (!options.Raw("compression_level").is_null()) {
    PENSTOCK_TRY(const int64_t level, options.Integer("compression_level", 0, -100));
    properties.compression_level(static_cast<int>(std::min<int64_t>(level, 100)));
  }
  PENSTOCK_TRY(const int64_t group_rows, options.Integer("row_group_rows", int64_t{1} << 20, 1));
  properties.max_row_group_length(group_rows);
  PENSTOCK_TRY(const bool dictionary, options.Bool("dictionary", true));
  if (!dictionary) properties.disable_dictionary();
  PENSTOCK_TRY(const bool statistics, options.Bool("statistics", true));
  if (!statistics) properties.disable_statistics();
  return std::make_unique<ParquetFormat>(properties.build());
}

}  // namespace penstock
