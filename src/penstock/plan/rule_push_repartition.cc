// push_repartition: Repartition(blocks=n) becomes the reader's `splits` when
//   - the reader can cut its rows anywhere and neither filters nor stops early, so that its splits
//     are the blocks wanted;
//   - only Project, Drop and Rename stand between the two.
// Repartition(rows_per_block=n) stays: its last block is smaller, which splits are not.

#include "penstock/plan/rule_list.h"

namespace penstock {
namespace {

bool PushRepartition(LogicalPlan& plan, const TraitsOf& traits_of) {
  auto* read = plan.ops.empty() ? nullptr : std::get_if<ReadOp>(&plan.ops[0]);
  if (read == nullptr || read->filter || read->row_limit) return false;
  size_t index = 1;
  while (index < plan.ops.size() && OnlyColumns(plan.ops[index])) ++index;
  if (index == plan.ops.size()) return false;
  const auto* repartition = std::get_if<RepartitionOp>(&plan.ops[index]);
  if (repartition == nullptr || !repartition->blocks || !traits_of(read->kind).splits_freely) {
    return false;
  }
  read->splits = repartition->blocks;
  plan.ops.erase(plan.ops.begin() + static_cast<ptrdiff_t>(index));
  return true;
}

}  // namespace

Rule PushRepartitionRule() { return {"push_repartition", PushRepartition}; }

}  // namespace penstock
