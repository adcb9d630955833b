#include "penstock/exec/dispatcher_stage.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace penstock::dispatch {
namespace {

InputOrder OrderOf(const StageLimits& limits, bool preserve_order) {
  if (limits.role == StageRole::kZip) return InputOrder::kAlongside;
  return limits.inputs.size() > 1 && preserve_order ? InputOrder::kInTurn : InputOrder::kDirect;
}

}  // namespace

int64_t Task::held_bytes() const {
  int64_t bytes = 0;
  for (const LiveBlock* block : held) bytes += block->size.bytes;
  return bytes;
}

std::vector<PieceRef> Task::NextPieces() const {
  std::vector<PieceRef> next;
  int64_t skipped = ranges.empty() ? 0 : ranges.back().offset;
  int64_t wanted = ranges.empty() ? std::numeric_limits<int64_t>::max() : ranges.back().rows;
  for (const Piece& piece : pieces) {
    const int64_t before = std::min(skipped, piece.rows);
    const int64_t taken = std::min(piece.rows - before, wanted);
    skipped -= before;
    wanted -= taken;
    if (taken > 0) next.push_back({piece.block->size.block, piece.offset + before, taken});
  }
  return next;
}

StageState::StageState(StageLimits stage_limits, const StagePlace& stage_place, bool preserve_order)
    : limits(std::move(stage_limits)),
      place(stage_place),
      index(stage_place.index),
      inputs(limits.inputs.size(), OrderOf(limits, preserve_order)),
      queue(!preserve_order || limits.commits_chunks),
      batcher(limits, preserve_order),
      parts(limits, preserve_order),
      workers(limits.role == StageRole::kWork ? 2 * static_cast<size_t>(limits.workers) : 0),
      target(limits.workers_initial > 0 ? limits.workers_initial : limits.workers),
      pool_size(limits.workers_min > 0 ? limits.workers_min : limits.workers, limits.workers) {
  if (limits.grows_batches) batcher.SetRows(batch_size.rows());
}

Task* StageState::Find(TaskId task) {
  if (task < first_task || task >= next_task()) return nullptr;
  return &tasks[task - first_task];
}

TaskId StageState::AddTask(Task task) {
  const TaskId id = next_task();
  rows_in += task.rows;
  if (limits.isolates_failures) task.ranges = {{.rows = task.rows}};
  tasks.push_back(std::move(task));
  ++unfinished;
  return id;
}

int64_t StageState::held_bytes() const {
  if (!limits.isolates_failures) return 0;
  int64_t bytes = 0;
  for (const Task& task : tasks) bytes += task.held_bytes();
  return bytes;
}

bool StageState::empty() const {
  return splits.empty() && inputs.empty() && queue.empty() && batcher.empty() && tasks.empty();
}

bool StageState::starts_no_more() const {
  return done || (input_ended && queue.empty() && batcher.empty() && !has_gathered() &&
                  again.empty() && later.empty());
}

WorkerIndex StageState::LeastLoaded() const {
  if (in_flight >= workers_up * limits.in_flight_per_worker) return -1;
  const bool one_is_alone =
      limits.threads && std::ranges::any_of(workers, [](const Worker& one) { return one.alone; });
  if (one_is_alone) return -1;
  const int64_t batches_max = limits.max_batches_per_worker;
  WorkerIndex best = -1;
  for (size_t candidate = 0; candidate < workers.size(); ++candidate) {
    const Worker& worker = workers[candidate];
    if (worker.state != WorkerState::kUp || worker.alone || worker.leaves || worker.killed) {
      continue;
    }
    if (worker.tasks >= limits.in_flight_per_worker) continue;
    if (batches_max > 0 && worker.batches >= batches_max) continue;
    if (best < 0 || worker.tasks < workers[best].tasks) best = static_cast<WorkerIndex>(candidate);
  }
  return best;
}

WorkerIndex StageState::IdleWorker() const {
  const WorkerIndex least = LeastLoaded();
  return least >= 0 && workers[least].tasks == 0 ? least : -1;
}

WorkerIndex StageState::FreePlace() const {
  for (size_t place_of = 0; place_of < workers.size(); ++place_of) {
    if (workers[place_of].state == WorkerState::kGone) return static_cast<WorkerIndex>(place_of);
  }
  return -1;
}

}  // namespace penstock::dispatch
