#include "penstock/plan/split_order.h"

#include <variant>

#include "penstock/plan/expression_positions.h"

namespace penstock {

std::optional<LogicalPlan> WithSplitOrder(const LogicalPlan& plan, int64_t seed) {
  for (const LogicalOp& op : plan.ops) {
    if (std::holds_alternative<LimitOp>(op) || std::holds_alternative<RepartitionOp>(op) ||
        std::holds_alternative<SampleOp>(op) || std::holds_alternative<CombineOp>(op) ||
        ReadsPositionsIn(op)) {
      return std::nullopt;
    }
  }
  LogicalPlan changed = plan;
  std::get<ReadOp>(changed.ops.front()).order_seed = seed;
  return changed;
}

}  // namespace penstock
