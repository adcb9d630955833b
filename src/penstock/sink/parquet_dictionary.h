#pragma once

#include <arrow/record_batch.h>

#include <string>
#include <vector>

#include "penstock/base/status.h"

namespace penstock {

/// Returns the names of the columns whose dictionary would outgrow `dictionary_bytes_max`, so that
/// the writer would give it up after having built it: a tenth of the work of writing such a column.
///
/// Judged from up to 16,384 rows spread over the batch: a column that holds, among those, as many
/// different values as one with more values than the dictionary has room for. Batches of fewer
/// rows, nested columns and columns of one bit a value are not judged. The same batch always gets
/// the same answer.
Result<std::vector<std::string>> ColumnsBeyondDictionary(const arrow::RecordBatch& batch,
                                                         int64_t dictionary_bytes_max);

}  // namespace penstock
