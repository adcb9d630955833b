#include <algorithm>
#include <string>

#include "penstock/exec/dispatcher_machine.h"

namespace penstock::dispatch {
namespace {

int SlotsNow(const StageState& stage, int native_threads) {
  if (stage.limits.role == StageRole::kCollect) return 0;
  return stage.native() ? std::min(stage.limits.slots, native_threads) : stage.workers_up;
}

int SlotsEver(const StageState& stage, int native_threads) {
  return stage.native() ? SlotsNow(stage, native_threads) : stage.workers_most;
}

int BusyOf(const StageState& stage) { return stage.native() ? stage.running : stage.workers_busy; }

int64_t TasksTotal(const StageState& stage) {
  if (stage.limits.role == StageRole::kCollect) return stage.done ? stage.blocks_out : -1;
  if (stage.done) return stage.tasks_done;
  if (!stage.input_ended) return -1;
  if (stage.limits.role == StageRole::kRead) {
    return stage.next_task() + static_cast<int64_t>(stage.splits.size());
  }
  const bool gathered = stage.inputs.empty() && stage.queue.empty() && stage.batcher.empty();
  return gathered ? stage.next_task() : -1;
}

void CountQueued(const StageState& stage, StageSnapshot& into) {
  into.queued_blocks = stage.queue.blocks() + stage.inputs.blocks();
  into.queued_bytes = stage.queue.bytes() + stage.inputs.bytes() + stage.batcher.gathered_bytes();
  for (TaskId id = stage.batches() ? stage.next_start : stage.next_task(); id < stage.next_task();
       ++id) {
    for (const Piece& piece : stage.tasks[id - stage.first_task].pieces) {
      ++into.queued_blocks;
      into.queued_bytes += piece.block->size.bytes;
    }
  }
}

}  // namespace

void StateMachine::Account(int64_t now_ns) {
  for (const auto& stage : stages_) stage->time.Advance(now_ns - now_ns_);
  now_ns_ = now_ns;
}

void StateMachine::NoteSlots() {
  for (const auto& stage : stages_) {
    stage->time.busy = BusyOf(*stage);
    stage->time.starting = stage->workers_starting;
    stage->time.idle = SlotsNow(*stage, limits_.native_threads) - stage->time.busy;
  }
}

Snapshot StateMachine::TakeSnapshot(int64_t now_ns) const {
  const int64_t until_ns = finished_ ? now_ns_ : std::max(now_ns, now_ns_);
  Snapshot snapshot{.elapsed_ns = until_ns - started_ns_,
                    .budget_bytes = admission_.budget(),
                    .used_bytes = admission_.used(),
                    .used_bytes_max = admission_.used_max(),
                    .rows_delivered = rows_delivered_,
                    .finished = finished_};
  for (const auto& stage : stages_) {
    SlotTime time = stage->time;
    time.Advance(until_ns - now_ns_);
    StageSnapshot one{
        .name = stage->limits.name,
        .rows_in = stage->rows_in,
        .rows_out = stage->rows_out,
        .rows_failed = stage->rows_failed,
        .rows_filtered = stage->rows_filtered,
        .bytes_out = stage->bytes_out,
        .blocks_out = stage->blocks_out,
        .tasks_total = TasksTotal(*stage),
        .tasks_done = stage->tasks_done,
        .tasks_running = stage->open,
        .workers = stage->workers_most,
        .slots = SlotsEver(*stage, limits_.native_threads),
        .starting_ns = time.starting_ns,
        .busy_ns = time.busy_ns,
        .starved_ns = time.starved_ns,
        .blocked_ns = time.blocked_ns,
        .restarts = stage->restarts,
        .retries = stage->retries,
        .recycled = stage->recycled,
        .batch_rows_found = stage->limits.grows_batches ? stage->batch_size.rows() : 0};
    CountQueued(*stage, one);
    snapshot.stages.push_back(std::move(one));
  }
  return snapshot;
}

std::string StateMachine::Describe() const {
  std::string text;
  for (const auto& stage : stages_) {
    const char* state = stage->done                         ? "done"
                        : stage->time.why == Idle::kBlocked ? "waits for room"
                        : stage->time.why == Idle::kStarved ? "waits for input"
                                                            : "runs";
    text += stage->limits.name + ": " + state + "; " + std::to_string(stage->splits.size()) +
            " splits and " + std::to_string(stage->queue.blocks() + stage->inputs.blocks()) +
            " blocks wait, " + std::to_string(stage->gathered_rows()) + " rows gathered, " +
            std::to_string(stage->running) + " steps out, " +
            std::to_string(stage->waiting.size()) + " tasks between steps, " +
            std::to_string(stage->again.size()) + " to be run again, " +
            std::to_string(stage->later.size()) + " to be run again later, " +
            std::to_string(stage->unfinished) + " unfinished of " +
            std::to_string(stage->next_task()) + ", " + std::to_string(stage->workers_up) +
            " workers up; used of budget: " + std::to_string(admission_.used()) + " of " +
            std::to_string(admission_.budget()) + " bytes\n";
  }
  return text;
}

}  // namespace penstock::dispatch
