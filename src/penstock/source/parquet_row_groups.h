#pragma once

#include <parquet/arrow/reader.h>

#include <cstdint>
#include <memory>
#include <string>

#include "penstock/base/status.h"
#include "penstock/source/column_choice.h"
#include "penstock/source/input_files.h"
#include "penstock/source/parquet_columns.h"
#include "penstock/source/parquet_footer.h"
#include "penstock/source/source.h"

namespace penstock {

/// Some neighbouring row groups of one file.
struct RowGroupRange {
  int64_t file = 0;
  int begin = 0;
  int end = 0;
  int64_t rows = 0;
  int64_t bytes = 0;  // Estimated, in memory, of the columns that are read.
};

/// Returns the leaf columns of the file that are read for the choice.
std::vector<int> LeavesOf(const ParquetFooter& footer, const ColumnChoice& choice,
                          const ParquetColumns& columns);

/// Makes the reader of a range: rows beyond the first `rows_max` need not be read. `name` is the
/// split's, for errors. `columns` must outlive it.
Result<std::unique_ptr<SplitReader>> OpenRowGroups(
    const InputFile& file, const std::shared_ptr<const ParquetFooter>& footer,
    const RowGroupRange& range, const ColumnChoice& choice, const ParquetColumns& columns,
    arrow::ScalarVector file_values, std::string name, int64_t rows_max, int64_t block_bytes);

}  // namespace penstock
