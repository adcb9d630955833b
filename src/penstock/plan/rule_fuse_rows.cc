// fuse_rows: two neighbouring FunctionsOp become one when
//   - all functions of both work row by row (Map, FlatMap, Filter): what such a function sees does
//     not depend on how the rows are batched;
//   - neither is stateful;
//   - the upper one may not leave out a row that the lower one has made one of several of: the
//     whole row would be left out with it;
//   - their WorkerOptions are equal, so that one pool serves both as each asked.

#include <algorithm>

#include "penstock/plan/rule_list.h"

namespace penstock {
namespace {

bool WorksOnRows(const FunctionsOp& op) {
  return std::none_of(op.functions.begin(), op.functions.end(), [](const FunctionSpec& function) {
    return function.kind == FunctionKind::kBatches;
  });
}

bool MultipliesRows(const FunctionsOp& op) {
  return std::ranges::any_of(op.functions, [](const FunctionSpec& function) {
    return function.kind == FunctionKind::kFlatRow;
  });
}

bool CanFuse(const FunctionsOp& lower, const FunctionsOp& upper) {
  if (upper.options.errors.leave_rows_out() && MultipliesRows(lower)) return false;
  return !lower.options.stateful && lower.options == upper.options && WorksOnRows(lower) &&
         WorksOnRows(upper);
}

bool FuseRows(LogicalPlan& plan, const TraitsOf&) {
  bool changed = false;
  for (size_t i = 0; i + 1 < plan.ops.size();) {
    auto* lower = std::get_if<FunctionsOp>(&plan.ops[i]);
    const auto* upper = std::get_if<FunctionsOp>(&plan.ops[i + 1]);
    if (lower == nullptr || upper == nullptr || !CanFuse(*lower, *upper)) {
      ++i;
      continue;
    }
    lower->functions.insert(lower->functions.end(), upper->functions.begin(),
                            upper->functions.end());
    plan.ops.erase(plan.ops.begin() + static_cast<ptrdiff_t>(i) + 1);
    changed = true;
  }
  return changed;
}

}  // namespace

Rule FuseRowsRule() { return {"fuse_rows", FuseRows}; }

}  // namespace penstock
