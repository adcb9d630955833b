#include "penstock/exec/dispatcher_machine.h"

namespace penstock::dispatch {
namespace {

Status AtLeast(const std::string& stage, const char* field, int64_t least, int64_t value) {
  if (value >= least) return Status::OK();
  return Status::Invalid("Stage '", stage, "': ", field, " must be at least ", least,
                         "; got: ", value);
}

Status CheckWork(const StageLimits& stage) {
  PENSTOCK_RETURN_NOT_OK(AtLeast(stage.name, "workers", 1, stage.workers));
  PENSTOCK_RETURN_NOT_OK(
      AtLeast(stage.name, "in_flight_per_worker", 1, stage.in_flight_per_worker));
  PENSTOCK_RETURN_NOT_OK(AtLeast(stage.name, "batch_rows", 0, stage.batch_rows));
  return AtLeast(stage.name, "batch_rows_max", 0, stage.batch_rows_max);
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

Status CheckWrite(const StageLimits& stage) {
  PENSTOCK_RETURN_NOT_OK(AtLeast(stage.name, "rows_per_part_min", 0, stage.rows_per_part_min));
  PENSTOCK_RETURN_NOT_OK(AtLeast(stage.name, "rows_per_part_max", 0, stage.rows_per_part_max));
  if (stage.rows_per_part_max == 0) return Status::OK();
  return AtLeast(stage.name, "rows_per_part_max", stage.rows_per_part_min, stage.rows_per_part_max);
}

Status CheckStage(const StageLimits& stage, bool is_first, bool is_last) {
  const bool reads = stage.role == StageRole::kRead;
  const bool ends = stage.role == StageRole::kWrite || stage.role == StageRole::kCollect;
  if (reads != is_first || ends != is_last) {
    return Status::Invalid(
        "The first stage and no other must read, the last and no other write or collect; "
        "not so at stage: ",
        stage.name);
  }
  if (stage.role != StageRole::kWork) {
    PENSTOCK_RETURN_NOT_OK(AtLeast(stage.name, "slots", 1, stage.slots));
  }
  PENSTOCK_RETURN_NOT_OK(
      AtLeast(stage.name, "block_bytes_estimate", 0, stage.block_bytes_estimate));
  PENSTOCK_RETURN_NOT_OK(AtLeast(stage.name, "row_limit", 0, stage.row_limit.value_or(0)));
  switch (stage.role) {
    case StageRole::kWork:
      return CheckWork(stage);
    case StageRole::kRegroup:
      return CheckRegroup(stage);
    case StageRole::kWrite:
      return CheckWrite(stage);
    case StageRole::kRead:
    case StageRole::kCollect:
      return Status::OK();
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
  for (size_t index = 0; index < stages.size(); ++index) {
    PENSTOCK_RETURN_NOT_OK(CheckStage(stages[index], index == 0, index + 1 == stages.size()));
  }
  return Status::OK();
}

}  // namespace penstock::dispatch
