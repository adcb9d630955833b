#include <algorithm>
#include <functional>
#include <queue>
#include <utility>

#include "penstock/runtime/scheduler_machine.h"

namespace penstock::runtime {

void SchedulerMachine::Queue(ScheduledTask& task) {
  if (IsHomeless(task)) return EndHomeless(task);
  TaskShape& shape = shapes_[task.spec.shape];
  task.state = TaskState::kQueued;
  task.order = ++last_order_;
  if (!std::exchange(shape.listed, true)) queued_.push_back(task.spec.shape);
  shape.queue.push_back(task.spec.task);
  place_wanted_ = true;
}

/// Puts a task back among those of its age.
void SchedulerMachine::QueueAgain(ScheduledTask& task) {
  if (IsHomeless(task)) return EndHomeless(task);
  TaskShape& shape = shapes_[task.spec.shape];
  task.state = TaskState::kQueued;
  task.worker = 0;
  if (!std::exchange(shape.listed, true)) queued_.push_back(task.spec.shape);
  const auto is_younger = [&](uint64_t id) {
    const ScheduledTask* other = FindTask(id);
    return other != nullptr && other->order > task.order;
  };
  shape.queue.insert(std::ranges::find_if(shape.queue, is_younger), task.spec.task);
  place_wanted_ = true;
}

/// Returns the first of the queue, null when there is none; what is gone is dropped.
ScheduledTask* SchedulerMachine::HeadOf(TaskShape& shape) {
  while (!shape.queue.empty()) {
    ScheduledTask* task = FindTask(shape.queue.front());
    if (task != nullptr && task->state == TaskState::kQueued) return task;
    shape.queue.pop_front();
  }
  return nullptr;
}

/// Admits what fits, the oldest first.
void SchedulerMachine::PlaceAll() {
  using Head = std::pair<uint64_t, ShapeNumber>;  // By age.
  std::priority_queue<Head, std::vector<Head>, std::greater<>> heads;
  std::erase_if(queued_, [this](ShapeNumber number) {
    TaskShape& shape = shapes_[number];
    shape.listed = HeadOf(shape) != nullptr;
    return !shape.listed;
  });
  for (const ShapeNumber number : queued_) {
    heads.emplace(HeadOf(shapes_[number])->order, number);
  }
  book_.ForgetReserved();
  for (auto& [number, group] : groups_) {
    for (ResourceBook& bundle : group.bundles) bundle.ForgetReserved();
  }
  std::vector<ShapeNumber> stuck;
  while (!heads.empty()) {
    const ShapeNumber number = heads.top().second;
    TaskShape& shape = shapes_[number];
    heads.pop();
    if (!MayAdmit(shape)) {
      if (shape.passed_over > kPassedOverMax) Reserve(shape);
      stuck.push_back(number);
      continue;
    }
    ScheduledTask& task = *HeadOf(shape);
    shape.queue.pop_front();
    shape.passed_over = 0;
    for (const ShapeNumber other : stuck) ++shapes_[other].passed_over;
    Admit(task);
    if (const ScheduledTask* next = HeadOf(shape)) heads.emplace(next->order, number);
  }
  if (!stuck.empty()) SendAhead(stuck.front());  // The oldest alone, so that others get their turn.
}

bool SchedulerMachine::IsShort(const ScheduledTask& task) const {
  if (task.spec.kind != TaskKind::kFunction || task.spec.max_calls > 0) return false;
  const auto usual = durations_ns_.find(task.spec.function);
  return usual != durations_ns_.end() && usual->second < kShortTaskNs;
}

/// Sends short tasks that do not fit behind others of their shape.
void SchedulerMachine::SendAhead(ShapeNumber number) {
  TaskShape& shape = shapes_[number];
  const ScheduledTask* head = HeadOf(shape);
  if (head == nullptr || !IsShort(*head)) return;
  std::vector<WorkerNumber> runners;
  for (const auto& [runner, worker] : workers_) {
    const bool runs = worker.state == WorkerState::kBusy && worker.lease == number;
    if (!runs || worker.actor != 0 || worker.gave_processors || worker.retires || worker.killed ||
        worker.asked_back) {
      continue;
    }
    if (IsShort(tasks_.at(worker.sent.front()))) runners.push_back(runner);
  }
  if (runners.empty()) return;
  const auto share = static_cast<int64_t>(shape.queue.size() / runners.size());
  const auto most = static_cast<size_t>(std::min(kTasksAhead, share));
  for (const WorkerNumber runner : runners) {
    const std::deque<uint64_t>& sent = workers_.at(runner).sent;
    while (sent.size() <= most) {
      ScheduledTask* next = HeadOf(shape);
      if (next == nullptr || !IsShort(*next)) return;
      shape.queue.pop_front();
      Send(runner, *next, false);
    }
  }
}

bool SchedulerMachine::MayAdmit(TaskShape& shape) {
  return RoomFor(shape) >= 0 && HasRunner(shape, HeadOf(shape)->spec.kind);
}

/// Returns whether a worker is idle or may be started for it.
bool SchedulerMachine::HasRunner(const TaskShape& shape, TaskKind kind) const {
  if (kind == TaskKind::kGroup) return true;
  const bool is_free = kind == TaskKind::kFunction && shape.processors() <= 0;
  if (is_free && free_runners_ >= kFreeRunnersMax) return false;
  if (starting_ < options_.starting_max) return true;
  const auto found = environments_.find(shape.environment);
  if (found == environments_.end()) return false;
  const SchedulerEnvironment& environment = found->second;
  return !environment.idle.empty() ||
         environment.starting > static_cast<int>(environment.awaiting.size());
}

void SchedulerMachine::Admit(ScheduledTask& task) {
  const TaskShape& shape = shapes_[task.spec.shape];
  if (task.spec.kind == TaskKind::kGroup) return MakeGroup(task.spec.task, shape);
  task.bundle = RoomFor(shape);
  BookOf(shape, task.bundle).Take(shape.needs);
  if (shape.place.group != 0) ++groups_.at(shape.place.group).leases;
  if (task.spec.kind == TaskKind::kFunction && shape.processors() <= 0) ++free_runners_;
  task.state = TaskState::kAdmitted;
  SchedulerEnvironment& environment = environments_[shape.environment];
  if (!environment.idle.empty()) {
    const WorkerNumber worker = environment.idle.back();
    environment.idle.pop_back();
    --idle_;
    return Send(worker, task, true);
  }
  environment.awaiting.push_back(task.spec.task);
  if (environment.starting >= static_cast<int>(environment.awaiting.size())) return;
  StartFor(shape.environment, task.spec.task);
}

/// Keeps for the shape's head what it lacks, where that will be given back.
void SchedulerMachine::Reserve(const TaskShape& shape) {
  for (const int bundle : BundlesFor(shape)) {
    ResourceBook& book = BookOf(shape, bundle);
    if (!book.WouldFit(shape.needs, HeldForLong(book))) continue;
    return book.Reserve(shape.needs);
  }
}

/// Returns what actors hold of a book, tasks that wait for others, and placement groups.
std::vector<double> SchedulerMachine::HeldForLong(const ResourceBook& book) const {
  std::vector<double> held(book.total().size(), 0.0);
  const auto add = [&held](const std::vector<double>& needs, size_t from) {
    for (size_t i = from; i < needs.size(); ++i) held[i] += needs[i];
  };
  for (const auto& [number, worker] : workers_) {
    if (worker.lease < 0 || (worker.actor == 0 && !worker.gave_processors)) continue;
    const TaskShape& shape = shapes_[worker.lease];
    if (&BookOf(shape, worker.bundle) != &book) continue;
    add(shape.needs, worker.gave_processors ? kProcessorIndex + 1 : 0);
  }
  if (&book != &book_) return held;
  for (const auto& [number, group] : groups_) {
    if (!group.is_ready || group.removed) continue;
    for (const ResourceBook& bundle : group.bundles) add(bundle.total(), 0);
  }
  return held;
}

/// Has the task wait, the longer the more often it did.
void SchedulerMachine::Pause(ScheduledTask& task, int times) {
  int64_t pause_ns = kMemoryPauseNs;
  for (int i = 1; i < times && pause_ns < kMemoryPauseMaxNs; ++i) pause_ns *= 2;
  task.state = TaskState::kPausing;
  task.worker = 0;
  task.wake_ns = now_ns_ + std::min(pause_ns, kMemoryPauseMaxNs);
  pausing_.push_back(task.spec.task);
}

void SchedulerMachine::WakePausing() {
  std::erase_if(pausing_, [this](uint64_t id) {
    ScheduledTask* task = FindTask(id);
    if (task == nullptr || task->state != TaskState::kPausing) return true;
    if (task->wake_ns > now_ns_) return false;
    QueueAgain(*task);
    return true;
  });
}

}  // namespace penstock::runtime
