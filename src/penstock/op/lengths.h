#pragma once

#include <arrow/record_batch.h>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "penstock/base/status.h"

namespace penstock {

/// Returns the length of each row by one of its columns: characters of text, bytes of binary, items
/// of a list, an integer's own value; 0 for null. KeyError for a missing column, TypeError for one
/// of another type.
Result<std::vector<int64_t>> LengthsOf(const arrow::RecordBatch& batch, const std::string& column);

/// Returns the rows' numbers, longest first; those equally long in order.
std::vector<int64_t> LongestFirst(std::span<const int64_t> lengths);

/// Cuts rows that come longest first into batches of at most `rows_max` rows (0: any number), whose
/// rows times their longest are at most `padded_max` (0: any), though at least one row each.
/// Returns the batches' rows.
std::vector<int64_t> CutByLength(std::span<const int64_t> lengths, std::span<const int64_t> order,
                                 int64_t rows_max, int64_t padded_max);

}  // namespace penstock
