// push_limit: a LimitOp
//   - sinks below Project, Drop, Rename and Assign;
//   - sinks below functions that are all one row to one row: Map, and MapBatches with keeps_rows;
//     never below FlatMap, Filter or any other MapBatches;
//   - sinks below Repartition(rows_per_block=n), whose blocks stay as they were, and below
//     Repartition(blocks=n) when no function comes after, since its blocks do not;
//   - never sinks below a FilterOp or a SampleOp;
//   - merges with a LimitOp below it: the smaller stays;
//   - cuts each input of a Union or Zip below it to as many rows, and stays;
//   - just above the reader, tells it: row_limit. Not when the reader filters, since it might count
//     rows before the filter, nor when its splits are blocks that a repartition asked for, since it
//     might cut only the rows within the limit. The LimitOp stays: readers of several splits only
//     stop early.

#include <algorithm>

#include "penstock/plan/rule_list.h"

namespace penstock {
namespace {

bool FunctionsKeepRows(const FunctionsOp& op) {
  if (op.options.errors.leave_rows_out()) return false;
  return std::all_of(op.functions.begin(), op.functions.end(), [](const FunctionSpec& function) {
    return function.kind == FunctionKind::kRow ||
           (function.kind == FunctionKind::kBatches && function.keeps_rows);
  });
}

bool FunctionsAfter(const LogicalPlan& plan, size_t index) {
  return std::any_of(
      plan.ops.begin() + static_cast<ptrdiff_t>(index), plan.ops.end(), [](const LogicalOp& op) {
        return std::holds_alternative<FunctionsOp>(op) || std::holds_alternative<NativeOp>(op);
      });
}

bool CanSink(const LogicalPlan& plan, size_t limit_index) {
  const LogicalOp& below = plan.ops[limit_index - 1];
  if (const auto* functions = std::get_if<FunctionsOp>(&below)) {
    return FunctionsKeepRows(*functions);
  }
  if (const auto* native = std::get_if<NativeOp>(&below)) return native->keeps_each_row();
  if (const auto* repartition = std::get_if<RepartitionOp>(&below)) {
    return repartition->rows_per_block.has_value() || !FunctionsAfter(plan, limit_index);
  }
  return KeepsRows(below);
}

bool TellReader(LogicalPlan& plan, const LimitOp& limit, const TraitsOf& traits_of) {
  auto* read = std::get_if<ReadOp>(&plan.ops[0]);
  if (read == nullptr || read->filter) return false;
  if (read->splits && traits_of(read->kind).splits_freely) return false;
  if (read->row_limit && *read->row_limit <= limit.rows) return false;
  read->row_limit = limit.rows;
  return true;
}

bool CutInputs(LogicalPlan& plan, size_t limit_index) {
  const LimitOp limit = std::get<LimitOp>(plan.ops[limit_index]);
  auto* combine = std::get_if<CombineOp>(&plan.ops[limit_index - 1]);
  if (combine == nullptr || combine->row_limit.value_or(INT64_MAX) <= limit.rows) return false;
  combine->row_limit = limit.rows;
  for (std::shared_ptr<const LogicalPlan>& other : combine->others) {
    LogicalPlan cut = *other;
    cut.ops.emplace_back(limit);
    other = std::make_shared<const LogicalPlan>(std::move(cut));
  }
  const auto place = static_cast<ptrdiff_t>(limit_index) - 1;
  plan.ops.emplace_back(limit);
  std::rotate(plan.ops.begin() + place, plan.ops.end() - 1, plan.ops.end());
  return true;
}

bool PushLimit(LogicalPlan& plan, const TraitsOf& traits_of) {
  bool changed = false;
  for (size_t i = 1; i < plan.ops.size();) {
    const auto* limit = std::get_if<LimitOp>(&plan.ops[i]);
    if (limit == nullptr) {
      ++i;
    } else if (auto* below = std::get_if<LimitOp>(&plan.ops[i - 1])) {
      below->rows = std::min(below->rows, limit->rows);
      plan.ops.erase(plan.ops.begin() + static_cast<ptrdiff_t>(i));
      changed = true;
      --i;
    } else if (CanSink(plan, i)) {
      std::swap(plan.ops[i - 1], plan.ops[i]);
      changed = true;
      --i;
    } else if (CutInputs(plan, i)) {
      changed = true;
      --i;  // The limit on the first input.
    } else {
      if (i == 1) changed |= TellReader(plan, *limit, traits_of);
      ++i;
    }
  }
  return changed;
}

}  // namespace

Rule PushLimitRule() { return {"push_limit", PushLimit}; }

}  // namespace penstock
