#pragma once

#include <arrow/record_batch.h>

#include <memory>
#include <string>
#include <vector>

#include "penstock/base/status.h"

namespace penstock {

/// Returns a digest of the columns and values of batches (ledger/digest.h).
Result<std::string> DigestOfBatches(
    const std::vector<std::shared_ptr<arrow::RecordBatch>>& batches);

}  // namespace penstock
