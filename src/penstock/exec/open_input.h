#pragma once

#include <memory>

#include "penstock/base/status.h"
#include "penstock/plan/logical.h"
#include "penstock/source/source.h"

namespace penstock {

/// Makes the reader of a job's input, as MakeSource does, which believes the ledgers of the folders
/// that it reads. Here readers and ledgers meet, which know nothing of each other.
Result<std::unique_ptr<Source>> OpenInput(const ReadOp& read, const ReadLimits& limits,
                                          int processors);

}  // namespace penstock
