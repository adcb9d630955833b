#pragma once

#include <vector>

#include "penstock/base/status.h"
#include "penstock/plan/physical.h"

namespace penstock {

/// The part of a plan that rows have before them which a stage was given.
struct RestOfPlan {
  PhysicalPlan plan;  // A stage that reads, and those from the given one on.
  std::vector<int>
      numbers;  // Of each in the whole plan; the reading one has that before the given.
};

/// Returns the stages that lead from stage `first`, with it, to the plan's last one, behind a
/// stage that does `read`. What other inputs of a union lead to is left out.
///
/// Invalid, naming the operator, where the result of these stages depends on rows that are not
/// read: for a limit, a zip, and samples and expressions that read rows' positions in the input.
Result<RestOfPlan> RestFrom(const PhysicalPlan& whole, int first, ReadOp read);

}  // namespace penstock
