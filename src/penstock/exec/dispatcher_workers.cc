#include <utility>

#include "penstock/base/error.h"
#include "penstock/exec/dispatcher_machine.h"

namespace penstock::dispatch {

void StateMachine::StartOne(StageState& stage) {
  const WorkerIndex place = stage.FreePlace();
  if (place < 0) return;
  resources_.Take(stage.limits.needs);
  Turn(stage, place, WorkerState::kStarting);
  stage.workers[place].since_ns = now_ns_;
  stage.workers_most = std::max(stage.workers_most, stage.workers_starting + stage.workers_up);
  actions_.push_back(StartWorker{stage.index, place});
}

/// Moves a worker from one state to another and keeps the counts of both.
void StateMachine::Turn(StageState& stage, WorkerIndex index, WorkerState state) {
  Worker& worker = stage.workers[index];
  const auto count = [&](WorkerState counted, int change) {
    if (counted == WorkerState::kStarting) stage.workers_starting += change;
    if (counted == WorkerState::kUp) stage.workers_up += change;
    if (counted == WorkerState::kUp && worker.outgoing()) stage.workers_outgoing += change;
    if (counted == WorkerState::kStarting || counted == WorkerState::kStopping) {
      workers_changing_ += change;
    }
    if (counted != WorkerState::kGone) workers_alive_ += change;
  };
  count(worker.state, -1);
  worker.state = state;
  count(state, 1);
  if (state != WorkerState::kGone) return;
  resources_.Give(stage.limits.needs);
  worker = Worker{};
}

void StateMachine::SetOutgoing(StageState& stage, WorkerIndex index, bool leaves) {
  Worker& worker = stage.workers[index];
  if (!worker.outgoing()) ++stage.workers_outgoing;
  worker.is_old = true;
  worker.leaves = worker.leaves || leaves;
}

void StateMachine::UpdateWorker(StageState& stage, WorkerIndex index) {
  Worker& worker = stage.workers[index];
  const bool busy = worker.tasks > 0 && worker.waiting == 0;
  if (busy && !worker.busy) worker.since_ns = now_ns_;
  const int change = static_cast<int>(busy) - static_cast<int>(worker.busy);
  worker.busy = busy;
  stage.workers_busy += change;
  workers_busy_ += change;
}

void StateMachine::StopIdleWorkers(StageState& stage) {
  for (size_t index = 0; index < stage.workers.size(); ++index) {
    if (stage.workers[index].tasks == 0) StopOne(stage, static_cast<WorkerIndex>(index));
  }
}

void StateMachine::StopOne(StageState& stage, WorkerIndex index) {
  const WorkerState state = stage.workers[index].state;
  if (state != WorkerState::kUp && state != WorkerState::kStarting) return;
  Turn(stage, index, WorkerState::kStopping);
  stage.workers[index].since_ns = now_ns_;
  const bool is_awaited = !stage.limits.needs.empty() || !stage.starts_no_more();
  actions_.push_back(StopWorker{stage.index, index, is_awaited});
}

void StateMachine::Apply(const WorkerUp& event) {
  StageState& stage = StageOf(event.stage);
  Worker& worker = WorkerOf(event.stage, event.worker);
  if (worker.state != WorkerState::kStarting) return;
  Turn(stage, event.worker, WorkerState::kUp);
  stage.failed_builds = stage.killed_builds = 0;
  stage.starts_ns += now_ns_ - worker.since_ns;
  ++stage.starts_seen;
  for (size_t index = 0; index < stage.workers.size(); ++index) {
    const Worker& old = stage.workers[index];
    if (old.state != WorkerState::kUp || !old.is_old || old.leaves) continue;
    SetOutgoing(stage, static_cast<WorkerIndex>(index), /*leaves=*/true);
    return;
  }
}

void StateMachine::Apply(const WorkerTooLarge& event) {
  Worker& worker = WorkerOf(event.stage, event.worker);
  if (worker.state == WorkerState::kUp) worker.is_large = true;
}

void StateMachine::Apply(const WorkerStopped& event) {
  StageState& stage = StageOf(event.stage);
  Worker& worker = WorkerOf(event.stage, event.worker);
  if (worker.state == WorkerState::kGone) return;
  if (worker.state != WorkerState::kStopping) {
    End(MakeError(ErrorKind::kWorkerDied, "A worker of stage '" + stage.limits.name +
                                              "' ended although it had not been told to"));
    return;
  }
  AnswerAllAbandoned(stage, event.worker);
  Turn(stage, event.worker, WorkerState::kGone);
}

void StateMachine::Apply(const WorkerDied& event) {
  StageState& stage = StageOf(event.stage);
  switch (WorkerOf(event.stage, event.worker).state) {
    case WorkerState::kGone:
      return;
    case WorkerState::kStopping:
      return Apply(WorkerStopped{event.stage, event.worker});
    case WorkerState::kStarting:
      Turn(stage, event.worker, WorkerState::kGone);
      if (IsCounted(stage, event)) EndBuild(stage, event);
      return;
    case WorkerState::kUp:
      if (const Status left = TakeBack(stage, event); !left.ok()) return End(left);
      if (finished_) return;
      Turn(stage, event.worker, WorkerState::kGone);
      if (IsCounted(stage, event)) CountRestart(stage, event.status);
      if (!finished_) TakeOffFinished(stage);
      return;
  }
}

/// Whether the death counts: of the threads of one process one does.
bool StateMachine::IsCounted(StageState& stage, const WorkerDied& event) {
  if (event.process < 0) return true;
  return std::exchange(stage.last_dead_process, event.process) != event.process;
}

/// A worker could not be built: another one tries, unless enough have.
void StateMachine::EndBuild(StageState& stage, const WorkerDied& event) {
  const bool is_to_blame = !event.was_killed;
  const int tries = is_to_blame ? ++stage.failed_builds : ++stage.killed_builds;
  const int tries_max = event.raised  ? stage.limits.max_build_tries
                        : is_to_blame ? stage.limits.max_build_deaths
                                      : stage.limits.max_build_kills;
  if (tries_max < 0 || tries < tries_max) return CountRestart(stage, event.status);
  if (tries_max == 1) return End(event.status);
  End(event.status.WithMessage(event.status.message(), " (try ", tries, " of ", tries_max, ")"));
}

/// Takes back the tasks of a worker that died, to run them again; the status that ends the job when
/// one is out of tries.
Status StateMachine::TakeBack(StageState& stage, const WorkerDied& event) {
  const WorkerIndex index = event.worker;
  Status left;
  // Threads of one process die together, whichever of them is to blame.
  const Worker& dead = stage.workers[index];
  const bool was_alone = stage.limits.threads ? dead.alone : dead.tasks == 1;
  for (TaskId id = stage.first_task; id < stage.next_task(); ++id) {
    Task& task = *stage.Find(id);
    const bool is_open = task.state == TaskState::kRunning || task.state == TaskState::kWaiting;
    if (task.worker != index || !is_open) continue;
    TakeBackTask(stage, id, task);
    if (stage.limits.isolates_failures) {
      EndRangeByDeath(stage, id, task, was_alone, event.status);
      if (finished_) return left;
      continue;
    }
    ++task.deaths;
    if (MayRetry(stage, task, event.cause)) {
      RunAgain(stage, id, task, event.cause);
    } else if (left.ok()) {
      left = WithTries(stage, task, event.status);
    }
  }
  Worker& worker = stage.workers[index];
  worker.tasks = worker.waiting = 0;
  UpdateWorker(stage, index);
  return left;
}

void StateMachine::TakeBackTask(StageState& stage, TaskId id, Task& task) {
  if (task.state == TaskState::kRunning) {
    admission_.Add(stage.index, -task.reserved);
    if (IsAhead(stage, id)) admission_.AddAhead(stage.index, -task.reserved);
    task.reserved = 0;
    --stage.running;
  } else {
    stage.waiting.erase(id);
  }
  DropHeld(stage, id, task);
  task.state = TaskState::kReady;
  task.worker = -1;
  --stage.open;
  --stage.in_flight;
}

/// A worker has died: the pool may replace it, or gets smaller. One that has its successor already
/// is no loss.
void StateMachine::CountRestart(StageState& stage, const Status& status) {
  if (stage.pool() >= stage.target) return;
  if (stage.limits.max_restarts >= 0 && stage.restarts >= stage.limits.max_restarts) {
    --stage.target;
    const bool is_wanted = !stage.starts_no_more() || stage.in_flight > 0;
    if (stage.target <= 0 && stage.pool() == 0 && is_wanted) {
      End(status.WithMessage(status.message(), "; no more restarts are allowed (max_restarts=",
                             stage.limits.max_restarts, ")"));
    }
    return;
  }
  ++stage.restarts;
}

}  // namespace penstock::dispatch
