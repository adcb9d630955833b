#include "penstock/exec/dispatcher_machine.h"

namespace penstock::dispatch {
namespace {

Status AtLeast(const std::string& stage, const char* field, int64_t least, int64_t value) {
  if (value >= least) return Status::OK();
  return Status::Invalid("Stage '", stage, "': ", field, " must be at least ", least,
                         "; got: ", value);
}

Status CheckBatches(const StageLimits& stage) {
  PENSTOCK_RETURN_NOT_OK(AtLeast(stage.name, "batch_rows", 0, stage.batch_rows));
  PENSTOCK_RETURN_NOT_OK(AtLeast(stage.name, "failed_rows_max", -1, stage.failed_rows_max));
  PENSTOCK_RETURN_NOT_OK(AtLeast(stage.name, "failed_batches_max", -1, stage.failed_batches_max));
  return AtLeast(stage.name, "batch_rows_max", 0, stage.batch_rows_max);
}

Status CheckWork(const StageLimits& stage) {
  PENSTOCK_RETURN_NOT_OK(AtLeast(stage.name, "workers", 1, stage.workers));
  PENSTOCK_RETURN_NOT_OK(
      AtLeast(stage.name, "in_flight_per_worker", 1, stage.in_flight_per_worker));
  PENSTOCK_RETURN_NOT_OK(AtLeast(stage.name, "workers_min", 0, stage.workers_min));
  PENSTOCK_RETURN_NOT_OK(AtLeast(stage.name, "workers", stage.workers_min, stage.workers));
  PENSTOCK_RETURN_NOT_OK(AtLeast(stage.name, "workers", stage.workers_initial, stage.workers));
  PENSTOCK_RETURN_NOT_OK(AtLeast(stage.name, "max_build_tries", 1, stage.max_build_tries));
  PENSTOCK_RETURN_NOT_OK(AtLeast(stage.name, "max_build_deaths", 1, stage.max_build_deaths));
  PENSTOCK_RETURN_NOT_OK(
      AtLeast(stage.name, "max_batches_per_worker", 0, stage.max_batches_per_worker));
  return CheckBatches(stage);
}

Status CheckRegroup(const StageLimits& stage) {
  PENSTOCK_RETURN_NOT_OK(AtLeast(stage.name, "regroup_rows", 0, stage.regroup_rows));
  PENSTOCK_RETURN_NOT_OK(AtLeast(stage.name, "regroup_blocks", 0, stage.regroup_blocks));
  if (stage.regroup_rows > 0 && stage.regroup_blocks > 0) {
    return Status::Invalid("Stage '", stage.name,
                           "': set at most one of regroup_rows and regroup_blocks; got: ",
                           stage.regroup_rows, " and ", stage.regroup_blocks);
  }
  return Status::OK();
}

/// Returns the amount with one digit behind the point.
std::string Amount(double amount) {
  const auto tenths = static_cast<int64_t>(amount * 10 + 0.5);
  return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10);
}

/// Refuses workers that not even the whole machine could hold: they would be waited for for ever.
Status CheckNeeds(const StageLimits& stage, const std::vector<ResourceLimit>& resources) {
  for (size_t index = 0; index < stage.needs.size(); ++index) {
    const double available = index < resources.size() ? resources[index].amount : 0;
    if (stage.needs[index] <= available) continue;
    return Status::Invalid("Stage '", stage.name, "': a worker needs more than there is of ",
                           index < resources.size() ? resources[index].name : "a resource", ": ",
                           Amount(stage.needs[index]), " of ", Amount(available));
  }
  return Status::OK();
}

Status CheckWindows(const std::vector<StageLimits>& stages, const StageLimits& stage) {
  PENSTOCK_RETURN_NOT_OK(AtLeast(stage.name, "window_rows", 0, stage.window_rows));
  if (stage.restored_by < 0) return Status::OK();
  const auto restorer = static_cast<size_t>(stage.restored_by);
  const bool fits = stage.window_rows > 0 && restorer < stages.size() &&
                    stages[restorer].role == StageRole::kRegroup &&
                    stages[restorer].regroup_rows + stages[restorer].regroup_blocks == 0;
  if (fits) return Status::OK();
  return Status::Invalid("Stage '", stage.name,
                         "': restored_by must name a regrouping stage after it that asks for "
                         "neither rows nor blocks; got: ",
                         stage.restored_by);
}

Status CheckWrite(const StageLimits& stage) {
  PENSTOCK_RETURN_NOT_OK(AtLeast(stage.name, "rows_per_part_min", 0, stage.rows_per_part_min));
  PENSTOCK_RETURN_NOT_OK(AtLeast(stage.name, "rows_per_part_max", 0, stage.rows_per_part_max));
  PENSTOCK_RETURN_NOT_OK(AtLeast(stage.name, "bytes_per_part_min", 0, stage.bytes_per_part_min));
  if (stage.rows_per_part_max == 0) return Status::OK();
  return AtLeast(stage.name, "rows_per_part_max", stage.rows_per_part_min, stage.rows_per_part_max);
}

/// Refuses stages that mix the rows of chunks where these are committed one by one.
Status CheckCommits(const std::vector<StageLimits>& stages, bool preserve_order) {
  if (!stages.back().commits_chunks) return Status::OK();
  for (const StageLimits& stage : stages) {
    if (!MixesChunks(stage, preserve_order)) continue;
    return Status::Invalid("Stage '", stage.name,
                           "' mixes the rows of chunks, which commits_chunks forbids");
  }
  return Status::OK();
}

Status CheckStage(const StageLimits& stage, bool is_last) {
  const bool ends = stage.role == StageRole::kWrite || stage.role == StageRole::kCollect;
  if (ends != is_last) {
    return Status::Invalid("The last stage and no other must write or collect; not so at stage: ",
                           stage.name);
  }
  if (stage.role != StageRole::kWork) {
    PENSTOCK_RETURN_NOT_OK(AtLeast(stage.name, "slots", 1, stage.slots));
  }
  PENSTOCK_RETURN_NOT_OK(
      AtLeast(stage.name, "block_bytes_estimate", 0, stage.block_bytes_estimate));
  PENSTOCK_RETURN_NOT_OK(AtLeast(stage.name, "row_limit", 0, stage.row_limit.value_or(0)));
  switch (stage.role) {
    case StageRole::kNative:
      return CheckBatches(stage);
    case StageRole::kWork:
      return CheckWork(stage);
    case StageRole::kRegroup:
      return CheckRegroup(stage);
    case StageRole::kWrite:
      return CheckWrite(stage);
    case StageRole::kRead:
    case StageRole::kZip:
    case StageRole::kCollect:
      return Status::OK();
  }
  return Status::OK();
}

/// Checks that the stages make one tree whose branches lie one after the other; adds to `firsts`
/// the first stage that leads to this one.
Status CheckInputs(const std::vector<StageLimits>& stages, size_t index,
                   std::vector<StageIndex>& firsts, bool preserve_order) {
  const StageLimits& stage = stages[index];
  const bool takes_several = stage.role == StageRole::kRegroup || stage.role == StageRole::kZip;
  const bool reads = stage.role == StageRole::kRead;
  if (reads != stage.inputs.empty() || (stage.inputs.size() > 1 && !takes_several)) {
    return Status::Invalid("Stage '", stage.name,
                           "' cannot have this many inputs; got: ", stage.inputs.size());
  }
  if (stage.role == StageRole::kZip && !preserve_order) {
    return Status::Invalid("Stage '", stage.name, "' needs preserve_order");
  }
  auto expected = static_cast<StageIndex>(index);
  for (size_t input = stage.inputs.size(); input-- > 0;) {
    if (expected == 0 || stage.inputs[input] != expected - 1) {
      return Status::Invalid("Stage '", stage.name, "': its inputs must lie right before it, one ",
                             "branch after the other; got: ", stage.inputs[input]);
    }
    expected = firsts[static_cast<size_t>(stage.inputs[input])];
  }
  firsts.push_back(expected);
  const bool is_last = index + 1 == stages.size();
  if (is_last && expected != 0) {
    return Status::Invalid("Stage '", stage.name, "': some stages do not lead to it");
  }
  return Status::OK();
}

}  // namespace

Status CheckLimits(const std::vector<StageLimits>& stages, const DispatcherLimits& limits) {
  if (stages.size() < 2) {
    return Status::Invalid("A job needs a stage that reads and one that writes or collects; got: ",
                           stages.size(), " stages");
  }
  PENSTOCK_RETURN_NOT_OK(AtLeast("*", "budget_bytes", 1, limits.budget_bytes));
  PENSTOCK_RETURN_NOT_OK(AtLeast("*", "native_threads", 1, limits.native_threads));
  PENSTOCK_RETURN_NOT_OK(AtLeast("*", "window_tasks", 1, limits.window_tasks));
  PENSTOCK_RETURN_NOT_OK(AtLeast("*", "splits_ahead", 1, limits.splits_ahead));
  std::vector<StageIndex> firsts;
  for (size_t index = 0; index < stages.size(); ++index) {
    PENSTOCK_RETURN_NOT_OK(CheckStage(stages[index], index + 1 == stages.size()));
    PENSTOCK_RETURN_NOT_OK(CheckNeeds(stages[index], limits.resources));
    PENSTOCK_RETURN_NOT_OK(CheckWindows(stages, stages[index]));
    PENSTOCK_RETURN_NOT_OK(CheckInputs(stages, index, firsts, limits.preserve_order));
  }
  return CheckCommits(stages, limits.preserve_order);
}

}  // namespace penstock::dispatch

namespace penstock {

bool MixesChunks(const StageLimits& stage, bool preserve_order) {
  const bool batches = stage.role == StageRole::kWork || stage.role == StageRole::kNative;
  const bool gathers = stage.rows_per_part_min > 0 || stage.bytes_per_part_min > 0;
  return stage.row_limit || stage.role == StageRole::kZip || stage.regroup_rows > 0 ||
         stage.regroup_blocks > 0 || stage.part_ends_with_block ||
         (batches && !stage.batch_in_chunk) || (gathers && !preserve_order);
}

}  // namespace penstock
