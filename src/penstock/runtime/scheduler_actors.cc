#include <algorithm>
#include <utility>

#include "penstock/runtime/scheduler_machine.h"

namespace penstock::runtime {

void SchedulerMachine::ActorSubmitted(const TaskSpec& constructor, const ActorSpec& spec) {
  ScheduledActor& actor = actors_[constructor.actor];
  actor.spec = spec;
  actor.constructor = constructor.task;
  TaskSubmitted(constructor);
}

void SchedulerMachine::ActorRefused(const TaskSpec& constructor, SystemError error,
                                    const std::string& why) {
  ScheduledActor& actor = actors_[constructor.actor];
  actor.constructor = constructor.task;
  EndActorFor(constructor.actor, actor, error, why);
}

void SchedulerMachine::CallSubmitted(const TaskSpec& spec) {
  const auto reject = [&](SystemError error, std::string text) {
    actions_.emplace_back(EndTask{.task = spec.task, .error = error, .text = std::move(text)});
  };
  const auto found = actors_.find(spec.actor);
  if (found == actors_.end()) return reject(SystemError::kActorDied, "has ended");
  ScheduledActor& actor = found->second;
  if (actor.state == ActorState::kDead) return reject(actor.error, actor.text);
  const int most = actor.spec.max_pending_calls;
  if (most >= 0 && static_cast<int64_t>(actor.open.size()) >= most) {
    return reject(SystemError::kPendingCallsLimit, "");
  }
  ScheduledTask& task = tasks_.try_emplace(spec.task).first->second;
  task.spec = spec;
  task.order = ++last_order_;
  actor.open.emplace_hint(actor.open.end(), task.order, spec.task);
  if (actor.spec.in_order) actor.callers[spec.caller].push_back(spec.task);
  if (!spec.waits) CallReady(task);
}

void SchedulerMachine::CallReady(ScheduledTask& task) {
  task.state = TaskState::kQueued;
  ScheduledActor& actor = actors_.at(task.spec.actor);
  if (!actor.spec.in_order) {
    actor.ready.push_back(task.spec.task);
    return SendReadyCalls(actor);
  }
  SendCalls(actor, task.spec.caller);
}

bool SchedulerMachine::HasRoom(const ScheduledActor& actor) const {
  return actor.state == ActorState::kAlive && !workers_.at(actor.worker).killed &&
         actor.in_flight < kCallsAhead * std::max(actor.spec.max_concurrency, 1);
}

/// Sends the caller's next calls, as far as they are ready and there is room.
void SchedulerMachine::SendCalls(ScheduledActor& actor, uint32_t caller) {
  if (actor.state != ActorState::kAlive) return;
  const auto found = actor.callers.find(caller);
  if (found == actor.callers.end()) return;
  std::deque<uint64_t>& calls = found->second;
  while (!calls.empty()) {
    ScheduledTask* task = FindTask(calls.front());
    if (task != nullptr && task->state == TaskState::kWaiting) return;
    if (task != nullptr && !HasRoom(actor)) {
      if (std::ranges::find(actor.held_up, caller) == actor.held_up.end()) {
        actor.held_up.push_back(caller);
      }
      return;
    }
    calls.pop_front();
    if (task != nullptr) SendCall(actor, *task);
  }
  actor.callers.erase(found);
}

void SchedulerMachine::SendReadyCalls(ScheduledActor& actor) {
  while (!actor.ready.empty() && HasRoom(actor)) {
    ScheduledTask* task = FindTask(actor.ready.front());
    actor.ready.pop_front();
    if (task != nullptr) SendCall(actor, *task);
  }
}

void SchedulerMachine::SendAllCalls(ScheduledActor& actor) {
  SendReadyCalls(actor);
  std::vector<uint32_t> callers;
  for (const auto& [caller, calls] : actor.callers) callers.push_back(caller);
  for (const uint32_t caller : callers) SendCalls(actor, caller);
}

void SchedulerMachine::SendCall(ScheduledActor& actor, ScheduledTask& task) {
  ++actor.in_flight;
  task.state = TaskState::kSent;
  task.worker = actor.worker;
  if (actor.spec.in_order) workers_.at(actor.worker).sent.push_back(task.spec.task);
  actions_.emplace_back(
      RunTask{.worker = actor.worker, .task = task.spec.task, .attempt = task.attempt++});
}

Answered SchedulerMachine::ConstructorDone(ScheduledActor& actor, ScheduledTask& task,
                                           uint32_t flags) {
  const uint64_t number = task.spec.actor;
  if ((flags & kFailed) != 0) {
    const WorkerNumber worker = actor.worker;
    Forget(task.spec.task);
    actor.constructor = 0;
    EndActorFor(number, actor, SystemError::kActorDied, "could not be built");
    Stop(worker, workers_.at(worker));
    return Answered::kOver;
  }
  actor.state = ActorState::kAlive;
  actor.failed_builds = 0;
  SendAllCalls(actor);
  EndIfUnused(number, actor);
  return Answered::kOpen;
}

Answered SchedulerMachine::CallDone(ScheduledActor& actor, ScheduledTask& task, uint32_t flags) {
  const uint64_t number = task.spec.actor;
  if ((flags & kLeaving) != 0) {
    CallLeft(actor, task);
    return Answered::kOpen;
  }
  --actor.in_flight;
  const bool again = (flags & kRetryWanted) != 0 && !task.cancelled && TakeRetry(task);
  if (again) {
    if (actor.spec.in_order) actor.callers[task.spec.caller].push_back(task.spec.task);
    CallReady(task);
  } else {
    ForgetCall(actor, task);
  }
  if (!actor.held_up.empty() && HasRoom(actor)) {
    const uint32_t caller = actor.held_up.front();
    actor.held_up.pop_front();
    SendCalls(actor, caller);
  }
  SendReadyCalls(actor);
  EndIfUnused(number, actor);
  return again ? Answered::kOpen : Answered::kOver;
}

/// The actor has asked to end, in a call.
void SchedulerMachine::CallLeft(ScheduledActor& actor, ScheduledTask& task) {
  const WorkerNumber worker = actor.worker;
  EndActorFor(task.spec.actor, actor, SystemError::kActorDied, "has ended itself with exit_actor");
  Stop(worker, workers_.at(worker));
}

void SchedulerMachine::ForgetCall(ScheduledActor& actor, ScheduledTask& task) {
  actor.open.erase(task.order);
  Forget(task.spec.task);
}

/// Ends the actor and all its calls, but for its worker.
void SchedulerMachine::EndActorFor(uint64_t number, ScheduledActor& actor, SystemError error,
                                   std::string text) {
  actor.state = ActorState::kDead;
  actor.error = error;
  actor.text = std::move(text);
  actor.worker = 0;
  actor.callers.clear();
  actor.held_up.clear();
  actor.ready.clear();
  if (actor.constructor != 0) End(std::exchange(actor.constructor, 0), SystemError::kNone, "");
  for (const auto& [order, call] : std::exchange(actor.open, {})) {
    const bool cancelled = tasks_.at(call).cancelled;
    End(call, cancelled ? SystemError::kCancelled : error, actor.text);
  }
  actions_.emplace_back(EndActor{.actor = number, .error = error, .text = actor.text});
  if (!actor.referenced) actors_.erase(number);
}

void SchedulerMachine::ActorUnreferenced(uint64_t number) {
  const auto found = actors_.find(number);
  if (found == actors_.end()) return;
  found->second.referenced = false;
  if (found->second.state == ActorState::kDead) {
    actors_.erase(found);
  } else {
    EndIfUnused(number, found->second);
  }
}

/// Ends an actor that nobody refers to and that has nothing left to do.
void SchedulerMachine::EndIfUnused(uint64_t number, ScheduledActor& actor) {
  if (actor.referenced || !actor.open.empty()) return;
  if (actor.state == ActorState::kBuilding || actor.state == ActorState::kDead) return;
  const WorkerNumber worker = actor.worker;
  if (actor.state == ActorState::kPending) WithdrawConstructor(actor);
  EndActorFor(number, actor, SystemError::kActorDied, "has ended, as nobody referred to it");
  if (worker != 0) Stop(worker, workers_.at(worker));
}

void SchedulerMachine::WithdrawConstructor(ScheduledActor& actor) {
  if (ScheduledTask* task = FindTask(actor.constructor)) Withdraw(*task);
}

void SchedulerMachine::KillActor(uint64_t number, bool may_restart) {
  const auto found = actors_.find(number);
  if (found == actors_.end() || found->second.state == ActorState::kDead) return;
  ScheduledActor& actor = found->second;
  const WorkerNumber worker = actor.worker;
  const std::string why = "was killed by kill()";
  if (!may_restart) {
    if (actor.state == ActorState::kPending) WithdrawConstructor(actor);
    EndActorFor(number, actor, SystemError::kActorDied, why);
  }
  if (worker != 0) Kill(worker, workers_.at(worker), why);
}

void SchedulerMachine::ActorWorkerGone(uint64_t number, ScheduledActor& actor,
                                       const WorkerEnd& end) {
  const bool may = actor.spec.max_restarts < 0 || actor.restarts < actor.spec.max_restarts;
  if (!may) return EndActorFor(number, actor, SystemError::kActorDied, end.text);
  Restart(actor, end);
  EndIfUnused(number, actor);
}

/// Runs the constructor again; what was in flight waits for it, or fails.
void SchedulerMachine::Restart(ScheduledActor& actor, const WorkerEnd& end) {
  ++actor.restarts;
  actor.failed_builds = actor.state == ActorState::kBuilding ? actor.failed_builds + 1 : 0;
  actor.state = ActorState::kPending;
  actor.worker = 0;
  actor.in_flight = 0;
  actor.held_up.clear();
  RetryCalls(actor, end.text);
  ScheduledTask& constructor = tasks_.at(actor.constructor);
  if (actor.failed_builds > 0 || end.out_of_memory) {
    Pause(constructor, std::max(actor.failed_builds, 1));
  } else {
    QueueAgain(constructor);
  }
}

/// Puts the calls that were in flight before those that were not, as far as they may be repeated.
void SchedulerMachine::RetryCalls(ScheduledActor& actor, const std::string& text) {
  std::vector<uint64_t> sent;
  for (const auto& [order, call] : actor.open) {
    if (tasks_.at(call).state == TaskState::kSent) sent.push_back(call);
  }
  for (auto call = sent.rbegin(); call != sent.rend(); ++call) {
    ScheduledTask& task = tasks_.at(*call);
    if (task.cancelled || !TakeRetry(task)) {
      const bool cancelled = task.cancelled;
      actor.open.erase(task.order);
      End(*call, cancelled ? SystemError::kCancelled : SystemError::kActorUnavailable, text);
      continue;
    }
    task.state = TaskState::kQueued;
    task.worker = 0;
    if (actor.spec.in_order) {
      actor.callers[task.spec.caller].push_front(*call);
    } else {
      actor.ready.push_front(*call);
    }
  }
}

}  // namespace penstock::runtime
