#include "exec/simulated_job.h"

#include <algorithm>

namespace penstock {
namespace {

class Dice {
 public:
  explicit Dice(uint64_t seed) : random_(seed * 0x9e3779b97f4a7c15ULL + 1) {}

  int64_t Between(int64_t least, int64_t most) {
    return least + static_cast<int64_t>(random_() % static_cast<uint64_t>(most - least + 1));
  }
  bool OneIn(int64_t n) { return Between(1, n) == 1; }

  template <typename T>
  T Pick(const std::vector<T>& values) {
    return values[Between(0, static_cast<int64_t>(values.size()) - 1)];
  }

 private:
  std::mt19937_64 random_;
};

void MakeSplits(Dice& dice, SimulatedJob& job) {
  const int64_t splits = dice.OneIn(20) ? 0 : dice.Between(1, dice.Pick<int64_t>({2, 8, 40, 120}));
  const int64_t blocks_max = dice.Pick<int64_t>({1, 1, 3, 8});
  const int64_t rows_max = dice.Pick<int64_t>({1, 3, 20, 60});
  const int64_t rows_min = dice.OneIn(3) ? 0 : 1;
  const bool chunks = dice.OneIn(2);
  int64_t chunk = 0;
  for (int64_t split = 0; split < splits; ++split) {
    if (chunks && split > 0 && dice.OneIn(3)) ++chunk;
    SimulatedSplit made{.chunk = chunk, .says_rows = dice.OneIn(2)};
    const int64_t blocks = dice.Between(dice.OneIn(10) ? 0 : 1, blocks_max);
    for (int64_t block = 0; block < blocks; ++block) {
      made.block_rows.push_back(dice.Between(rows_min, rows_max));
    }
    job.splits.push_back(std::move(made));
  }
}

SimulatedStage MakeStage(Dice& dice, StageRole role) {
  SimulatedStage stage;
  stage.limits.role = role;
  stage.step_ns_max = dice.Pick<int64_t>({1, 100, 1000, 1000, 20'000});
  stage.bytes_per_row = dice.Pick<int64_t>({0, 1, 8, 8, 100});
  stage.bytes_per_block = dice.Pick<int64_t>({0, 0, 64});
  stage.limits.block_bytes_estimate = dice.Pick<int64_t>({0, 64, 1000, 1000, 100'000});
  stage.limits.slots = static_cast<int>(dice.Between(1, 4));
  stage.ends_with_empty_step = dice.OneIn(3);
  const bool yields = role != StageRole::kWrite && role != StageRole::kCollect;
  if (yields && dice.OneIn(4)) stage.keep_percent = dice.Pick<int>({0, 10, 50, 90});
  if (dice.OneIn(6)) {
    stage.limits.row_limit = dice.Pick<int64_t>({0, 1, dice.Between(1, 50), dice.Between(1, 500)});
  }
  return stage;
}

SimulatedStage MakeWork(Dice& dice) {
  SimulatedStage stage = MakeStage(dice, StageRole::kWork);
  stage.limits.workers = static_cast<int>(dice.Between(1, 4));
  stage.limits.in_flight_per_worker = static_cast<int>(dice.Between(1, 3));
  stage.limits.batch_rows = dice.Pick<int64_t>({0, 1, dice.Between(1, 10), dice.Between(1, 80)});
  if (stage.limits.batch_rows == 0 && dice.OneIn(2)) {
    stage.limits.batch_rows_max = dice.Between(1, 20);
  }
  stage.limits.batch_in_chunk = !dice.OneIn(3);
  if (dice.OneIn(3)) stage.blocks_per_task_max = static_cast<int>(dice.Between(2, 5));
  if (dice.OneIn(6)) stage.copies = 2;
  return stage;
}

SimulatedStage MakeRegroup(Dice& dice) {
  SimulatedStage stage = MakeStage(dice, StageRole::kRegroup);
  stage.ends_with_empty_step = false;
  if (dice.OneIn(2)) {
    stage.limits.regroup_rows = dice.Between(1, 50);
  } else if (!dice.OneIn(4)) {
    stage.limits.regroup_blocks = dice.Between(1, 50);
  }
  return stage;
}

SimulatedStage MakeEnd(Dice& dice) {
  SimulatedStage stage = MakeStage(dice, dice.OneIn(2) ? StageRole::kWrite : StageRole::kCollect);
  stage.ends_with_empty_step = false;
  if (stage.limits.role == StageRole::kWrite) {
    if (dice.OneIn(3)) stage.limits.rows_per_part_min = dice.Between(1, 40);
    if (dice.OneIn(3)) {
      stage.limits.rows_per_part_max = stage.limits.rows_per_part_min + dice.Between(1, 40);
    }
  }
  return stage;
}

void MakeStages(Dice& dice, SimulatedJob& job) {
  job.stages.push_back(MakeStage(dice, StageRole::kRead));
  const int64_t middle = dice.Between(0, 4);
  for (int64_t index = 0; index < middle; ++index) {
    job.stages.push_back(dice.OneIn(4) ? MakeRegroup(dice) : MakeWork(dice));
  }
  job.stages.push_back(MakeEnd(dice));
  for (size_t index = 0; index < job.stages.size(); ++index) {
    StageLimits& limits = job.stages[index].limits;
    limits.name = "stage " + std::to_string(index);
    if (limits.regroup_blocks > 0 && index == 1 && job.stages[0].preserves_rows() &&
        dice.OneIn(2)) {
      int64_t rows = 0;
      for (const SimulatedSplit& split : job.splits) {
        for (const int64_t block : split.block_rows) rows += block;
      }
      limits.rows_known = std::min(rows, job.stages[0].limits.row_limit.value_or(rows));
    }
  }
}

/// Returns bytes within which every batch can surely be gathered.
int64_t AmpleBudget(const SimulatedJob& job) {
  int64_t rows = 0;
  for (const SimulatedSplit& split : job.splits) {
    for (const int64_t block : split.block_rows) rows += block + 1;
  }
  int64_t bytes = 1;
  for (const SimulatedStage& stage : job.stages) {
    rows *= stage.copies;
    bytes += rows * (stage.bytes_per_row + stage.bytes_per_block * stage.blocks_per_task_max) +
             stage.limits.block_bytes_estimate;
  }
  return bytes;
}

void MakeLimits(Dice& dice, SimulatedJob& job) {
  job.limits.native_threads = static_cast<int>(dice.Between(1, 4));
  job.limits.preserve_order = !dice.OneIn(3);
  job.limits.window_tasks = dice.Pick<int64_t>({1, 2, 8, 1024});
  job.limits.splits_ahead = dice.Pick<int64_t>({1, 2, 16, 1024});
  job.budget_is_ample = dice.OneIn(3);
  job.limits.budget_bytes =
      job.budget_is_ample ? AmpleBudget(job) : dice.Pick<int64_t>({1, 100, 1000, 10'000, 100'000});
}

}  // namespace

SimulatedJob MakeSimulatedJob(uint64_t seed) {
  Dice dice(seed);
  SimulatedJob job{.seed = seed};
  MakeSplits(dice, job);
  MakeStages(dice, job);
  MakeLimits(dice, job);
  if (dice.OneIn(4)) {
    job.fault =
        dice.Pick<Fault>({Fault::kTaskFails, Fault::kWorkerDies, Fault::kJobFails, Fault::kCancel});
    job.fault_after_events = dice.Between(0, dice.Pick<int64_t>({5, 50, 500}));
  }
  job.consumer_ns_max = dice.Pick<int64_t>({0, 1000, 50'000});
  job.worker_start_ns_max = dice.Pick<int64_t>({0, 1000, 200'000});
  job.listing_ns_max = dice.Pick<int64_t>({0, 1000, 50'000});
  job.kills_busy_workers = dice.OneIn(2);
  return job;
}

bool KeepsRow(const SimulatedJob& job, StageIndex stage, int64_t row) {
  const uint64_t mixed =
      (static_cast<uint64_t>(row) * 64 + static_cast<uint64_t>(stage)) * 0x9e3779b97f4a7c15ULL;
  return static_cast<int>((mixed >> 33) % 100) < job.stages[stage].keep_percent;
}

std::vector<int64_t> ExpectedRows(const SimulatedJob& job, bool with_limits) {
  std::vector<int64_t> rows;
  int64_t next = 0;
  for (const SimulatedSplit& split : job.splits) {
    for (const int64_t count : split.block_rows) {
      for (int64_t row = 0; row < count; ++row) rows.push_back(next++);
    }
  }
  for (size_t index = 0; index < job.stages.size(); ++index) {
    const SimulatedStage& stage = job.stages[index];
    std::vector<int64_t> after;
    for (const int64_t row : rows) {
      if (!KeepsRow(job, static_cast<StageIndex>(index), row)) continue;
      after.insert(after.end(), stage.copies, row);
    }
    const int64_t size = static_cast<int64_t>(after.size());
    if (with_limits) after.resize(std::min(size, stage.limits.row_limit.value_or(size)));
    rows = std::move(after);
  }
  return rows;
}

std::string SimulatedJob::ToString() const {
  std::string text =
      "seed " + std::to_string(seed) + ": budget " + std::to_string(limits.budget_bytes) +
      ", threads " + std::to_string(limits.native_threads) + ", ordered " +
      std::to_string(limits.preserve_order) + ", window " + std::to_string(limits.window_tasks) +
      ", splits ahead " + std::to_string(limits.splits_ahead) + ", splits " +
      std::to_string(splits.size()) + ", fault " + std::to_string(static_cast<int>(fault)) + "\n";
  for (const SimulatedStage& stage : stages) {
    const StageLimits& one = stage.limits;
    text +=
        "  role " + std::to_string(static_cast<int>(one.role)) + " batch " +
        std::to_string(one.batch_rows) + "/" + std::to_string(one.batch_rows_max) + " in chunk " +
        std::to_string(one.batch_in_chunk) + " regroup " + std::to_string(one.regroup_rows) + "/" +
        std::to_string(one.regroup_blocks) + " known " + std::to_string(one.rows_known) +
        " limit " + std::to_string(one.row_limit.value_or(-1)) + " slots " +
        std::to_string(one.slots) + " workers " + std::to_string(one.workers) + "x" +
        std::to_string(one.in_flight_per_worker) + " estimate " +
        std::to_string(one.block_bytes_estimate) + " part " +
        std::to_string(one.rows_per_part_min) + "-" + std::to_string(one.rows_per_part_max) +
        " keep " + std::to_string(stage.keep_percent) + " copies " + std::to_string(stage.copies) +
        " blocks " + std::to_string(stage.blocks_per_task_max) + " bytes " +
        std::to_string(stage.bytes_per_row) + "+" + std::to_string(stage.bytes_per_block) + "\n";
  }
  return text;
}

}  // namespace penstock
