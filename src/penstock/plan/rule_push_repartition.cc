// push_repartition: Repartition(blocks=n) also becomes the reader's `splits` when
//   - the reader can cut its rows anywhere and neither filters nor stops early, so that its splits
//     are the blocks wanted, and need no copy to be joined or cut;
//   - only Project, Drop, Rename and Assign stand between the two.
// It stays where it is, since a split larger than a block is read as several. For
// Repartition(rows_per_block=n) nothing is done: its last block is smaller, which splits are not.

#include "penstock/plan/rule_list.h"

namespace penstock {
namespace {

bool PushRepartition(LogicalPlan& plan, const TraitsOf& traits_of) {
  auto* read = plan.ops.empty() ? nullptr : std::get_if<ReadOp>(&plan.ops[0]);
  if (read == nullptr || read->filter || read->row_limit) return false;
  size_t index = 1;
  while (index < plan.ops.size() && KeepsRows(plan.ops[index])) ++index;
  if (index == plan.ops.size()) return false;
  const auto* repartition = std::get_if<RepartitionOp>(&plan.ops[index]);
  if (repartition == nullptr || !repartition->blocks || !traits_of(read->kind).splits_freely) {
    return false;
  }
  if (read->splits == repartition->blocks) return false;
  read->splits = repartition->blocks;
  return true;
}

}  // namespace

Rule PushRepartitionRule() { return {"push_repartition", PushRepartition}; }

}  // namespace penstock
