#include "penstock/exec/dispatcher_stage.h"

#include <utility>

namespace penstock::dispatch {
namespace {

InputOrder OrderOf(const StageLimits& limits, bool preserve_order) {
  if (limits.role == StageRole::kZip) return InputOrder::kAlongside;
  return limits.inputs.size() > 1 && preserve_order ? InputOrder::kInTurn : InputOrder::kDirect;
}

}  // namespace

StageState::StageState(StageLimits stage_limits, const StagePlace& stage_place, bool preserve_order)
    : limits(std::move(stage_limits)),
      place(stage_place),
      index(stage_place.index),
      inputs(limits.inputs.size(), OrderOf(limits, preserve_order)),
      queue(!preserve_order),
      batcher(limits, preserve_order),
      parts(limits, preserve_order),
      workers(limits.role == StageRole::kWork ? limits.workers : 0) {}

Task* StageState::Find(TaskId task) {
  if (task < first_task || task >= next_task()) return nullptr;
  return &tasks[task - first_task];
}

TaskId StageState::AddTask(Task task) {
  const TaskId id = next_task();
  rows_in += task.rows;
  tasks.push_back(std::move(task));
  ++unfinished;
  return id;
}

bool StageState::empty() const {
  return splits.empty() && inputs.empty() && queue.empty() && batcher.empty() && tasks.empty();
}

bool StageState::starts_no_more() const {
  return done || (input_ended && queue.empty() && batcher.empty() && !has_gathered());
}

WorkerIndex StageState::LeastLoaded() const {
  if (in_flight >= workers_up * limits.in_flight_per_worker) return -1;
  WorkerIndex best = -1;
  for (size_t candidate = 0; candidate < workers.size(); ++candidate) {
    const Worker& worker = workers[candidate];
    if (worker.state != WorkerState::kUp || worker.tasks >= limits.in_flight_per_worker) continue;
    if (best < 0 || worker.tasks < workers[best].tasks) {
      best = static_cast<WorkerIndex>(candidate);
    }
  }
  return best;
}

}  // namespace penstock::dispatch
