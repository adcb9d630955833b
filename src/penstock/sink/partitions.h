#pragma once

#include <arrow/record_batch.h>

#include <memory>
#include <string>
#include <vector>

#include "penstock/base/status.h"

namespace penstock {

/// Rows of a batch that go to one folder.
struct Partition {
  std::string subfolder;                      // "year=2020/city=S%C3%A3o/"
  std::shared_ptr<arrow::RecordBatch> batch;  // Without the columns that name the folder.
};

/// Parts a batch by the values of columns, as Hive names folders: `column=value/`, one level a
/// column. In a value each byte that is neither a letter, a digit nor one of "-_.~" is percent-
/// encoded; null is `__HIVE_DEFAULT_PARTITION__`. Partitions come in the order of their first
/// rows, rows in theirs.
///
/// Invalid naming the column where it is not there, its name cannot be a folder's, its values have
/// no text, or one is too long for a name; and where no other column is left.
Result<std::vector<Partition>> PartByColumns(const std::shared_ptr<arrow::RecordBatch>& batch,
                                             const std::vector<std::string>& columns);

/// Returns where a batch of no rows goes: to the folder of nulls, whose name has all columns.
/// Invalid as PartByColumns says.
Result<Partition> EmptyPartition(const std::shared_ptr<arrow::RecordBatch>& batch,
                                 const std::vector<std::string>& columns);

}  // namespace penstock
