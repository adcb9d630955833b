#include "penstock/runtime/scheduler.h"

#include <algorithm>
#include <utility>

#include "penstock/runtime/scheduler_machine.h"

namespace penstock::runtime {

std::unique_ptr<Scheduler> Scheduler::Make(SchedulerOptions options) {
  return std::make_unique<SchedulerMachine>(std::move(options));
}

SchedulerMachine::SchedulerMachine(SchedulerOptions options)
    : options_(std::move(options)), book_(options_.resources) {}

ShapeNumber SchedulerMachine::ShapeOf(const std::vector<double>& needs,
                                      EnvironmentNumber environment, const Place& place) {
  const bool reuses = !free_shapes_.empty();
  const ShapeNumber next = reuses ? free_shapes_.back() : static_cast<ShapeNumber>(shapes_.size());
  const auto [known, is_new] = shape_numbers_.try_emplace({needs, environment, place}, next);
  if (!is_new) return known->second;
  if (reuses) {
    free_shapes_.pop_back();
  } else {
    shapes_.emplace_back();
  }
  shapes_[next] = {.needs = needs, .environment = environment, .place = place};
  if (place.group != 0) groups_.at(place.group).shapes.push_back(next);
  return next;
}

void SchedulerMachine::TaskSubmitted(const TaskSpec& task) {
  if (task.kind == TaskKind::kMethod) return CallSubmitted(task);
  ScheduledTask& added = tasks_.try_emplace(task.task).first->second;
  added.spec = task;
  if (!task.waits) Queue(added);
}

void SchedulerMachine::TaskReady(uint64_t task) {
  ScheduledTask* found = FindTask(task);
  if (found == nullptr || !found->spec.waits) return;
  found->spec.waits = false;
  if (found->spec.kind == TaskKind::kMethod) {
    CallReady(*found);
  } else {
    Queue(*found);
  }
}

Answered SchedulerMachine::TaskDone(WorkerNumber worker, uint64_t task, uint32_t flags) {
  ScheduledTask* found = FindTask(task);
  const auto runner = workers_.find(worker);
  if (found == nullptr || runner == workers_.end() || found->worker != worker ||
      found->state != TaskState::kSent) {
    return Answered::kUnknown;
  }
  Unsend(runner->second, found->spec, true);
  if (found->spec.kind == TaskKind::kFunction) {
    return FunctionDone(runner->second, worker, *found, flags);
  }
  ScheduledActor& actor = actors_.at(found->spec.actor);
  if (found->spec.kind == TaskKind::kConstructor) return ConstructorDone(actor, *found, flags);
  return CallDone(actor, *found, flags);
}

Answered SchedulerMachine::FunctionDone(ScheduledWorker& worker, WorkerNumber number,
                                        ScheduledTask& task, uint32_t flags) {
  const TaskSpec spec = task.spec;
  const bool again = (flags & kRetryWanted) != 0 && !task.cancelled && TakeRetry(task);
  if (again) {
    Queue(task);
  } else {
    Forget(spec.task);
  }
  if (spec.max_calls > 0 && ++worker.calls[spec.function] >= spec.max_calls) worker.retires = true;
  if (worker.sent.empty() && worker.state == WorkerState::kBusy) {
    EndLeaseOf(number, worker);
    GiveWork(number);
  }
  place_wanted_ = true;
  return again ? Answered::kOpen : Answered::kOver;
}

bool SchedulerMachine::TaskGivenBack(WorkerNumber worker, uint64_t task) {
  ScheduledTask* found = FindTask(task);
  const auto runner = workers_.find(worker);
  if (found == nullptr || runner == workers_.end() || found->worker != worker ||
      found->state != TaskState::kSent || found->spec.kind != TaskKind::kFunction) {
    return false;
  }
  Unsend(runner->second, found->spec, false);
  --found->attempt;
  if (found->cancelled) {
    End(task, SystemError::kCancelled, "");
  } else {
    QueueAgain(*found);
  }
  if (runner->second.sent.empty() && runner->second.state == WorkerState::kBusy) {
    EndLeaseOf(worker, runner->second);
    GiveWork(worker);
  }
  return true;
}

void SchedulerMachine::Blocked(WorkerNumber worker) {
  const auto found = workers_.find(worker);
  if (found == workers_.end() || found->second.lease < 0 || found->second.gave_processors) return;
  const TaskShape& shape = shapes_[found->second.lease];
  found->second.gave_processors = true;
  place_wanted_ = true;
  if (shape.processors() > 0) {
    return BookOf(shape, found->second.bundle).Give(kProcessorIndex, shape.processors());
  }
  if (found->second.actor == 0) --free_runners_;
}

void SchedulerMachine::Unblocked(WorkerNumber worker) {
  const auto found = workers_.find(worker);
  if (found == workers_.end() || !found->second.gave_processors) return;
  const TaskShape& shape = shapes_[found->second.lease];
  found->second.gave_processors = false;
  if (shape.processors() > 0) {
    return BookOf(shape, found->second.bundle).Take(kProcessorIndex, shape.processors());
  }
  if (found->second.actor == 0) ++free_runners_;
}

uint64_t SchedulerMachine::RunningTask(WorkerNumber worker) const {
  const auto found = workers_.find(worker);
  if (found == workers_.end() || found->second.sent.empty()) return 0;
  return found->second.sent.front();
}

std::vector<Action> SchedulerMachine::TakeActions() {
  if (std::exchange(place_wanted_, false)) PlaceAll();
  if (removed_groups_ > 0) ForgetRemovedGroups();
  return std::exchange(actions_, {});
}

ScheduledTask* SchedulerMachine::FindTask(uint64_t task) {
  const auto found = tasks_.find(task);
  return found == tasks_.end() ? nullptr : &found->second;
}

/// Ends a task of which nothing else knows any more.
void SchedulerMachine::End(uint64_t task, SystemError error, std::string text) {
  Forget(task);
  actions_.emplace_back(EndTask{.task = task, .error = error, .text = std::move(text)});
}

void SchedulerMachine::Forget(uint64_t task) { tasks_.erase(task); }

/// Takes one of the repetitions that the task has left.
bool SchedulerMachine::TakeRetry(ScheduledTask& task) {
  if (task.spec.max_retries >= 0 && task.retries >= task.spec.max_retries) return false;
  ++task.retries;
  return true;
}

}  // namespace penstock::runtime
