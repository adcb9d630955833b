#pragma once

#include <string>
#include <vector>

#include "penstock/base/status.h"
#include "penstock/exec/retried_rows.h"
#include "penstock/plan/physical.h"
#include "penstock/source/source.h"

namespace penstock {

/// Checks that the stages of a plan, from the one that failed on, have the names that they had in
/// the job, `job_stages`. kJobChanged naming the stage that failed, and the one that is another.
Status CheckStages(const PhysicalPlan& plan, const std::vector<std::string>& job_stages,
                   const FailedStage& failed);

/// Checks that the stage that failed is given the columns that its letters have, where it is known
/// without running functions what it is given. kJobChanged naming stage and columns. The input
/// need not be there any more: then nothing is checked.
Status CheckColumns(const PhysicalPlan& plan, const FailedStage& failed, Source& letters,
                    const ReadLimits& limits);

}  // namespace penstock
