#include <algorithm>
#include <vector>

#include "penstock/runtime/scheduler_machine.h"

namespace penstock::runtime {

void SchedulerMachine::CancelTask(uint64_t id, uint32_t flags) {
  ScheduledTask* task = FindTask(id);
  if (task == nullptr || task->spec.kind == TaskKind::kConstructor) return;
  if (task->spec.kind == TaskKind::kGroup) return;
  std::vector<uint64_t> children;
  if ((flags & kRecursive) != 0) {
    for (const auto& [number, other] : tasks_) {
      if (other.spec.parent == id) children.push_back(number);
    }
    std::ranges::sort(children);
  }
  if (task->state == TaskState::kSent) {
    CancelSent(*task, (flags & kForce) != 0);
  } else {
    const TaskSpec spec = task->spec;
    if (spec.kind == TaskKind::kMethod) {
      ScheduledActor& actor = actors_.at(spec.actor);
      actor.open.erase(task->order);
      End(id, SystemError::kCancelled, "");
      SendAllCalls(actor);  // It may have held up others.
      EndIfUnused(spec.actor, actor);
    } else {
      Withdraw(*task);
      End(id, SystemError::kCancelled, "");
    }
  }
  for (const uint64_t child : children) CancelTask(child, flags);
}

void SchedulerMachine::CancelSent(ScheduledTask& task, bool force) {
  task.cancelled = true;
  ScheduledWorker& worker = workers_.at(task.worker);
  const bool runs = !worker.sent.empty() && worker.sent.front() == task.spec.task;
  if (force && task.spec.kind == TaskKind::kFunction && runs) {
    return Kill(task.worker, worker, "was killed because its task was cancelled");
  }
  actions_.emplace_back(InterruptTask{.worker = task.worker, .task = task.spec.task});
}

/// Takes back what a task that was not sent has of the machine. True if it had something.
bool SchedulerMachine::Withdraw(ScheduledTask& task) {
  if (task.state != TaskState::kAdmitted) return false;
  const TaskShape& shape = shapes_[task.spec.shape];
  std::erase(environments_[shape.environment].awaiting, task.spec.task);
  GiveLease(shape, task.bundle, task.spec.kind == TaskKind::kFunction, false);
  return true;
}

}  // namespace penstock::runtime
