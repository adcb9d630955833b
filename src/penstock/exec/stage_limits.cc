#include "penstock/exec/stage_limits.h"

#include <algorithm>
#include <limits>

#include "penstock/exec/retry_rules.h"

namespace penstock {
namespace {

/// Row functions answer in batches of at most this many rows, so that rows flow on early.
constexpr int64_t kRowFunctionRowsMax = 16'384;

// The order of the resources that every job has; its own kinds follow.
constexpr size_t kProcessors = 0;
constexpr size_t kGpus = 1;
constexpr size_t kMemory = 2;
constexpr size_t kFirstOther = 3;

StageRole RoleOf(StageKind kind) {
  switch (kind) {
    case StageKind::kRead:
      return StageRole::kRead;
    case StageKind::kRegroup:
    case StageKind::kWindow:
    case StageKind::kRestore:
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

int64_t NanosecondsOf(int64_t milliseconds) {
  return std::min(milliseconds, std::numeric_limits<int64_t>::max() / 1'000'000) * 1'000'000;
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

/// What one worker needs, by the order of LimitsOf(MachineResources).
std::vector<double> NeedsOf(const WorkerOptions& options, int workers,
                            const std::vector<ResourceLimit>& job) {
  std::vector<double> needs(job.size(), 0.0);
  needs[kProcessors] = options.processors.value_or(0);
  needs[kGpus] = options.gpus;
  needs[kMemory] = static_cast<double>(options.memory_bytes);
  for (size_t index = kFirstOther; index < job.size(); ++index) {
    needs[index] = options.resources.value(job[index].name, 0.0);
  }
  if (std::ranges::all_of(needs, [](double need) { return need == 0; })) return {};
  // Threads of one process need together what a process does.
  if (options.threads) {
    for (double& need : needs) need /= std::max(1, workers);
  }
  return needs;
}

void SetFailureLimits(const ErrorOptions& errors, StageLimits& limits) {
  limits.isolates_failures = errors.leave_rows_out();
  limits.failed_rows_max = errors.max_errors;
  limits.failed_batches_max = errors.max_errored_batches;
  limits.failed_share_max = errors.max_error_share;
}

void SetWorkLimits(const Stage& stage, const std::vector<ResourceLimit>& resources,
                   StageLimits& limits) {
  const FunctionsOp& op = *stage.functions;
  const WorkerOptions& options = op.options;
  limits.workers = stage.workers;
  limits.workers_min = stage.workers_min;
  limits.workers_initial = stage.workers_initial;
  limits.in_flight_per_worker = options.in_flight_per_worker;
  limits.needs = NeedsOf(options, stage.workers, resources);
  limits.max_restarts = options.max_restarts;
  limits.retries = BudgetsOf(options);
  limits.max_build_kills = options.retries.max_build_kills;
  limits.max_build_tries = options.max_build_tries;
  SetFailureLimits(options.errors, limits);
  limits.batch_timeout_ns = NanosecondsOf(options.batch_timeout_ms);
  limits.threads = options.threads;
  limits.max_batches_per_worker = options.max_batches_per_worker;
  limits.overlaps_successor = options.gpus == 0 && !options.threads;
  if (options.by_length) return;  // The blocks that come are the batches.
  limits.grows_batches = options.grows_batches;
  limits.batch_rows = options.batch_rows.value_or(0);
  if (limits.batch_rows == 0 && RunsRowFunctions(op)) limits.batch_rows_max = kRowFunctionRowsMax;
}

/// Whether each row that comes in makes one row or none, but for those that fail.
bool OnlyFilters(const Stage& stage) {
  if (stage.row_limit || stage.kind == StageKind::kZip) return false;
  if (stage.native) return stage.native->keeps_rows;
  if (!stage.functions) return true;
  return std::ranges::all_of(stage.functions->functions, [](const FunctionSpec& function) {
    return function.keeps_rows || function.kind == FunctionKind::kRow ||
           function.kind == FunctionKind::kFilterRow;
  });
}

}  // namespace

std::vector<ResourceLimit> LimitsOf(const MachineResources& machine) {
  std::vector<ResourceLimit> limits(kFirstOther);
  limits[kProcessors] = {"processors", static_cast<double>(machine.processors)};
  limits[kGpus] = {"GPUs", machine.gpus};
  limits[kMemory] = {"memory", static_cast<double>(machine.memory_bytes)};
  for (const auto& [name, amount] : machine.others) limits.push_back({name, amount});
  return limits;
}

Result<std::vector<StageLimits>> LimitsOf(const PhysicalPlan& plan,
                                          std::span<const std::unique_ptr<Source>> sources,
                                          const Sink* sink, bool commits_chunks,
                                          const ReadLimits& read, const DispatcherLimits& job) {
  std::vector<StageLimits> all;
  for (const Stage& stage : plan.stages) {
    StageLimits limits{.name = stage.name, .role = RoleOf(stage.kind)};
    limits.inputs.assign(stage.inputs.begin(), stage.inputs.end());
    limits.row_limit = stage.row_limit;
    limits.slots = job.native_threads;
    if (stage.kind == StageKind::kRead) {
      limits.block_bytes_estimate = read.block_bytes;
      const int64_t at_once = stage.read->splits_at_once.value_or(limits.slots);
      limits.slots = static_cast<int>(std::min<int64_t>(at_once, limits.slots));
    }
    if (stage.functions) SetWorkLimits(stage, job.resources, limits);
    if (stage.kind == StageKind::kWindow) {
      limits.window_rows = stage.window->rows;
      limits.slots = 1;  // Each holds a copy of its window.
      // The stage of the functions lies between; without order nothing is restored.
      if (job.preserve_order) limits.restored_by = static_cast<StageIndex>(all.size()) + 2;
    }
    if (stage.native) {
      limits.batch_rows = stage.native->batch_rows.value_or(0);
      if (stage.native->threads > 0) limits.slots = stage.native->threads;
      SetFailureLimits(stage.native->errors, limits);
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
      const std::optional<RepartitionOp>& cut = plan.stages[stage.inputs.back()].repartition;
      limits.part_ends_with_block = cut && (cut->blocks || cut->rows_per_block);
      const int64_t steps_max = sink->steps_max();
      if (steps_max > 0)
        limits.slots = static_cast<int>(std::min<int64_t>(steps_max, limits.slots));
    }
    all.push_back(std::move(limits));
  }
  for (size_t index = 0; index + 1 < all.size(); ++index) {
    all[index].only_filters = OnlyFilters(plan.stages[index]);
  }
  all.back().commits_chunks =
      commits_chunks && std::ranges::none_of(all, [&job](const StageLimits& stage) {
        return MixesChunks(stage, job.preserve_order);
      });
  return all;
}

}  // namespace penstock
