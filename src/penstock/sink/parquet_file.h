#pragma once

#include <arrow/record_batch.h>
#include <arrow/util/compression.h>
#include <parquet/arrow/writer.h>

#include <cstdint>
#include <memory>
#include <string>

#include "penstock/base/status.h"
#include "penstock/sink/output_folder.h"
#include "penstock/sink/sink.h"

namespace penstock {

struct ParquetFileOptions {
  int64_t row_group_rows = int64_t{1} << 20;
  arrow::Compression::type compression = arrow::Compression::SNAPPY;
};

/// One Parquet file under a temporary name, which goes with the object unless Close succeeded.
/// Errors name the file. One thread.
class ParquetFile {
 public:
  /// Creates the file `name` in `folder` for batches of `schema`.
  static Result<std::unique_ptr<ParquetFile>> Create(OutputFolder& folder, std::string name,
                                                     std::shared_ptr<arrow::Schema> schema,
                                                     const ParquetFileOptions& options);

  const std::shared_ptr<arrow::Schema>& schema() const { return schema_; }

  /// Writes a batch of the file's schema, cut so that no row group grows far beyond the bytes that
  /// may be held in memory.
  Status Write(const arrow::RecordBatch& batch);

  /// Makes the file durable under its temporary name. No Write may follow.
  Result<PartFile> Close();

 private:
  ParquetFile(std::string name, std::shared_ptr<arrow::Schema> schema,
              std::unique_ptr<TemporaryFile> file)
      : name_(std::move(name)), schema_(std::move(schema)), file_(std::move(file)) {}

  Status OpenWriter(const ParquetFileOptions& options);
  Status WriteSlices(const arrow::RecordBatch& batch);
  Status Named(const Status& status) const;

  const std::string name_;
  const std::shared_ptr<arrow::Schema> schema_;  // Shared as all of Arrow's schemas are.
  const std::unique_ptr<TemporaryFile> file_;
  std::unique_ptr<parquet::arrow::FileWriter> writer_;
  int64_t group_bytes_ = 0;
  int64_t rows_ = 0;
};

}  // namespace penstock
