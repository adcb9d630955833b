#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>

#include "penstock/base/status.h"
#include "penstock/exec/write_runner.h"
#include "penstock/plan/logical.h"
#include "penstock/plan/physical.h"
#include "penstock/source/source.h"

namespace penstock {

/// Rows and bytes of the input that a job with functions of the user, which may be slow, commits
/// together at most, unless a split has more; other jobs do as ReadLimits says.
inline constexpr int64_t kSlowChunkRows = 100'000;
inline constexpr int64_t kSlowChunkBytes = int64_t{64} << 20;

/// Returns how large a job's blocks and chunks are. With a ledger no chunk is to have more rows
/// than a file may, `rows_per_chunk` (unless that is 0), or the above.
ReadLimits ReadLimitsFor(const PhysicalPlan& plan, const ReadLimits& limits,
                         int64_t rows_per_chunk);

/// Tells the user, on standard error, what is done with an output.
void Tell(const std::string& what);

/// Opens what a job writes to, and its ledger where the plan's mode is "resume" and the job can be
/// known again; else that mode is as "append". Nothing, where the
/// output is there already and there is nothing to do, which the user is told of. `plan` and
/// `sources` as for Identify; `physical` ends in a write. Reads the option "on_mismatch": "error"
/// or "restart" (see job_ledger.h). Fails as MakeSink, Sink::Start, Identify and JobLedger do.
Result<std::optional<JobOutput>> OpenOutput(const LogicalPlan& plan, const PhysicalPlan& physical,
                                            std::span<const std::unique_ptr<Source>> sources,
                                            const ReadLimits& limits, bool preserve_order);

}  // namespace penstock
