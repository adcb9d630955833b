#include "penstock/exec/stage_limits.h"

#include <algorithm>

namespace penstock {
namespace {

/// Row functions answer in batches of at most this many rows, so that rows flow on early.
constexpr int64_t kRowFunctionRowsMax = 16'384;

StageRole RoleOf(StageKind kind) {
  switch (kind) {
    case StageKind::kRead:
      return StageRole::kRead;
    case StageKind::kRegroup:
      return StageRole::kRegroup;
    case StageKind::kZip:
      return StageRole::kZip;
    case StageKind::kNative:
      return StageRole::kNative;
    case StageKind::kWork:
      return StageRole::kWork;
    case StageKind::kWrite:
      return StageRole::kWrite;
    case StageKind::kCollect:
      return StageRole::kCollect;
  }
  return StageRole::kCollect;
}

bool RunsRowFunctions(const FunctionsOp& op) {
  return std::none_of(op.functions.begin(), op.functions.end(), [](const FunctionSpec& function) {
    return function.kind == FunctionKind::kBatches;
  });
}

bool Filters(const Stage& stage) {
  return std::any_of(stage.transforms.begin(), stage.transforms.end(),
                     [](const LogicalOp& op) { return std::holds_alternative<FilterOp>(op); });
}

void SetWorkLimits(const FunctionsOp& op, int workers, StageLimits& limits) {
  limits.workers = workers;
  limits.in_flight_per_worker = op.options.in_flight_per_worker;
  limits.batch_rows = op.options.batch_rows.value_or(0);
  if (limits.batch_rows == 0 && RunsRowFunctions(op)) limits.batch_rows_max = kRowFunctionRowsMax;
}

}  // namespace

Result<std::vector<StageLimits>> LimitsOf(const PhysicalPlan& plan,
                                          std::span<const std::unique_ptr<Source>> sources,
                                          const Sink* sink, const ReadLimits& read,
                                          int native_threads) {
  std::vector<StageLimits> all;
  for (const Stage& stage : plan.stages) {
    StageLimits limits{.name = stage.name, .role = RoleOf(stage.kind)};
    limits.inputs.assign(stage.inputs.begin(), stage.inputs.end());
    limits.row_limit = stage.row_limit;
    limits.slots = native_threads;
    if (stage.kind == StageKind::kRead) {
      limits.block_bytes_estimate = read.block_bytes;
    }
    if (stage.functions) SetWorkLimits(*stage.functions, stage.workers, limits);
    if (stage.native) {
      limits.batch_rows = stage.native->batch_rows.value_or(0);
      if (stage.native->threads > 0) limits.slots = stage.native->threads;
    }
    if (stage.repartition) {
      limits.regroup_rows = stage.repartition->rows_per_block.value_or(0);
      limits.regroup_blocks = stage.repartition->blocks.value_or(0);
      const Stage& before = plan.stages[all.size() - 1];
      if (limits.regroup_blocks > 0 && before.kind == StageKind::kRead && !Filters(before)) {
        PENSTOCK_TRY(const std::optional<int64_t> rows, sources[all.size() - 1]->CountRows());
        if (rows) limits.rows_known = std::min(*rows, before.row_limit.value_or(*rows));
      }
    }
    if (stage.kind == StageKind::kWrite) {
      limits.rows_per_part_min = sink->rows_per_part_min();
      limits.rows_per_part_max = sink->rows_per_part_max();
      limits.bytes_per_part_min = sink->bytes_per_part_min();
      const int64_t steps_max = sink->steps_max();
      if (steps_max > 0)
        limits.slots = static_cast<int>(std::min<int64_t>(steps_max, limits.slots));
    }
    all.push_back(std::move(limits));
  }
  return all;
}

}  // namespace penstock
