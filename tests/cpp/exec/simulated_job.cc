#include "exec/simulated_job.h"

#include <algorithm>
#include <numeric>

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

/// Numbers rows and chunks through all reading stages.
struct Numbers {
  int64_t row = 0;
  int64_t chunk = 0;
};

int64_t RowCount(const SimulatedStage& read) {
  int64_t rows = 0;
  for (const SimulatedSplit& split : read.splits) {
    for (const int64_t block : split.block_rows) rows += block;
  }
  return rows;
}

void MakeSplits(Dice& dice, Numbers& numbers, SimulatedStage& read) {
  const int64_t splits = dice.OneIn(20) ? 0 : dice.Between(1, dice.Pick<int64_t>({2, 8, 40, 120}));
  const int64_t blocks_max = dice.Pick<int64_t>({1, 1, 3, 8});
  const int64_t rows_max = dice.Pick<int64_t>({1, 3, 20, 60});
  const int64_t rows_min = dice.OneIn(3) ? 0 : 1;
  const bool chunks = dice.OneIn(2);
  for (int64_t split = 0; split < splits; ++split) {
    if (chunks && split > 0 && dice.OneIn(3)) ++numbers.chunk;
    SimulatedSplit made{.chunk = numbers.chunk, .says_rows = dice.OneIn(2)};
    const int64_t blocks = dice.Between(dice.OneIn(10) ? 0 : 1, blocks_max);
    for (int64_t block = 0; block < blocks; ++block) {
      made.block_rows.push_back(dice.Between(rows_min, rows_max));
    }
    read.splits.push_back(std::move(made));
  }
  ++numbers.chunk;
  read.first_row = numbers.row;
  numbers.row += RowCount(read);
}

/// Makes splits of `rows` rows altogether.
void MakeSplitsOf(Dice& dice, int64_t rows, Numbers& numbers, SimulatedStage& read) {
  read.first_row = numbers.row;
  numbers.row += rows;
  while (rows > 0) {
    const int64_t block = std::min(rows, dice.Between(1, 40));
    if (read.splits.empty() || dice.OneIn(2)) read.splits.push_back({.chunk = numbers.chunk++});
    read.splits.back().block_rows.push_back(block);
    rows -= block;
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

/// Chooses how the workers of a stage come, fail and go.
void MakePool(Dice& dice, SimulatedStage& stage) {
  StageLimits& limits = stage.limits;
  if (dice.OneIn(3)) limits.workers_min = static_cast<int>(dice.Between(1, limits.workers));
  if (dice.OneIn(3)) {
    limits.workers_initial =
        static_cast<int>(dice.Between(std::max(1, limits.workers_min), limits.workers));
  }
  if (dice.OneIn(3)) {
    limits.needs = {dice.Pick<double>({0, 0.5, 1}), dice.Pick<double>({0, 0, 0.25, 1})};
  }
  for (Cause cause = 0; cause < kByException; ++cause) {
    limits.retries.push_back({.name = "a death", .retries = dice.Pick<int>({-1, 0, 1, 5})});
  }
  limits.max_restarts = dice.Pick<int>({-1, -1, 0, 2});
  limits.max_build_tries = dice.Pick<int>({1, 3});
  limits.max_build_kills = dice.Pick<int>({-1, 1, 3});
  if (dice.OneIn(4)) limits.max_batches_per_worker = dice.Between(1, 6);
  limits.overlaps_successor = !dice.OneIn(3);
  if (dice.OneIn(6)) limits.batch_timeout_ns = std::max<int64_t>(1, stage.step_ns_max * 3 / 4);
  if (dice.OneIn(8)) {
    limits.grows_batches = true;
    limits.batch_rows = limits.batch_rows_max = 0;
  }
}

/// Has batches of a stage fail that come through when they are tried again.
void MakeFlaws(Dice& dice, SimulatedStage& stage) {
  stage.flaw_percent = dice.Pick<int>({5, 30});
  for (int64_t rules = dice.Between(1, 2); rules > 0; --rules) {
    stage.limits.retries.push_back({.name = "a flaw",
                                    .retries = dice.Pick<int>({-1, -1, 10, 2, 0}),
                                    .wait_ns = dice.Pick<int64_t>({0, 10, 5'000}),
                                    .wait_max_ns = 20'000});
  }
}

/// Has rows of a stage fail, which it leaves out.
void MakeFailures(Dice& dice, SimulatedStage& stage) {
  stage.limits.isolates_failures = true;
  stage.raise_percent = dice.Pick<int>({0, 1, 5, 50, 100});
  stage.kill_percent = dice.Pick<int>({0, 0, 2, 20});
  if (dice.OneIn(5)) stage.limits.failed_rows_max = dice.Between(0, 5);
  if (dice.OneIn(8)) stage.limits.failed_batches_max = dice.Between(0, 5);
  if (dice.OneIn(8)) stage.limits.failed_share_max = 0.25;
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
  if (dice.OneIn(4)) MakeFailures(dice, stage);
  if (dice.OneIn(4)) {
    stage.limits.role = StageRole::kNative;
    stage.limits.workers = 0;
    stage.kill_percent = 0;
    return stage;
  }
  MakePool(dice, stage);
  if (dice.OneIn(4)) MakeFlaws(dice, stage);
  if (!stage.limits.isolates_failures) return stage;
  stage.limits.max_restarts = -1;
  for (RetryBudget& budget : stage.limits.retries) budget.retries = -1;
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
    if (dice.OneIn(4)) stage.limits.bytes_per_part_min = dice.Between(1, 4000);
    if (dice.OneIn(3)) {
      stage.limits.rows_per_part_max = stage.limits.rows_per_part_min + dice.Between(1, 40);
    }
    stage.limits.part_ends_with_block = dice.OneIn(3);
  }
  return stage;
}

void KeepRows(SimulatedStage& stage) {
  stage.keep_percent = 100;
  stage.copies = 1;
  stage.limits.row_limit.reset();
  stage.limits.isolates_failures = false;
  stage.raise_percent = stage.kill_percent = 0;
}

/// Adds a read and some stages after it.
void MakeBranch(Dice& dice, Numbers& numbers, SimulatedJob& job) {
  SimulatedStage read = MakeStage(dice, StageRole::kRead);
  MakeSplits(dice, numbers, read);
  job.stages.push_back(std::move(read));
  const int64_t middle = dice.Between(0, 3);
  for (int64_t index = 0; index < middle; ++index) {
    job.stages.push_back(dice.OneIn(4) ? MakeRegroup(dice) : MakeWork(dice));
  }
}

/// Adds a read of so many rows and perhaps a stage after it, which keep their rows.
void MakeBranchOf(Dice& dice, int64_t rows, Numbers& numbers, SimulatedJob& job) {
  SimulatedStage read = MakeStage(dice, StageRole::kRead);
  KeepRows(read);
  MakeSplitsOf(dice, rows, numbers, read);
  job.stages.push_back(std::move(read));
  if (dice.OneIn(2)) return;
  job.stages.push_back(dice.OneIn(2) ? MakeRegroup(dice) : MakeWork(dice));
  KeepRows(job.stages.back());
}

void MakeUnion(Dice& dice, Numbers& numbers, SimulatedJob& job, int64_t depth) {
  std::vector<StageIndex> inputs;
  for (int64_t left = dice.Between(2, 3); left > 0; --left) {
    if (depth > 0 && dice.OneIn(4)) {
      MakeUnion(dice, numbers, job, depth - 1);
    } else {
      MakeBranch(dice, numbers, job);
    }
    inputs.push_back(static_cast<StageIndex>(job.stages.size()) - 1);
  }
  SimulatedStage stage = MakeRegroup(dice);
  stage.limits.inputs = std::move(inputs);
  job.stages.push_back(std::move(stage));
}

void MakeZip(Dice& dice, Numbers& numbers, SimulatedJob& job) {
  const int64_t rows = dice.Pick<int64_t>({0, 1, dice.Between(1, 100), dice.Between(1, 1000)});
  std::vector<StageIndex> inputs;
  for (int64_t left = dice.Between(2, 3); left > 0; --left) {
    const bool unequal = dice.OneIn(15);
    job.zips_unequal_rows = job.zips_unequal_rows || unequal;
    MakeBranchOf(dice, rows + (unequal ? dice.Between(1, 50) : 0), numbers, job);
    inputs.push_back(static_cast<StageIndex>(job.stages.size()) - 1);
  }
  SimulatedStage stage = MakeStage(dice, StageRole::kZip);
  stage.ends_with_empty_step = false;
  stage.limits.inputs = std::move(inputs);
  job.stages.push_back(std::move(stage));
}

/// Tells some regrouping stages how many rows come from the read before them.
void TellRows(Dice& dice, SimulatedJob& job) {
  for (size_t index = 1; index < job.stages.size(); ++index) {
    StageLimits& limits = job.stages[index].limits;
    const SimulatedStage& before = job.stages[index - 1];
    if (limits.regroup_blocks == 0 || limits.inputs.size() > 1) continue;
    if (before.limits.role != StageRole::kRead || !before.preserves_rows()) continue;
    if (!dice.OneIn(2)) continue;
    const int64_t rows = RowCount(before);
    limits.rows_known = std::min(rows, before.limits.row_limit.value_or(rows));
  }
}

/// Adds a stage that takes windows, one that works on their blocks, and one that joins them again.
void MakeWindows(Dice& dice, SimulatedJob& job) {
  SimulatedStage windows = MakeRegroup(dice);
  KeepRows(windows);
  windows.limits.regroup_rows = windows.limits.regroup_blocks = 0;
  windows.limits.window_rows = dice.Between(1, 60);
  windows.blocks_per_task_max = static_cast<int>(dice.Between(1, 6));
  SimulatedStage work = MakeWork(dice);
  KeepRows(work);
  work.limits.batch_rows = work.limits.batch_rows_max = 0;
  work.limits.grows_batches = false;
  SimulatedStage joins = MakeRegroup(dice);
  joins.limits.regroup_rows = joins.limits.regroup_blocks = 0;
  windows.limits.restored_by = static_cast<StageIndex>(job.stages.size()) + 2;
  job.stages.push_back(std::move(windows));
  job.stages.push_back(std::move(work));
  job.stages.push_back(std::move(joins));
}

void MakeStages(Dice& dice, SimulatedJob& job) {
  Numbers numbers;
  const int64_t kind = dice.Between(0, 5);
  if (kind == 0) {
    MakeUnion(dice, numbers, job, /*depth=*/1);
  } else if (kind == 1) {
    MakeZip(dice, numbers, job);
  } else {
    MakeBranch(dice, numbers, job);
  }
  if (kind < 2 && dice.OneIn(2)) {
    job.stages.push_back(dice.OneIn(4) ? MakeRegroup(dice) : MakeWork(dice));
  }
  if (dice.OneIn(8)) MakeWindows(dice, job);
  job.stages.push_back(MakeEnd(dice));
  for (size_t index = 0; index < job.stages.size(); ++index) {
    job.stages[index].limits.name = "stage " + std::to_string(index);
  }
  TellRows(dice, job);
}

bool Zips(const SimulatedJob& job) {
  return std::ranges::any_of(
      job.stages, [](const SimulatedStage& stage) { return stage.limits.role == StageRole::kZip; });
}

/// Returns bytes within which every batch can surely be gathered.
int64_t AmpleBudget(const SimulatedJob& job) {
  int64_t rows = 0;
  for (const SimulatedStage& stage : job.stages) {
    for (const SimulatedSplit& split : stage.splits) {
      for (const int64_t block : split.block_rows) rows += block + 1;
    }
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
  job.limits.preserve_order = Zips(job) || !dice.OneIn(3);
  job.limits.window_tasks = dice.Pick<int64_t>({1, 2, 8, 1024});
  job.limits.ahead_bytes = dice.Pick<int64_t>({0, 1000, 100'000, int64_t{64} << 20});
  job.limits.splits_ahead = dice.Pick<int64_t>({1, 2, 16, 1024});
  job.limits.resources = {{"processors", 1.0 * dice.Between(1, 3)}, {"GPUs", 1.0}};
  if (!job.limits.preserve_order) {
    for (SimulatedStage& stage : job.stages) stage.limits.restored_by = -1;
  }
  job.budget_is_ample = dice.OneIn(3);
  job.limits.budget_bytes =
      job.budget_is_ample ? AmpleBudget(job) : dice.Pick<int64_t>({1, 100, 1000, 10'000, 100'000});
}

/// Has a job that can commit its chunks on the way: its stages keep each chunk's rows to itself.
void MakeCommits(Dice& dice, SimulatedJob& job) {
  for (SimulatedStage& stage : job.stages) {
    stage.limits.row_limit.reset();
    stage.limits.batch_in_chunk = true;
    stage.limits.regroup_rows = stage.limits.regroup_blocks = 0;
    stage.limits.part_ends_with_block = false;
    stage.limits.only_filters = stage.copies == 1;
    if (!job.limits.preserve_order) {
      stage.limits.rows_per_part_min = stage.limits.bytes_per_part_min = 0;
    }
  }
  job.stages.back().limits.commits_chunks = true;
  job.limits.commit_interval_ns = dice.Pick<int64_t>({0, 1000, 100'000});
}

/// Returns a number below 100 that follows from the stage and the row alone.
int Percentile(StageIndex stage, int64_t row, int bits) {
  const uint64_t mixed =
      (static_cast<uint64_t>(row) * 64 + static_cast<uint64_t>(stage)) * 0x9e3779b97f4a7c15ULL;
  return static_cast<int>((mixed >> bits) % 100);
}

}  // namespace

SimulatedJob MakeSimulatedJob(uint64_t seed) {
  Dice dice(seed);
  SimulatedJob job{.seed = seed};
  MakeStages(dice, job);
  MakeLimits(dice, job);
  if (job.Writes() && !Zips(job) && dice.OneIn(2)) MakeCommits(dice, job);
  if (dice.OneIn(4)) {
    job.fault =
        dice.Pick<Fault>({Fault::kTaskFails, Fault::kJobFails, Fault::kCancel, Fault::kDrain});
    job.fault_after_events = dice.Between(0, dice.Pick<int64_t>({5, 50, 500}));
  }
  job.consumer_ns_max = dice.Pick<int64_t>({0, 1000, 50'000});
  job.worker_start_ns_max = dice.Pick<int64_t>({0, 1000, 200'000});
  job.listing_ns_max = dice.Pick<int64_t>({0, 1000, 50'000});
  job.kills_busy_workers = dice.OneIn(2);
  if (dice.OneIn(3)) job.death_percent = dice.Pick<int>({1, 5, 20});
  for (const SimulatedStage& stage : job.stages) {
    job.ticks = job.ticks || stage.limits.batch_timeout_ns > 0 || stage.flaw_percent > 0;
  }
  job.ticks = job.ticks || dice.OneIn(3);
  return job;
}

bool KeepsRow(const SimulatedJob& job, StageIndex stage, int64_t row) {
  return Percentile(stage, row, 33) < job.stages[stage].keep_percent;
}

bool RowRaises(const SimulatedJob& job, StageIndex stage, int64_t row) {
  return Percentile(stage, row, 21) < job.stages[stage].raise_percent;
}

bool RowKills(const SimulatedJob& job, StageIndex stage, int64_t row) {
  return Percentile(stage, row, 13) < job.stages[stage].kill_percent;
}

std::vector<int64_t> RowsOf(const SimulatedJob& job, StageIndex index, bool with_limits) {
  const SimulatedStage& stage = job.stages[index];
  std::vector<StageIndex> inputs = stage.limits.inputs;
  if (inputs.empty() && index > 0) inputs = {index - 1};
  std::vector<int64_t> before;
  if (stage.limits.role == StageRole::kRead) {
    before.resize(RowCount(stage));
    std::iota(before.begin(), before.end(), stage.first_row);
  } else {
    for (const StageIndex input : inputs) {
      const std::vector<int64_t> rows = RowsOf(job, input, with_limits);
      if (stage.limits.role != StageRole::kZip || input == inputs.front()) {
        before.insert(before.end(), rows.begin(), rows.end());
      } else {
        before.resize(std::min(before.size(), rows.size()));
      }
    }
  }
  std::vector<int64_t> after;
  for (const int64_t row : before) {
    if (RowRaises(job, index, row) || RowKills(job, index, row)) continue;
    if (KeepsRow(job, index, row)) after.insert(after.end(), stage.copies, row);
  }
  const int64_t size = static_cast<int64_t>(after.size());
  if (with_limits) after.resize(std::min(size, stage.limits.row_limit.value_or(size)));
  return after;
}

std::vector<int64_t> ExpectedRows(const SimulatedJob& job, bool with_limits) {
  return RowsOf(job, static_cast<StageIndex>(job.stages.size()) - 1, with_limits);
}

std::string RetriesText(const StageLimits& limits) {
  std::string text;
  for (const RetryBudget& budget : limits.retries) {
    if (!text.empty()) text += '/';
    text += std::to_string(budget.retries);
  }
  return text;
}

std::string SimulatedJob::ToString() const {
  std::string text =
      "seed " + std::to_string(seed) + ": budget " + std::to_string(limits.budget_bytes) +
      ", threads " + std::to_string(limits.native_threads) + ", ordered " +
      std::to_string(limits.preserve_order) + ", window " + std::to_string(limits.window_tasks) +
      ", splits ahead " + std::to_string(limits.splits_ahead) + ", fault " +
      std::to_string(static_cast<int>(fault)) + ", deaths " + std::to_string(death_percent) +
      " %, ticks " + std::to_string(ticks) + "\n";
  for (const SimulatedStage& stage : stages) {
    const StageLimits& one = stage.limits;
    text +=
        "  role " + std::to_string(static_cast<int>(one.role)) + " inputs " +
        std::to_string(one.inputs.size()) + " splits " + std::to_string(stage.splits.size()) +
        " batch " + std::to_string(one.batch_rows) + "/" + std::to_string(one.batch_rows_max) +
        " in chunk " + std::to_string(one.batch_in_chunk) + " regroup " +
        std::to_string(one.regroup_rows) + "/" + std::to_string(one.regroup_blocks) + " known " +
        std::to_string(one.rows_known) + " limit " + std::to_string(one.row_limit.value_or(-1)) +
        " slots " + std::to_string(one.slots) + " workers " + std::to_string(one.workers) + "x" +
        std::to_string(one.in_flight_per_worker) + " (least " + std::to_string(one.workers_min) +
        ", first " + std::to_string(one.workers_initial) + ", retries " + RetriesText(one) +
        ", restarts " + std::to_string(one.max_restarts) + ", batches " +
        std::to_string(one.max_batches_per_worker) + ", overlap " +
        std::to_string(one.overlaps_successor) + ", needs " + std::to_string(one.needs.size()) +
        ", time-out " + std::to_string(one.batch_timeout_ns) + ") window " +
        std::to_string(one.window_rows) + "/" + std::to_string(one.restored_by) + " estimate " +
        std::to_string(one.block_bytes_estimate) + " part " +
        std::to_string(one.rows_per_part_min) + "-" + std::to_string(one.rows_per_part_max) + "/" +
        std::to_string(one.bytes_per_part_min) + "/" + std::to_string(one.part_ends_with_block) +
        "/" + std::to_string(one.commits_chunks) + " keep " + std::to_string(stage.keep_percent) +
        " copies " + std::to_string(stage.copies) + " blocks " +
        std::to_string(stage.blocks_per_task_max) + " bytes " +
        std::to_string(stage.bytes_per_row) + "+" + std::to_string(stage.bytes_per_block) +
        " isolates " + std::to_string(one.isolates_failures) + " (" +
        std::to_string(stage.raise_percent) + "/" + std::to_string(stage.kill_percent) + "/" +
        std::to_string(stage.flaw_percent) + " %, most " + std::to_string(one.failed_rows_max) +
        "/" + std::to_string(one.failed_batches_max) + "/" + std::to_string(one.failed_share_max) +
        ")\n";
  }
  return text;
}

}  // namespace penstock
