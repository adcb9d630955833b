#pragma once

#include <arrow/record_batch.h>

#include <memory>
#include <vector>

#include "penstock/base/status.h"
#include "penstock/plan/logical.h"

namespace penstock {

/// What one read from memory (ReadOp of kind "memory") holds.
using MemoryBatches = std::vector<std::shared_ptr<arrow::RecordBatch>>;

/// Takes what the plan reads from memory out of it, an entry a read in the order of the operators
/// (those below a CombineOp in its place): what is left can be written down as JSON.
std::vector<MemoryBatches> TakeMemory(LogicalPlan* plan);

/// Puts back what TakeMemory took. Invalid where there are more or fewer reads from memory.
Status GiveMemory(std::vector<MemoryBatches> memory, LogicalPlan* plan);

}  // namespace penstock
