#pragma once

#include <arrow/compute/expression.h>
#include <parquet/arrow/reader.h>
#include <parquet/metadata.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "penstock/base/status.h"
#include "penstock/source/input_files.h"

namespace penstock {

/// What a Parquet file's footer says. Immutable.
struct ParquetFooter {
  std::shared_ptr<parquet::FileMetaData> metadata;  // Shared with the file's readers.
  std::shared_ptr<arrow::Schema> schema;  // With Ray's tensors as canonical ones (ray_tensor.h).
  std::vector<std::vector<int>> leaves;   // For each column of `schema`, its leaf columns.
};

/// Opens a file; `footer` may be null and spares reading it again. kCorruptData, naming the file.
Result<std::unique_ptr<parquet::arrow::FileReader>> OpenParquet(const InputFile& file,
                                                                const ParquetFooter* footer);

Result<std::shared_ptr<const ParquetFooter>> ReadParquetFooter(const InputFile& file);

/// Estimates the bytes in memory of the leaf columns' values in one row group.
int64_t RowGroupBytes(const ParquetFooter& footer, int row_group, const std::vector<int>& leaves);

/// Says whether a row of the row group may pass `filter`, by the group's statistics: false only
/// where none can. `filter` is bound to the footer's schema.
Result<bool> RowGroupMayMatch(const ParquetFooter& footer, int row_group,
                              const arrow::compute::Expression& filter);

}  // namespace penstock
