#pragma once

#include <arrow/record_batch.h>

#include <string_view>

#include "penstock/base/status.h"

namespace penstock {

/// Says whether the whole text is UTF-8.
bool IsUtf8(std::string_view text);

/// Checks every text of the batch, those within lists and structs too; what is null is passed over.
/// Invalid names the column and the row, of which the batch's first is `first_row`. The batch must
/// be one that Arrow itself made: offsets are believed. Costs one pass over the bytes.
Status CheckUtf8(const arrow::RecordBatch& batch, int64_t first_row);

}  // namespace penstock
