#include <algorithm>
#include <utility>

#include "penstock/exec/dispatcher_machine.h"

namespace penstock::dispatch {

void StateMachine::StepEnded(StageState& stage, Task& task) {
  if (stage.yields()) {
    admission_.Add(stage.index, -task.reserved);
    if (ordered() && &task != &stage.tasks.front()) {
      admission_.AddAhead(stage.index, -task.reserved);
    }
  }
  task.reserved = 0;
  --stage.running;
  if (stage.native()) --native_running_;
  if (stage.limits.role == StageRole::kWrite) {
    if (stage.parts.Done(task.part) && commits()) commits_.ClosePart(task.part);
    stage.rows_out += task.rows;
    ++stage.blocks_out;
    rows_delivered_ += task.rows;
  }
}

void StateMachine::Yield(StageState& stage, TaskId id, Task& task, const BlockSize& size) {
  LiveBlock* block = blocks_.Add(size, stage.index);
  if (stage.batches()) block->size.chunk = task.chunk;
  task.rows_told += size.rows;
  admission_.Learn(stage.index, size.bytes);
  admission_.Add(stage.index, size.bytes);
  if (size.rows == 0) {
    ++stage.blocks_out;
    Drop(block);
  } else if (stage.limits.isolates_failures) {
    Hold(stage, id, task, block);
  } else if (IsAhead(stage, id)) {
    task.yielded.push_back(block);
    admission_.AddAhead(stage.index, size.bytes);
  } else {
    Pass(stage, block);
  }
}

void StateMachine::Pass(StageState& stage, LiveBlock* block) {
  Piece piece = {block, 0, block->size.rows};
  const std::optional<int64_t>& limit = stage.limits.row_limit;
  if (limit) piece.rows = std::min(piece.rows, *limit - stage.rows_let_out);
  stage.rows_let_out += piece.rows;
  stage.rows_out += piece.rows;
  stage.bytes_out += block->size.bytes;
  ++stage.blocks_out;
  block->holds = 1;
  next(stage).inputs.Push(stage.place.input, piece, next(stage).queue);
  if (follows_chunks() && next(stage).yields()) {
    chunks_.Add(stage.place.consumer, block->size.chunk, piece.rows);
  }
  if (limit && stage.rows_let_out == *limit) CloseThrough(stage.index);
}

void StateMachine::CountFiltered(StageState& stage, int64_t chunk, int64_t rows) {
  if (!stage.limits.only_filters) return;
  stage.rows_filtered += rows;
  if (commits() && rows != 0) commits_.Filter(chunk, rows);
}

void StateMachine::Release(const std::vector<Piece>& pieces) {
  for (const Piece& piece : pieces) {
    if (--piece.block->holds == 0) Drop(piece.block);
  }
}

void StateMachine::Drop(LiveBlock* block) {
  admission_.Add(block->stage, -block->size.bytes);
  actions_.push_back(DropBlock{block->size.block});
  blocks_.Remove(block);
}

void StateMachine::EndTask(StageState& stage, Task& task) {
  LeaveWorker(stage, task);
  CloseTask(stage, task);
}

/// The task runs no more, at least for now.
void StateMachine::LeaveWorker(StageState& stage, Task& task) {
  --stage.open;
  if (task.worker < 0) return;
  Worker& worker = stage.workers[task.worker];
  --worker.tasks;
  worker.alone = false;
  --stage.in_flight;
  UpdateWorker(stage, task.worker);
}

/// The task is finished, and was taken off its worker.
void StateMachine::CloseTask(StageState& stage, Task& task) {
  Release(std::exchange(task.pieces, {}));
  --stage.unfinished;
  stage.rows_done += task.rows;
  if (stage.batches()) CountFiltered(stage, task.chunk, task.rows - task.rows_told);
  if (!ordered() && stage.yields()) chunks_.Remove(stage.index, task.chunk, 1);
}

void StateMachine::TakeOffFinished(StageState& stage) {
  while (!stage.tasks.empty() && stage.tasks.front().state == TaskState::kFinished) {
    if (ordered() && commits() && stage.yields()) {  // With order its blocks have been passed now.
      chunks_.Remove(stage.index, stage.tasks.front().chunk, 1);
    }
    stage.tasks.pop_front();
    ++stage.first_task;
    if (!ordered() || !stage.yields() || stage.tasks.empty()) continue;
    Task& first = stage.tasks.front();
    admission_.AddAhead(stage.index, -first.reserved);
    for (LiveBlock* block : std::exchange(first.yielded, {})) {
      if (stage.done) {
        Drop(block);
        continue;
      }
      admission_.AddAhead(stage.index, -block->size.bytes);
      Pass(stage, block);
    }
    if (stage.done) return;
    admission_.AddAhead(stage.index, -first.held_bytes());
  }
}

bool StateMachine::AnswerAbandoned(StageState& stage, TaskId id) {
  const auto found = stage.abandoned.find(id);
  if (found == stage.abandoned.end()) return false;
  if (stage.yields()) admission_.Add(stage.index, -found->second.reserved);
  if (stage.native()) --native_running_;
  Release(found->second.pieces);
  stage.abandoned.erase(found);
  return true;
}

void StateMachine::AnswerAllAbandoned(StageState& stage, WorkerIndex worker) {
  std::vector<TaskId> ids;
  for (const auto& [id, task] : stage.abandoned) {
    if (task.worker == worker) ids.push_back(id);
  }
  std::sort(ids.begin(), ids.end());
  for (const TaskId id : ids) AnswerAbandoned(stage, id);
}

void StateMachine::EndInput(const StageState& stage) {
  StageState& after = next(stage);
  after.inputs.End(stage.place.input, after.queue);
  after.input_ended = after.input_ended || after.inputs.ended();
}

void StateMachine::CloseThrough(StageIndex last) {
  for (StageIndex index = stages_[last]->place.first_before; index <= last; ++index) {
    if (!stages_[index]->done) Close(*stages_[index]);
  }
  EndInput(*stages_[last]);
}

void StateMachine::Close(StageState& stage) {
  stage.done = stage.input_ended = true;
  AbandonTasks(stage);
  stage.splits.clear();
  while (!stage.queue.empty()) Release({stage.queue.Take(stage.queue.front().rows)});
  Release(stage.inputs.Clear());
  Release(stage.batcher.Clear());
  for (size_t index = 0; index < stage.workers.size(); ++index) {
    Worker& worker = stage.workers[index];
    worker.tasks = worker.waiting = 0;
    UpdateWorker(stage, static_cast<WorkerIndex>(index));
    StopOne(stage, static_cast<WorkerIndex>(index));
  }
}

void StateMachine::AbandonTasks(StageState& stage) {
  for (TaskId id = stage.first_task; id < stage.next_task(); ++id) {
    Task& task = *stage.Find(id);
    const bool is_open = task.state == TaskState::kRunning || task.state == TaskState::kWaiting;
    if (is_open || stage.again.contains(id) || stage.later.contains(id)) {
      actions_.push_back(AbandonTask{stage.index, id});
    }
    for (LiveBlock* block : std::exchange(task.yielded, {})) Drop(block);
    for (LiveBlock* block : std::exchange(task.held, {})) Drop(block);
    if (task.state == TaskState::kRunning) {
      stage.abandoned.emplace(id, std::move(task));
    } else {
      Release(task.pieces);
    }
  }
  stage.first_task = stage.next_start = stage.next_task();
  stage.tasks.clear();
  stage.waiting.clear();
  stage.again.clear();
  stage.later.clear();
  stage.unfinished = 0;
  stage.open = stage.running = stage.in_flight = 0;
  admission_.ClearAhead(stage.index);
}

void StateMachine::EndInputs() {
  for (const auto& stage : stages_) {
    if (!stage->done && stage->input_ended && stage->empty()) {
      stage->done = true;
      JudgeFailures(*stage, Status::OK());
      if (finished_) return;
      if (stage->yields()) EndInput(*stage);
    }
    if (!stage->workers.empty() && stage->starts_no_more()) StopIdleWorkers(*stage);
  }
}

void StateMachine::ChunkComplete(StageIndex index, int64_t chunk) {
  StageState& stage = *stages_[index];
  const bool writes = stage.limits.role == StageRole::kWrite;
  if (ordered() && !writes) return;
  stage.queue.MarkComplete(chunk);
  if (!stage.queue.Drained(chunk)) return;
  stage.queue.Forget(chunk);
  stage.batcher.EndChunk(chunk);
  if (writes) EndChunkOfParts(stage, chunk);
}

void StateMachine::EndChunkOfParts(StageState& stage, int64_t chunk) {
  stage.parts.EndChunk(chunk);
  if (!commits()) return;
  commits_.EndChunk(chunk);
  for (const auto& one : stages_) one->chunks_begun.erase(chunk);
}

/// Commits on the way what is done by now.
void StateMachine::CommitWhatIsDone() {
  if (finished_ || committing_ || !commits_.has_some() || last().done) return;
  if (!draining_ && now_ns_ - committed_ns_ < limits_.commit_interval_ns) return;
  committing_ = true;
  committed_ns_ = now_ns_;
  actions_.push_back(commits_.Take(counts_filtered_));
}

}  // namespace penstock::dispatch
