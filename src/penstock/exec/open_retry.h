#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "penstock/base/status.h"
#include "penstock/exec/retried_rows.h"
#include "penstock/exec/write_runner.h"
#include "penstock/plan/logical.h"
#include "penstock/plan/physical.h"
#include "penstock/source/source.h"

namespace penstock {

/// Which dead letters are to be run again: those of one stage, beside an output of this machine.
struct RowsToRetry {
  std::string folder;
  StageIndex stage = 0;
};

/// A job that runs rows again which an earlier one has left out: the rest of that one's plan, into
/// its output. All of it becomes visible with one commit, which takes the rows' letters away.
struct RetryJob {
  PhysicalPlan plan;
  std::vector<std::unique_ptr<Source>> sources;  // By stage.
  JobOutput output;
  RetriedRows rows;
};

/// Opens such a job. `plan` is the earlier one's without its last operator, which is in the ledger;
/// its functions may be others. Nothing where the stage has no letters; what an earlier run was
/// cut off at is done all the same.
///
/// kMissingPath where no job keeps a ledger, Invalid where one is not done, kOutputTaken where
/// another process writes; kJobChanged, naming the stage, where stages that have letters, or those
/// after them, are others than the plan's, or had other columns given to them. As RestFrom.
Result<std::optional<RetryJob>> OpenRetry(const LogicalPlan& plan, const RowsToRetry& retry,
                                          const ReadLimits& limits,
                                          const MachineResources& machine);

}  // namespace penstock
