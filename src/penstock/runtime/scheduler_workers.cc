#include <algorithm>
#include <utility>

#include "penstock/runtime/scheduler_machine.h"

namespace penstock::runtime {
namespace {

constexpr size_t kDurationsMax = 4096;

}  // namespace

void SchedulerMachine::StartFor(EnvironmentNumber environment, uint64_t task) {
  const WorkerNumber number = ++last_worker_;
  workers_[number].environment = environment;
  ++starting_;
  ++environments_[environment].starting;
  actions_.emplace_back(StartWorker{.worker = number, .environment = environment, .task = task});
}

void SchedulerMachine::StartAhead() {
  if (workers_.empty()) StartFor(0, 0);
}

void SchedulerMachine::WorkerUp(WorkerNumber worker) {
  const auto found = workers_.find(worker);
  if (found == workers_.end() || found->second.state != WorkerState::kStarting) return;
  SchedulerEnvironment& environment = environments_[found->second.environment];
  --starting_;
  --environment.starting;
  environment.start_failures = 0;
  place_wanted_ = true;
  GiveWork(worker);
}

/// Gives a worker without a lease the task that waits longest for one, or lets it idle.
void SchedulerMachine::GiveWork(WorkerNumber number) {
  ScheduledWorker& worker = workers_.at(number);
  if (worker.retires) return Stop(number, worker);
  SchedulerEnvironment& environment = environments_[worker.environment];
  if (environment.awaiting.empty()) return MakeIdle(number);
  ScheduledTask& task = tasks_.at(environment.awaiting.front());
  environment.awaiting.pop_front();
  Send(number, task, true);
}

void SchedulerMachine::MakeIdle(WorkerNumber number) {
  ScheduledWorker& worker = workers_.at(number);
  worker.state = WorkerState::kIdle;
  worker.since_ns = now_ns_;
  environments_[worker.environment].idle.push_back(number);
  ++idle_;
  place_wanted_ = true;
}

/// Sends a task to the worker; the first of a lease makes that the worker's.
void SchedulerMachine::Send(WorkerNumber number, ScheduledTask& task, bool takes) {
  ScheduledWorker& worker = workers_.at(number);
  if (takes) {
    worker.state = WorkerState::kBusy;
    worker.lease = task.spec.shape;
    worker.bundle = task.bundle;
  }
  if (task.spec.kind == TaskKind::kConstructor) {
    ScheduledActor& actor = actors_.at(task.spec.actor);
    actor.state = ActorState::kBuilding;
    actor.worker = number;
    worker.actor = task.spec.actor;
  }
  if (worker.sent.empty()) {
    worker.begun_ns = now_ns_;
    worker.asked_back = false;
  } else {
    ++ahead_;
  }
  worker.sent.push_back(task.spec.task);
  task.state = TaskState::kSent;
  task.worker = number;
  actions_.emplace_back(
      RunTask{.worker = number, .task = task.spec.task, .attempt = task.attempt++, .takes = takes});
}

/// A task is no longer with its worker, which has run it (`ran`) or not begun.
void SchedulerMachine::Unsend(ScheduledWorker& worker, const TaskSpec& task, bool ran) {
  if (worker.sent.empty()) return;
  const bool is_function = task.kind == TaskKind::kFunction;
  if (is_function && worker.sent.size() > 1) --ahead_;
  if (worker.sent.front() != task.task) {
    std::erase(worker.sent, task.task);
    return;
  }
  worker.sent.pop_front();
  const int64_t took_ns = now_ns_ - std::exchange(worker.begun_ns, now_ns_);
  if (!is_function || !ran) return;
  if (durations_ns_.size() >= kDurationsMax) durations_ns_.clear();
  int64_t& usual_ns = durations_ns_.try_emplace(task.function, took_ns).first->second;
  usual_ns += (took_ns - usual_ns) / 4;
}

void SchedulerMachine::EndLeaseOf(WorkerNumber number, ScheduledWorker& worker) {
  if (worker.lease < 0) return;
  GiveLease(shapes_[worker.lease], worker.bundle, worker.actor == 0, worker.gave_processors);
  worker.lease = -1;
  worker.gave_processors = false;
  actions_.emplace_back(EndLease{.worker = number});
}

void SchedulerMachine::GiveLease(const TaskShape& shape, int bundle, bool is_function,
                                 bool gave_processors) {
  ResourceBook& book = BookOf(shape, bundle);
  book.Give(shape.needs);
  if (gave_processors && shape.processors() > 0) book.Take(kProcessorIndex, shape.processors());
  if (shape.place.group != 0) --groups_.at(shape.place.group).leases;
  if (is_function && shape.processors() <= 0 && !gave_processors) --free_runners_;
  place_wanted_ = true;
}

void SchedulerMachine::Stop(WorkerNumber number, ScheduledWorker& worker) {
  worker.state = WorkerState::kStopping;
  worker.since_ns = now_ns_;
  ++stopping_;
  actions_.emplace_back(StopWorker{.worker = number});
}

void SchedulerMachine::Kill(WorkerNumber number, ScheduledWorker& worker, std::string why) {
  if (std::exchange(worker.killed, true)) return;
  actions_.emplace_back(KillWorker{.worker = number, .why = std::move(why)});
}

void SchedulerMachine::WorkerGone(WorkerNumber number, const WorkerEnd& end) {
  const auto found = workers_.find(number);
  if (found == workers_.end()) return;
  EndLeaseOf(number, found->second);
  ScheduledWorker worker = std::move(found->second);
  workers_.erase(found);
  place_wanted_ = true;
  switch (worker.state) {
    case WorkerState::kStarting:
      return FailedToStart(worker.environment, end);
    case WorkerState::kIdle:
      --idle_;
      std::erase(environments_[worker.environment].idle, number);
      return;
    case WorkerState::kStopping:
      --stopping_;
      break;
    case WorkerState::kBusy:
      break;
  }
  if (worker.actor == 0) return FunctionWorkerGone(worker, end);
  const auto actor = actors_.find(worker.actor);
  if (actor == actors_.end() || actor->second.worker != number) return;
  ActorWorkerGone(worker.actor, actor->second, end);
}

/// A worker has died before it said hello: another is started, or whoever waits for one fails.
void SchedulerMachine::FailedToStart(EnvironmentNumber number, const WorkerEnd& end) {
  SchedulerEnvironment& environment = environments_[number];
  --starting_;
  --environment.starting;
  if (environment.awaiting.empty()) return;
  if (++environment.start_failures < kStartFailuresMax) {
    if (environment.starting < static_cast<int>(environment.awaiting.size())) {
      StartFor(number, environment.awaiting.front());
    }
    return;
  }
  environment.start_failures = 0;
  for (const uint64_t id : std::exchange(environment.awaiting, {})) {
    const TaskSpec spec = tasks_.at(id).spec;
    GiveLease(shapes_[spec.shape], tasks_.at(id).bundle, spec.kind == TaskKind::kFunction, false);
    if (spec.kind == TaskKind::kConstructor) {
      EndActorFor(spec.actor, actors_.at(spec.actor), SystemError::kEnvironment, end.text);
    } else {
      End(id, SystemError::kEnvironment, end.text);
    }
  }
}

/// What the worker ran is repeated as far as it may be; what it had not begun, in any case.
void SchedulerMachine::FunctionWorkerGone(ScheduledWorker& worker, const WorkerEnd& end) {
  while (worker.sent.size() > 1) {
    ScheduledTask& task = tasks_.at(worker.sent.back());
    worker.sent.pop_back();
    --ahead_;
    --task.attempt;
    if (task.cancelled) {
      End(task.spec.task, SystemError::kCancelled, "");
    } else {
      QueueAgain(task);
    }
  }
  if (!worker.sent.empty()) TaskDied(tasks_.at(worker.sent.front()), end);
}

void SchedulerMachine::TaskDied(ScheduledTask& task, const WorkerEnd& end) {
  const uint64_t id = task.spec.task;
  if (task.cancelled) return End(id, SystemError::kCancelled, "");
  if (IsHomeless(task)) return EndHomeless(task);
  if (end.out_of_memory) {
    if (task.spec.max_retries != 0 && task.memory_kills < kMemoryRetriesMax) {
      return Pause(task, ++task.memory_kills);
    }
    return End(id, SystemError::kOutOfMemory, end.text);
  }
  if (!TakeRetry(task)) return End(id, SystemError::kWorkerCrashed, end.text);
  QueueAgain(task);
}

void SchedulerMachine::Tick(int64_t now_ns) {
  now_ns_ = now_ns;
  if (now_ns - looked_ns_ < kTickNs / 2) return;
  looked_ns_ = now_ns;
  WakePausing();
  EndLongIdle();
  if (ahead_ > 0) TakeBackBehindLong();
  if (stopping_ == 0) return;
  for (auto& [number, worker] : workers_) {
    if (worker.state != WorkerState::kStopping || now_ns - worker.since_ns < kStopTimeNs) continue;
    Kill(number, worker, "was killed because it did not end when it was told to");
  }
}

bool SchedulerMachine::WantsTicks() const {
  return !pausing_.empty() || stopping_ > 0 || ahead_ > 0 || idle_ > options_.idle_kept;
}

/// Asks for what waits behind a task that lasts longer than was thought.
void SchedulerMachine::TakeBackBehindLong() {
  for (auto& [number, worker] : workers_) {
    if (worker.actor != 0 || worker.sent.size() < 2 || worker.asked_back) continue;
    if (now_ns_ - worker.begun_ns < kLongTaskNs) continue;
    worker.asked_back = true;
    durations_ns_[tasks_.at(worker.sent.front()).spec.function] = now_ns_ - worker.begun_ns;
    actions_.emplace_back(
        TakeBack{.worker = number, .tasks = {worker.sent.begin() + 1, worker.sent.end()}});
  }
}

void SchedulerMachine::EndLongIdle() {
  while (idle_ > options_.idle_kept) {
    SchedulerEnvironment* longest = nullptr;
    int64_t since_ns = now_ns_ - kIdleTimeNs;
    for (auto& [number, environment] : environments_) {
      if (environment.idle.empty()) continue;
      const int64_t idle_ns = workers_.at(environment.idle.front()).since_ns;
      if (idle_ns > since_ns) continue;
      longest = &environment;
      since_ns = idle_ns;
    }
    if (longest == nullptr) return;
    const WorkerNumber number = longest->idle.front();
    longest->idle.erase(longest->idle.begin());
    --idle_;
    Stop(number, workers_.at(number));
  }
}

}  // namespace penstock::runtime
