#include "exec/simulated_world.h"

#include <algorithm>
#include <utility>

#include "penstock/base/error.h"

namespace penstock {
namespace {

constexpr int64_t kEventsMax = 200'000;  // A hundred times what most jobs take.

}  // namespace

SimulatedWorld::SimulatedWorld(const SimulatedJob& job)
    : job_(job),
      random_(job.seed + 77),
      split_base_(job.stages.size()),
      splits_listed_(job.stages.size()),
      splits_started_(job.stages.size()),
      listing_out_(job.stages.size()),
      tasks_(job.stages.size()),
      workers_(job.stages.size()),
      next_task_(job.stages.size()),
      batches_(job.stages.size()),
      closed_early_(job.stages.size()),
      rows_entered_(job.stages.size()),
      rows_yielded_(job.stages.size()),
      learned_(job.stages.size()) {
  std::vector<StageLimits> stages;
  for (const SimulatedStage& stage : job.stages) {
    stages.push_back(stage.limits);
    largest_.push_back(stage.limits.block_bytes_estimate);
    workers_[stages.size() - 1].resize(2 * static_cast<size_t>(stage.limits.workers));
  }
  failed_.resize(job.stages.size());
  failed_batches_.resize(job.stages.size());
  restarts_.resize(job.stages.size());
  failed_builds_.resize(job.stages.size());
  killed_builds_.resize(job.stages.size());
  consumers_.resize(job.stages.size(), -1);
  for (size_t index = 0; index < job.stages.size(); ++index) {
    const std::vector<StageIndex>& inputs = job.stages[index].limits.inputs;
    for (const StageIndex input : inputs) consumers_[input] = static_cast<StageIndex>(index);
    const bool follows = inputs.empty() && job.stages[index].limits.role != StageRole::kRead;
    if (follows) consumers_[index - 1] = static_cast<StageIndex>(index);
    int64_t row = job.stages[index].first_row;
    for (const SimulatedSplit& split : job.stages[index].splits) {
      split_base_[index].push_back(row);
      for (const int64_t rows : split.block_rows) {
        for (int64_t last = row + rows; row < last; ++row) chunk_of_row_[row] = split.chunk;
      }
    }
  }
  dispatcher_ = Dispatcher::Make(std::move(stages), job.limits).ValueOrDie();
}

int64_t SimulatedWorld::Random(int64_t most) {
  return static_cast<int64_t>(random_() % static_cast<uint64_t>(most + 1));
}

void SimulatedWorld::Post(int64_t delay_ns, Event event, int64_t life) {
  due_.push({now_ns_ + delay_ns, posted_++, std::move(event), life});
}

void SimulatedWorld::Run() {
  CarryOut(dispatcher_->Start(now_ns_));
  while (violation_.empty() && !finish_) {
    Inject();
    if (finish_) break;
    Disturb();
    if (due_.empty() && WaitsForTime()) Post(Random(1000), Tick{});
    Require(!due_.empty(), "the job stands still");
    if (due_.empty()) break;
    now_ns_ = due_.top().at_ns;
    std::vector<Event> together;
    ended_together_.clear();
    died_together_.clear();
    const bool one_by_one = Random(1) == 0;
    while (!due_.empty() && due_.top().at_ns == now_ns_ && !(one_by_one && !together.empty())) {
      Event event = due_.top().event;
      const int64_t life = due_.top().life;
      due_.pop();
      if (Happens(event, life)) together.push_back(std::move(event));
    }
    events_handled_ += static_cast<int64_t>(together.size());
    if (together.size() == 1) {
      CarryOut(dispatcher_->Handle(together.front(), now_ns_));
    } else if (!together.empty()) {
      CarryOut(dispatcher_->HandleAll(together, now_ns_));
    }
    CheckBudget();
    Require(events_handled_ < kEventsMax, "the job comes to an end");
  }
  if (violation_.empty()) CheckEnd();
}

// ---- Actions -----------------------------------------------------------------------------------

void SimulatedWorld::CarryOut(const std::vector<Action>& actions) {
  for (const Action& action : actions) {
    Require(!finish_, "nothing comes after Finish");
    if (!violation_.empty()) return;
    std::visit([this](const auto& one) { Do(one); }, action);
  }
}

void SimulatedWorld::Do(const ListSplits& action) {
  Require(!listing_out_[action.stage], "one listing of a read at a time");
  Require(action.count_max > 0, "a listing asks for splits", action.count_max);
  int64_t& done = splits_listed_[action.stage];
  Require(done - splits_started_[action.stage] + action.count_max <= job_.limits.splits_ahead,
          "no more splits are listed ahead than allowed", action.count_max);
  listing_out_[action.stage] = true;
  SplitsListed listed{.stage = action.stage};
  const std::vector<SimulatedSplit>& splits = job_.stages[action.stage].splits;
  const int64_t total = static_cast<int64_t>(splits.size());
  const int64_t count = std::min(action.count_max - Random(action.count_max / 2), total - done);
  for (int64_t index = 0; index < count; ++index) {
    const SimulatedSplit& split = splits[done++];
    SplitSize size{.chunk = split.chunk};
    if (split.says_rows) {
      size.rows = 0;
      for (const int64_t rows : split.block_rows) size.rows += rows;
    }
    listed.splits.push_back(size);
  }
  listed.last = done == total && (count == 0 || Random(1) == 0);
  Post(Random(job_.listing_ns_max), std::move(listed));
}

void SimulatedWorld::Do(const StartTask& action) {
  const StageLimits& limits = Limits(action.stage);
  auto [found, is_new] = tasks_[action.stage].try_emplace(action.task);
  SimulatedTask& task = found->second;
  Require(!Closed(action.stage), "nothing is started at a stage that was closed", action.stage);
  if (action.again) return TakeUpAgain(action, task);
  Require(is_new, "a task is started once", action.task);
  if (limits.role != StageRole::kWrite) {
    Require(action.task == next_task_[action.stage]++, "tasks start in order", action.task);
  }
  if (job_.limits.preserve_order && limits.role != StageRole::kWrite) {
    TaskId first = action.task;
    for (const auto& [id, other] : tasks_[action.stage]) first = std::min(first, id);
    Require(action.task - first < job_.limits.window_tasks, "tasks stay within the window",
            action.task - first);
  }
  TakePieces(action, task);
  task.worker = action.worker;
  task.part = action.part;
  task.closes_part = action.closes_part;
  if (limits.role == StageRole::kRead) {
    Require(action.task < splits_listed_[action.stage], "a read is of a listed split", action.task);
    ++splits_started_[action.stage];
  } else if (limits.role == StageRole::kWrite) {
    CheckPart(action, task);
  } else if (limits.role == StageRole::kZip) {
    CheckZip(action, task);
  } else {
    CheckBatch(action, task);
  }
  if (!violation_.empty()) return;
  PlanOutputs(action, task);
  if (limits.isolates_failures) {
    for (const PieceRef& piece : action.pieces) {
      for (int64_t row = 0; row < piece.rows; ++row) {
        task.rows_left.emplace(piece.block, piece.offset + row);
      }
    }
    task.range = action.pieces;
    PlanFailures(action.stage, task);
  }
  if (limits.role == StageRole::kWork) {
    GiveToWorker(action);
  } else {
    Require(static_cast<int>(tasks_[action.stage].size()) <=
                limits.slots + static_cast<int>(closed_early_[action.stage]) * 1000,
            "a native stage has no more tasks open than slots");
  }
  if (violation_.empty()) StepOut(action.stage, action.task, task);
}

void SimulatedWorld::GiveToWorker(const StartTask& action) {
  const StageLimits& limits = Limits(action.stage);
  std::vector<SimulatedWorker>& pool = workers_[action.stage];
  Require(action.worker >= 0 && action.worker < static_cast<WorkerIndex>(pool.size()),
          "the worker exists");
  if (!violation_.empty()) return;
  SimulatedWorker& worker = pool[action.worker];
  Require(worker.state == SimulatedWorker::State::kUp, "a batch goes to a worker that is up");
  for (const TaskId other : worker.tasks) {
    Require(!tasks_[action.stage].at(other).again, "what runs again gets no company", other);
  }
  const bool overtakes = worker.tasks.size() > 1 && Random(3) == 0;  // It was packed faster.
  worker.tasks.insert(worker.tasks.end() - (overtakes ? 1 : 0), action.task);
  ++worker.batches;
  Require(static_cast<int>(worker.tasks.size()) <= limits.in_flight_per_worker,
          "a worker has no more batches than allowed");
  Require(limits.max_batches_per_worker == 0 || worker.batches <= limits.max_batches_per_worker,
          "a worker has no more batches in its life than allowed", worker.batches);
  const bool is_simple = !deaths_happened_ && job_.stages[action.stage].flaw_percent == 0 &&
                         job_.death_percent == 0 && limits.max_batches_per_worker == 0 &&
                         limits.workers_min == 0 && limits.needs.empty() &&
                         limits.batch_timeout_ns == 0;
  for (const SimulatedWorker& other : pool) {
    Require(!is_simple || other.state != SimulatedWorker::State::kUp ||
                other.tasks.size() + 1 >= worker.tasks.size(),
            "a batch goes to the least loaded worker");
  }
}

void SimulatedWorld::StepOut(StageIndex stage, TaskId id, SimulatedTask& task) {
  task.step_out = true;
  CheckRoom(stage, task);
  ++steps_;
  if (task.worker >= 0) {
    RunWorker(stage, task.worker);
    return;
  }
  ++native_steps_;
  Require(native_steps_ <= job_.limits.native_threads, "native steps fit the threads",
          native_steps_);
  Post(Random(job_.stages[stage].step_ns_max), StepDone{stage, id, std::nullopt, false});
}

void SimulatedWorld::Do(const StepTask& action) {
  const auto found = tasks_[action.stage].find(action.task);
  Require(found != tasks_[action.stage].end(), "a step is of an open task", action.task);
  if (!violation_.empty()) return;
  Require(!found->second.step_out && !found->second.abandoned, "a task takes one step at a time",
          action.task);
  if (found->second.worker >= 0) {
    Require(workers_[action.stage][found->second.worker].tasks.front() == action.task,
            "only a worker's first batch waits for a step");
  }
  StepOut(action.stage, action.task, found->second);
}

void SimulatedWorld::Do(const AbandonTask& action) {
  closed_early_[action.stage] = true;
  const auto found = tasks_[action.stage].find(action.task);
  if (found == tasks_[action.stage].end()) {
    Require(ended_together_.contains({action.stage, action.task}), "an open task is abandoned",
            action.task);
    return;
  }
  Require(!found->second.abandoned, "a task is abandoned once", action.task);
  found->second.abandoned = true;
  if (found->second.step_out) return;
  ReleasePieces(found->second);
  if (found->second.worker < 0) TaskEnds(action.stage, action.task);
}

void SimulatedWorld::Do(const StartWorker& action) {
  SimulatedWorker& worker = workers_[action.stage][action.worker];
  Require(worker.state == SimulatedWorker::State::kNone ||
              worker.state == SimulatedWorker::State::kGone,
          "a worker is started in a free place");
  worker = SimulatedWorker{.state = SimulatedWorker::State::kStarting, .life = ++lives_};
  died_together_.erase({action.stage, action.worker});
  CheckResources();
  Post(Random(job_.worker_start_ns_max), WorkerUp{action.stage, action.worker}, worker.life);
}

void SimulatedWorld::Do(const KillWorker& action) {
  const SimulatedWorker& worker = workers_[action.stage][action.worker];
  const bool died = died_together_.contains({action.stage, action.worker});
  if (worker.state == SimulatedWorker::State::kStopping) return;  // It leaves by itself.
  Require(died || worker.state == SimulatedWorker::State::kUp, "a worker that is up is killed");
  Require(action.busy_ns > Limits(action.stage).batch_timeout_ns, "it is killed for being late");
  Post(Random(100),
       WorkerDied{action.stage, action.worker, MakeError(ErrorKind::kWorkerDied, "late")},
       worker.life);
}

void SimulatedWorld::Do(const StopWorker& action) {
  SimulatedWorker& worker = workers_[action.stage][action.worker];
  if (died_together_.contains({action.stage, action.worker})) return;  // Its death is on its way.
  Require(worker.state == SimulatedWorker::State::kUp ||
              worker.state == SimulatedWorker::State::kStarting,
          "a worker that runs is stopped, once");
  worker.state = SimulatedWorker::State::kStopping;
  for (const TaskId id : worker.tasks) {
    Require(tasks_[action.stage].at(id).abandoned, "no worker is stopped that has wanted work", id);
  }
  if (job_.kills_busy_workers && !worker.tasks.empty()) {
    worker.killed = true;
    Post(Random(100), WorkerStopped{action.stage, action.worker}, worker.life);
  } else {
    RunWorker(action.stage, action.worker);
  }
}

void SimulatedWorld::Do(const DropBlock& action) {
  const auto found = blocks_.find(action.block);
  Require(found != blocks_.end(), "a live block is dropped, once", action.block);
  if (!violation_.empty()) return;
  Require(!found->second.emitted, "an emitted block is not dropped", action.block);
  Require(found->second.readers == 0, "no block is dropped that a task still reads", action.block);
  live_bytes_ -= found->second.size.bytes;
  blocks_.erase(found);
}

void SimulatedWorld::Do(const EmitBlock& action) {
  const auto found = blocks_.find(action.piece.block);
  Require(found != blocks_.end() && !found->second.emitted, "a live block is emitted, once");
  if (!violation_.empty()) return;
  SimulatedBlock& block = found->second;
  Require(static_cast<size_t>(block.stage) + 2 == job_.stages.size() &&
              job_.stages.back().limits.role == StageRole::kCollect,
          "what is emitted comes from the stage before the collecting one");
  Require(action.piece.rows > 0 && action.piece.offset >= 0 &&
              action.piece.offset + action.piece.rows <= block.size.rows,
          "emitted rows are the block's");
  if (!violation_.empty()) return;
  block.emitted = true;
  const auto first = block.rows.begin() + action.piece.offset;
  delivered_.insert(delivered_.end(), first, first + action.piece.rows);
  Post(Random(job_.consumer_ns_max), BlockTaken{action.piece.block});
}

void SimulatedWorld::Do(const CommitOutput& action) {
  Require(job_.Writes() && !commit_asked_, "a job that writes has one last commit");
  Require(!commit_out_, "one commit is out at once");
  commit_out_ = true;
  commit_asked_ = action.last;
  for (const auto& [number, part] : parts_) {
    Require(!action.last || (part.closed && !part.step_out),
            "all parts are closed before the last commit", number);
  }
  CheckCommit(action);
  Post(Random(100), OutputCommitted{});
}

void SimulatedWorld::Do(const Finish& action) { finish_ = action.status; }

void SimulatedWorld::PlanOutputs(const StartTask& action, SimulatedTask& task) {
  const SimulatedStage& stage = job_.stages[action.stage];
  std::vector<int64_t> rows;
  const auto add = [&](int64_t row) {
    if (RowRaises(job_, action.stage, row) || RowKills(job_, action.stage, row)) return;
    if (KeepsRow(job_, action.stage, row)) rows.insert(rows.end(), stage.copies, row);
  };
  if (stage.limits.role == StageRole::kRead) {
    const SimulatedSplit& split = stage.splits[action.task];
    task.chunk = split.chunk;
    int64_t row = split_base_[action.stage][action.task];
    for (const int64_t count : split.block_rows) {
      for (int64_t index = 0; index < count; ++index) add(row++);
      task.outputs.push_back(std::exchange(rows, {}));
    }
    task.empty_step_left = stage.ends_with_empty_step || task.outputs.empty();
    return;
  }
  if (!Yields(action.stage)) {
    task.empty_step_left = false;
    return;
  }
  for (const PieceRef& piece : action.pieces) {
    const SimulatedBlock& block = blocks_.at(piece.block);
    for (int64_t index = 0; index < piece.rows; ++index) add(block.rows[piece.offset + index]);
    if (stage.limits.role == StageRole::kZip) break;
  }
  const size_t blocks = 1 + Random(stage.blocks_per_task_max - 1);
  for (size_t block = 0; block < blocks; ++block) {
    const size_t size = block + 1 == blocks ? rows.size() : Random(rows.size());
    task.outputs.emplace_back(rows.begin(), rows.begin() + size);
    rows.erase(rows.begin(), rows.begin() + size);
  }
  task.empty_step_left = stage.ends_with_empty_step && Random(1) == 0;
}

}  // namespace penstock
