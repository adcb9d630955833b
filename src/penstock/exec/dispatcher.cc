#include "penstock/exec/dispatcher.h"

#include <algorithm>
#include <utility>

#include "penstock/base/check.h"
#include "penstock/base/error.h"
#include "penstock/exec/dispatcher_machine.h"

namespace penstock::dispatch {
namespace {

/// A window, its sorted rows, and what comes of them must find room side by side.
constexpr int64_t kWindowsInBudget = 16;

std::vector<int64_t> EstimatesOf(const std::vector<StageLimits>& stages) {
  std::vector<int64_t> estimates;
  for (size_t index = 0; index + 1 < stages.size(); ++index) {
    estimates.push_back(stages[index].block_bytes_estimate);
  }
  return estimates;
}

/// Gives the stages that name no inputs the one before.
void NameInputs(std::vector<StageLimits>& stages) {
  for (size_t index = 1; index < stages.size(); ++index) {
    StageLimits& stage = stages[index];
    const bool reads = stage.role == StageRole::kRead;
    if (!reads && stage.inputs.empty()) stage.inputs = {static_cast<StageIndex>(index - 1)};
  }
}

std::vector<StagePlace> PlacesOf(const std::vector<StageLimits>& stages) {
  std::vector<StagePlace> places(stages.size());
  for (size_t index = 0; index < stages.size(); ++index) {
    const std::vector<StageIndex>& inputs = stages[index].inputs;
    StagePlace& place = places[index];
    place.index = static_cast<StageIndex>(index);
    place.first_before = inputs.empty() ? place.index : places[inputs.front()].first_before;
    for (size_t input = 0; input < inputs.size(); ++input) {
      places[inputs[input]].consumer = place.index;
      places[inputs[input]].input = input;
    }
  }
  return places;
}

std::vector<StageIndex> ConsumersOf(const std::vector<StageLimits>& stages) {
  std::vector<StageIndex> consumers;
  for (const StagePlace& place : PlacesOf(stages)) consumers.push_back(place.consumer);
  return consumers;
}

/// The last stage lets no more rows in than it lets through: its limit is the one before's.
void MoveLastLimitForward(std::vector<StageLimits>& stages) {
  std::optional<int64_t>& limit = stages.back().row_limit;
  std::optional<int64_t>& before = stages[stages.size() - 2].row_limit;
  if (limit) before = std::min(*limit, before.value_or(*limit));
  limit.reset();
}

}  // namespace

StateMachine::StateMachine(std::vector<StageLimits> stages, DispatcherLimits limits)
    : limits_(limits),
      admission_(limits.budget_bytes, EstimatesOf(stages)),
      resources_(limits.resources),
      chunks_(ConsumersOf(stages),
              [this](StageIndex stage, int64_t chunk) { ChunkComplete(stage, chunk); }) {
  const std::vector<StagePlace> places = PlacesOf(stages);
  for (size_t index = 0; index < stages.size(); ++index) {
    stages_.push_back(std::make_unique<StageState>(std::move(stages[index]), places[index],
                                                   limits.preserve_order));
  }
  counts_filtered_ = std::all_of(stages_.begin(), stages_.end() - 1,
                                 [](const auto& stage) { return stage->limits.only_filters; });
  for (const auto& stage : stages_) {
    const StageIndex restored_by = stage->limits.restored_by;
    if (restored_by >= 0) stages_[restored_by]->batcher.FollowWindows();
    if (stage->limits.window_rows > 0) {
      stage->batcher.SetWindowBytes(std::max<int64_t>(1, limits.budget_bytes / kWindowsInBudget));
    }
  }
}

std::vector<Action> StateMachine::Start(int64_t now_ns) {
  started_ns_ = now_ns_ = progress_ns_ = committed_ns_ = now_ns;
  for (size_t index = stages_.size(); index-- > 0;) {
    if (!stages_[index]->done && stages_[index]->limits.row_limit == 0) {
      CloseThrough(static_cast<StageIndex>(index));
    }
  }
  Dispatch();
  return TakeActions();
}

std::vector<Action> StateMachine::Handle(const Event& event, int64_t now_ns) {
  return HandleAll({event}, now_ns);
}

std::vector<Action> StateMachine::HandleAll(const std::vector<Event>& events, int64_t now_ns) {
  if (finished_) return {};
  Account(now_ns);
  for (const Event& event : events) {
    if (!std::holds_alternative<Tick>(event)) {
      progress_ns_ = now_ns;
      warned_ = false;
    }
    std::visit([this](const auto& one) { Apply(one); }, event);
    if (finished_) break;
  }
  Dispatch();
  return TakeActions();
}

std::vector<Action> StateMachine::TakeActions() { return std::exchange(actions_, {}); }

StageState& StateMachine::StageOf(StageIndex stage) {
  PENSTOCK_CHECK(stage >= 0 && stage < static_cast<StageIndex>(stages_.size()));
  return *stages_[stage];
}

Worker& StateMachine::WorkerOf(StageIndex stage, WorkerIndex worker) {
  std::vector<Worker>& workers = StageOf(stage).workers;
  PENSTOCK_CHECK(worker >= 0 && worker < static_cast<WorkerIndex>(workers.size()));
  return workers[worker];
}

void StateMachine::Apply(const SplitsListed& event) {
  StageState& read = StageOf(event.stage);
  read.listing = false;
  --listings_;
  if (read.done || read.input_ended) return;
  for (const SplitSize& split : event.splits) {
    if (follows_chunks()) {
      chunks_.Add(read.index, split.chunk, 1);
      if (read.last_chunk_listed && *read.last_chunk_listed != split.chunk) {
        chunks_.Listed(read.index, *read.last_chunk_listed);
      }
      read.last_chunk_listed = split.chunk;
    }
    read.splits.push_back(split);
  }
  if (!event.last) return;
  read.input_ended = true;
  if (read.last_chunk_listed) chunks_.Listed(read.index, *read.last_chunk_listed);
}

void StateMachine::Apply(const StepDone& event) {
  StageState& stage = StageOf(event.stage);
  Task* task = stage.Find(event.task);
  if (task == nullptr || task->state != TaskState::kRunning) {
    AnswerAbandoned(stage, event.task);
    if (event.block) actions_.push_back(DropBlock{event.block->block});
    return;
  }
  StepEnded(stage, *task);
  if (commits() && event.rows_read > 0) commits_.Read(task->chunk, event.rows_read);
  if (event.rows_read > 0) {
    CountFiltered(stage, task->chunk, event.rows_read - (event.block ? event.block->rows : 0));
  }
  stage.steps_busy_ns += event.busy_ns;
  const bool is_whole = task->ranges.empty() || task->ranges.back().rows == task->rows;
  if (stage.limits.grows_batches && event.finished && is_whole) {
    LearnBatch(stage, *task, event.busy_ns);
  }
  NoteAnswer(stage, *task, event.finished);
  task->state = event.finished ? TaskState::kFinished : TaskState::kWaiting;
  if (event.block && stage.yields()) Yield(stage, event.task, *task, *event.block);
  if (stage.done) return;
  if (event.finished) {
    if (!task->ranges.empty() && EndRange(stage, event.task, *task)) return TakeOffFinished(stage);
    if (stage.done) return;
    ++stage.tasks_done;
    EndTask(stage, *task);
  } else {
    stage.waiting.insert(event.task);
    if (task->worker >= 0) {
      ++stage.workers[task->worker].waiting;
      UpdateWorker(stage, task->worker);
    }
  }
  TakeOffFinished(stage);
}

void StateMachine::Apply(const TaskFailed& event) {
  StageState& stage = StageOf(event.stage);
  Task* task = stage.Find(event.task);
  if (task == nullptr) {
    AnswerAbandoned(stage, event.task);
    return;
  }
  const bool is_running = task->state == TaskState::kRunning;
  const bool isolates = stage.limits.isolates_failures && event.by_functions;
  const bool is_retried = is_running && MayRetry(stage, *task, event.cause);
  if (!is_running || (!isolates && !is_retried)) {
    return End(WithTries(stage, *task, event.status));
  }
  StepEnded(stage, *task);
  NoteAnswer(stage, *task, /*ended=*/true);
  DropHeld(stage, event.task, *task);
  LeaveWorker(stage, *task);
  if (is_retried) {
    RunAgain(stage, event.task, *task, event.cause);
  } else {
    FailRange(stage, event.task, *task, event);
  }
  if (!finished_) TakeOffFinished(stage);
}

/// Its worker, if it has one, lives; where its batch has ended it is busy with another from now on.
void StateMachine::NoteAnswer(StageState& stage, const Task& task, bool ended) {
  if (task.worker < 0) return;
  Worker& worker = stage.workers[task.worker];
  worker.spent_ns = ended ? 0 : worker.spent_ns + now_ns_ - worker.since_ns;
  worker.since_ns = now_ns_;
  worker.killed = false;  // It came through before it was.
}

void StateMachine::LearnBatch(StageState& stage, const Task& task, int64_t busy_ns) {
  int64_t bytes = 0;
  for (const Piece& piece : task.pieces) bytes += piece.bytes();
  stage.batch_size.Learn(task.rows, bytes, busy_ns);
  stage.batcher.SetRows(stage.batch_size.rows());
}

void StateMachine::Apply(const BlockTaken& event) {
  const auto found = emitted_.find(event.block);
  if (found == emitted_.end()) return;
  const Piece piece = found->second;
  emitted_.erase(found);
  rows_delivered_ += piece.rows;
  ++last().tasks_done;
  admission_.Add(piece.block->stage, -piece.block->size.bytes);
  blocks_.Remove(piece.block);
}

void StateMachine::Apply(const Cancel& event) {
  End(MakeError(ErrorKind::kCancelled, "The job was cancelled"));
}

void StateMachine::Apply(const OutputCommitted& event) {
  committing_ = false;
  committed_ = last_commit_;
}

void StateMachine::End(Status status) {
  if (finished_) return;
  finished_ = true;
  for (const auto& stage : stages_) stage->time.busy = stage->time.idle = 0;
  actions_.push_back(Finish{std::move(status)});
}

void StateMachine::FinishIfDone() {
  if (!last().done || !emitted_.empty()) return;
  if (last().limits.role == StageRole::kWrite && !committed_) {
    if (committing_) return;
    if (gives_up_) return EndDrained();
    CommitOutput commit = commits_.Take(counts_filtered_);
    commit.last = last_commit_ = committing_ = true;
    if (!commits()) {
      for (const auto& stage : stages_) commit.rows_failed += stage->rows_failed;
    }
    actions_.push_back(std::move(commit));
    return;
  }
  if (workers_alive_ == 0 && native_running_ == 0) End(Status::OK());
}

}  // namespace penstock::dispatch

namespace penstock {

Result<std::unique_ptr<Dispatcher>> Dispatcher::Make(std::vector<StageLimits> stages,
                                                     DispatcherLimits limits) {
  dispatch::NameInputs(stages);
  PENSTOCK_RETURN_NOT_OK(dispatch::CheckLimits(stages, limits));
  dispatch::MoveLastLimitForward(stages);
  return std::make_unique<dispatch::StateMachine>(std::move(stages), limits);
}

}  // namespace penstock
