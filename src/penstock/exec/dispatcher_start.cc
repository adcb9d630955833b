#include <algorithm>
#include <utility>

#include "penstock/base/error.h"
#include "penstock/exec/dispatcher_machine.h"

namespace penstock::dispatch {

void StateMachine::Dispatch() {
  if (finished_) return;
  GiveUpReads();
  EndInputs();
  if (finished_) return;
  for (size_t index = stages_.size(); index-- > 0;) {
    StageState& stage = *stages_[index];
    if (stage.done) {
      stage.time.why = Idle::kEnded;
      continue;
    }
    Fill(stage);
    if (finished_) return;
    stage.time.why = StartSteps(stage);
  }
  ManageWorkers();
  ListMore();
  CommitWhatIsDone();
  FinishIfDone();
  if (!finished_ && IsStalled()) GivesUp() ? EndDrained() : ForceStep();
  if (!finished_) NoteSlots();
}

void StateMachine::ListMore() {
  for (const auto& stage : stages_) {
    if (stage->limits.role != StageRole::kRead || stage->input_ended || stage->listing) continue;
    const int64_t waiting = static_cast<int64_t>(stage->splits.size());
    if (waiting > 0 && waiting >= limits_.splits_ahead / 2) continue;
    stage->listing = true;
    ++listings_;
    actions_.push_back(ListSplits{limits_.splits_ahead - waiting, stage->index});
  }
}

// ---- Input of a stage to tasks -----------------------------------------------------------------

bool StateMachine::WindowHasRoom(const StageState& stage) const {
  const int64_t unfinished =
      ordered() ? static_cast<int64_t>(stage.tasks.size()) : stage.unfinished;
  const StageState& after = next(stage);
  const int64_t unconsumed =
      after.batcher.hoards() ? 0 : after.inputs.BlocksOf(stage.place.input, after.queue);
  return unfinished + unconsumed < limits_.window_tasks;
}

void StateMachine::Fill(StageState& stage) {
  switch (stage.limits.role) {
    case StageRole::kRead:
      return;
    case StageRole::kRegroup:
    case StageRole::kNative:
    case StageRole::kWork:
      return FillBatches(stage);
    case StageRole::kZip:
      return FillZip(stage);
    case StageRole::kWrite:
      return FillParts(stage);
    case StageRole::kCollect:
      return Emit(stage);
  }
}

void StateMachine::FillBatches(StageState& stage) {
  while (WindowHasRoom(stage) && !stage.cuts_later()) {
    if (stage.batcher.has_too_many(stage.queue)) return End(TooManyRows(stage));
    std::optional<Batch> batch = stage.batcher.Next(stage.queue, stage.input_ended);
    if (!batch) return;
    const int64_t chunk = batch->pieces.front().block->size.chunk;
    if (stage.limits.restored_by >= 0) {
      stages_[stage.limits.restored_by]->batcher.ExpectRows(batch->rows);
    }
    if (follows_chunks()) {
      chunks_.Add(stage.index, chunk, 1);
      for (const Piece& piece : batch->pieces) {
        chunks_.Remove(stage.index, piece.block->size.chunk, piece.rows);
      }
    }
    stage.AddTask({.chunk = chunk, .rows = batch->rows, .pieces = std::move(batch->pieces)});
  }
}

void StateMachine::FillZip(StageState& stage) {
  while (WindowHasRoom(stage)) {
    std::optional<std::vector<Piece>> pieces = stage.inputs.TakeAlongside();
    if (!pieces) break;
    const Piece first = pieces->front();
    stage.AddTask(
        {.chunk = first.block->size.chunk, .rows = first.rows, .pieces = std::move(*pieces)});
  }
  if (const auto longest = stage.inputs.Longest()) End(UnequalRows(stage, *longest));
}

void StateMachine::FillParts(StageState& stage) {
  while (!stage.queue.empty() && stage.unfinished - stage.parts.held() < limits_.window_tasks) {
    const BlockSize& block = stage.queue.front().block->size;
    const int64_t chunk = block.chunk;
    const bool by_block = stage.limits.part_ends_with_block;
    const int64_t border = by_block ? block.block : chunk;
    const int64_t rows = stage.queue.front().rows;
    const PartPlanner::Room room = stage.parts.RoomFor(border, rows);
    const Piece piece = stage.queue.Take(room.rows);
    const TaskId task =
        stage.AddTask({.chunk = chunk, .part = room.part, .rows = piece.rows, .pieces = {piece}});
    stage.parts.Append(border, task, piece.rows, piece.bytes());
    if (commits()) commits_.Append(chunk, room.part, piece.rows);
    if (by_block && piece.rows == rows) stage.parts.EndChunk(border);
    if (follows_chunks() && stage.queue.Drained(chunk)) {
      stage.queue.Forget(chunk);
      if (!by_block) EndChunkOfParts(stage, chunk);
    }
  }
  const bool gathers = stage.limits.rows_per_part_min > 0 || stage.limits.bytes_per_part_min > 0;
  if (gives_up_ && gathers) return;
  if (stage.input_ended && stage.queue.empty()) stage.parts.EndAll();
}

void StateMachine::Emit(StageState& stage) {
  while (!stage.queue.empty() && static_cast<int64_t>(emitted_.size()) < limits_.window_tasks) {
    const Piece piece = stage.queue.Take(stage.queue.front().rows);
    const BlockSize& size = piece.block->size;
    emitted_.emplace(size.block, piece);
    stage.rows_in += piece.rows;
    stage.rows_out += piece.rows;
    stage.bytes_out += size.bytes;
    ++stage.blocks_out;
    actions_.push_back(EmitBlock{{size.block, piece.offset, piece.rows}});
  }
}

// ---- Tasks to steps ----------------------------------------------------------------------------

bool StateMachine::HasNew(const StageState& stage) const {
  switch (stage.limits.role) {
    case StageRole::kRead:
      return !stage.splits.empty() && WindowHasRoom(stage) && !IsGivenUp(stage);
    case StageRole::kRegroup:
    case StageRole::kZip:
    case StageRole::kNative:
    case StageRole::kWork:
      return stage.has_gathered() && !IsGivenUp(stage);
    case StageRole::kWrite:
      return stage.parts.can_start();
    case StageRole::kCollect:
      return false;
  }
  return false;
}

bool StateMachine::HasSlot(const StageState& stage) const {
  return stage.native() ? stage.open < stage.limits.slots : stage.LeastLoaded() >= 0;
}

bool StateMachine::IsAhead(const StageState& stage, TaskId id) const {
  return ordered() && id != stage.first_task;
}

/// Whether the stages after it can do something with what it yields; else that piles up before one
/// which waits for another input.
bool StateMachine::IsWanted(const StageState& stage) const {
  for (const StageState* before = &stage; before->place.consumer >= 0;) {
    const StageState& after = next(*before);
    if (!after.inputs.IsWanted(before->place.input)) return false;
    before = &after;
  }
  return true;
}

bool StateMachine::Admits(const StageState& stage, TaskId id) const {
  return !stage.yields() || admission_.Admits(stage.index, IsAhead(stage, id), IsWanted(stage));
}

/// Whether the stage after it has all that it can use for a while.
bool StateMachine::IsFarAhead(const StageState& stage) const {
  if (!stage.native() || !stage.yields()) return false;
  const StageState& after = next(stage);
  const bool runs_functions =
      after.limits.role == StageRole::kNative || after.limits.role == StageRole::kWork;
  return runs_functions && after.at_hand() >= 2 * after.capacity() &&
         admission_.used_by(stage.index) >= limits_.ahead_bytes;
}

Idle StateMachine::StartSteps(StageState& stage) {
  while (!stage.native() || native_running_ < limits_.native_threads) {
    if (IsFarAhead(stage)) return Idle::kBlocked;
    if (!stage.waiting.empty()) {
      if (!Admits(stage, *stage.waiting.begin())) return Idle::kBlocked;
      NextStep(stage, *stage.waiting.begin());
      continue;
    }
    if (!stage.again.empty()) {
      // Threads of one process die together.
      const bool is_alone = stage.Find(*stage.again.begin())->runs_alone();
      if (stage.limits.threads && is_alone && stage.in_flight > 0) return Idle::kEnded;
      if (!stage.CanRunAgain(*stage.Find(*stage.again.begin()))) return Idle::kEnded;
      if (!Admits(stage, *stage.again.begin())) return Idle::kBlocked;
      StartAgain(stage);
      continue;
    }
    if (!HasNew(stage)) {
      const bool starved = stage.splits.empty() && stage.queue.empty() && stage.inputs.empty();
      return starved ? Idle::kStarved : Idle::kBlocked;
    }
    if (!HasSlot(stage)) return Idle::kEnded;
    if (!Admits(stage, stage.batches() ? stage.next_start : stage.next_task())) {
      return Idle::kBlocked;
    }
    StartNew(stage);
  }
  return Idle::kEnded;
}

void StateMachine::StartNew(StageState& stage) {
  StartTask start = {.stage = stage.index};
  if (stage.limits.role == StageRole::kRead) {
    stage.last_chunk_started = stage.splits.front().chunk;
    start.task = stage.AddTask({.chunk = stage.splits.front().chunk});
    stage.splits.pop_front();
  } else if (stage.limits.role == StageRole::kWrite) {
    const PartPlanner::Step step = stage.parts.Start();
    start.task = step.task;
    start.part = step.part;
    start.closes_part = step.closes_part;
  } else {
    start.task = stage.next_start++;
    if (commits() && stage.runs_functions()) {
      stage.chunks_begun.insert(stage.Find(start.task)->chunk);
    }
  }
  const WorkerIndex worker = stage.native() ? -1 : stage.LeastLoaded();
  SendOut(stage, std::move(start), worker);
}

void StateMachine::StartAgain(StageState& stage) {
  StartTask start = {.stage = stage.index, .task = *stage.again.begin(), .again = true};
  stage.again.erase(stage.again.begin());
  const Task& task = *stage.Find(start.task);
  const WorkerIndex worker = stage.native() ? -1 : stage.WorkerFor(task);
  if (task.runs_alone()) {
    ++stage.retries;
    stage.workers[worker].alone = true;
  }
  SendOut(stage, std::move(start), worker);
}

void StateMachine::SendOut(StageState& stage, StartTask start, WorkerIndex worker) {
  Task& task = *stage.Find(start.task);
  if (!task.ranges.empty()) ++task.ranges.back().attempts;
  start.pieces = task.NextPieces();
  if (worker >= 0) {
    task.worker = start.worker = worker;
    ++stage.workers[worker].tasks;
    ++stage.workers[worker].batches;
    ++stage.in_flight;
  }
  ++stage.open;
  StepOut(stage, start.task, task);
  actions_.push_back(std::move(start));
}

void StateMachine::NextStep(StageState& stage, TaskId id) {
  Task& task = *stage.Find(id);
  stage.waiting.erase(id);
  if (task.worker >= 0) --stage.workers[task.worker].waiting;
  StepOut(stage, id, task);
  actions_.push_back(StepTask{stage.index, id});
}

void StateMachine::StepOut(StageState& stage, TaskId id, Task& task) {
  task.state = TaskState::kRunning;
  ++stage.running;
  if (stage.native()) {
    ++native_running_;
  } else {
    UpdateWorker(stage, task.worker);
  }
  if (!stage.yields()) return;
  task.reserved = admission_.Reservation(stage.index);
  admission_.Add(stage.index, task.reserved);
  if (IsAhead(stage, id)) admission_.AddAhead(stage.index, task.reserved);
}

// ---- When nothing may start --------------------------------------------------------------------

bool StateMachine::IsStalled() const {
  const bool waits_for_time =
      std::ranges::any_of(stages_, [](const auto& stage) { return !stage->later.empty(); });
  return native_running_ == 0 && workers_busy_ == 0 && workers_changing_ == 0 && emitted_.empty() &&
         listings_ == 0 && !committing_ && !waits_for_time;
}

void StateMachine::ForceStep() {
  for (size_t index = stages_.size(); index-- > 0;) {
    StageState& stage = *stages_[index];
    if (stage.done || !IsWanted(stage)) continue;
    if (!ordered() && stage.parts.EndOldest()) {
      stage.time.why = StartSteps(stage);
      return;
    }
    if (LacksWorker(stage)) StartOrMakeRoom(stage);
    if (workers_changing_ > 0 || ForceStepOf(stage)) return;
  }
  // Workers may be lacking because others wait between steps with what nobody wants yet.
  for (const auto& stage : stages_) {
    if (!stage->native() && !stage->waiting.empty()) {
      return NextStep(*stage, *stage->waiting.begin());
    }
  }
  End(Status::UnknownError("The job came to a stand, which is a bug of Penstock; please report:\n",
                           Describe()));
}

/// Starts a step of the stage whatever the budget says; false when it has none that could start.
bool StateMachine::ForceStepOf(StageState& stage) {
  const bool waits = !stage.waiting.empty();
  const bool has_place = stage.native() ? HasSlot(stage) : stage.IdleWorker() >= 0;
  const bool goes_again = !stage.again.empty() && has_place;
  const bool is_new = stage.again.empty() && HasNew(stage) && HasSlot(stage);
  if (!goes_again && !waits && !is_new) return false;
  if (GatheringFillsBudget(stage.index)) {
    if (FlushOneAfter(stage.index)) {
      Dispatch();
    } else {
      End(BudgetTooSmall(stage.index));
    }
  } else if (goes_again) {
    StartAgain(stage);
  } else if (waits) {
    NextStep(stage, *stage.waiting.begin());
  } else {
    StartNew(stage);
  }
  return true;
}

/// Whether going over the budget at this stage would only serve a batch too large for it.
bool StateMachine::GatheringFillsBudget(StageIndex stage) const {
  int64_t gathered = stages_[stage]->held_bytes();
  for (StageIndex after = stages_[stage]->place.consumer; after >= 0;
       after = stages_[after]->place.consumer) {
    gathered += stages_[after]->gathered_bytes() + stages_[after]->held_bytes();
  }
  const int64_t budget = admission_.budget();
  const int64_t excess = admission_.used() - budget;
  return gathered > 0 && (gathered >= budget || excess > admission_.LargestBlocksBefore(stage));
}

bool StateMachine::FlushOneAfter(StageIndex stage) {
  for (StageIndex after = stages_[stage]->place.consumer; after >= 0;
       after = stages_[after]->place.consumer) {
    if (stages_[after]->batcher.FlushLargest()) return true;
  }
  return false;
}

Status StateMachine::BudgetTooSmall(StageIndex before) const {
  if (stages_[before]->held_bytes() > 0) return HoldsTooMuch(*stages_[before]);
  const StageState* largest = &next(*stages_[before]);
  for (const StageState* after = largest; after->place.consumer >= 0; after = &next(*after)) {
    if (next(*after).gathered_bytes() > largest->gathered_bytes()) largest = &next(*after);
  }
  const int64_t wanted = largest->batcher.wanted_rows();
  return MakeError(
      ErrorKind::kBudgetTooSmall,
      "Stage '" + largest->limits.name + "' cannot gather " +
          (wanted < 0 ? "all rows of its input"
                      : "a batch of " + std::to_string(wanted) + " rows") +
          " within the memory budget: " + std::to_string(largest->gathered_rows()) +
          " rows came and hold " + std::to_string(largest->gathered_bytes()) +
          " bytes; ask for fewer rows at a time or raise the budget; budget in bytes: " +
          std::to_string(admission_.budget()));
}

Status StateMachine::HoldsTooMuch(const StageState& stage) const {
  return MakeError(
      ErrorKind::kBudgetTooSmall,
      "Stage '" + stage.limits.name +
          "' holds what a batch yields until all of it has come (on_error), and that is more than "
          "the memory budget: " +
          std::to_string(stage.held_bytes()) +
          " bytes; ask for fewer rows a batch or raise the budget; budget in bytes: " +
          std::to_string(admission_.budget()));
}

Status StateMachine::TooManyRows(const StageState& stage) {
  return Status::Invalid(
      "Stage '", stage.limits.name,
      "': the functions before it returned more rows than they got, so that their "
      "order cannot be restored");
}

Status StateMachine::UnequalRows(const StageState& stage, size_t longest) const {
  return Status::Invalid("Stage '", stage.limits.name,
                         "': the inputs must have equally many rows; input ", longest + 1,
                         " has more than ", stage.rows_in, " rows, at which another one ends");
}

}  // namespace penstock::dispatch
