// What goes wrong in the simulated world, and what becomes of it.
#include <algorithm>
#include <utility>

#include "exec/simulated_world.h"
#include "penstock/base/error.h"

namespace penstock {

void SimulatedWorld::Inject() {
  if (job_.fault == Fault::kNone || fault_injected_) return;
  if (events_handled_ < job_.fault_after_events) return;
  std::optional<Event> fault = MakeFault();
  if (!fault) return;
  fault_injected_ = true;
  const std::vector<Action> actions = dispatcher_->Handle(*fault, now_ns_);
  if (job_.fault == Fault::kDrain && job_.stages.back().limits.commits_chunks) {
    return CarryOut(actions);
  }
  Require(actions.size() == 1 && std::holds_alternative<Finish>(actions[0]),
          "a failure ends the job at once");
  CarryOut(actions);
}

std::optional<Event> SimulatedWorld::MakeFault() {
  fault_status_ = MakeError(ErrorKind::kWorkerDied, "made up");
  switch (job_.fault) {
    case Fault::kNone:
      return std::nullopt;
    case Fault::kTaskFails:
      for (size_t stage = 0; stage < tasks_.size(); ++stage) {
        for (const auto& [id, task] : tasks_[stage]) {
          if (task.step_out && !task.abandoned) {
            return TaskFailed{static_cast<StageIndex>(stage), id, fault_status_};
          }
        }
      }
      return std::nullopt;
    case Fault::kJobFails:
      return JobFailed{fault_status_};
    case Fault::kDrain:
      fault_status_ = Status::Cancelled("The job was cancelled");
      return Drain{};
    case Fault::kCancel:
      fault_status_ = Status::Cancelled("The job was cancelled");
      return Cancel{};
  }
  return std::nullopt;
}

/// Now and then tells the time, has a worker die, or finds one too large.
void SimulatedWorld::Disturb() {
  if (job_.ticks && Random(2) == 0) Post(Random(1000), Tick{});
  if (Random(99) >= job_.death_percent) return;
  std::vector<std::pair<StageIndex, WorkerIndex>> alive;
  for (size_t stage = 0; stage < workers_.size(); ++stage) {
    for (size_t worker = 0; worker < workers_[stage].size(); ++worker) {
      const SimulatedWorker::State state = workers_[stage][worker].state;
      if (state == SimulatedWorker::State::kUp || state == SimulatedWorker::State::kStarting) {
        alive.emplace_back(stage, worker);
      }
    }
  }
  if (alive.empty()) return;
  const auto& [stage, worker] = alive[static_cast<size_t>(Random(alive.size() - 1))];
  Disturb(stage, worker);
}

void SimulatedWorld::Disturb(StageIndex stage, WorkerIndex index) {
  const SimulatedWorker& worker = workers_[stage][index];
  if (Random(3) == 0) return Post(0, WorkerTooLarge{stage, index}, worker.life);
  WorkerDied died{stage, index, MakeError(ErrorKind::kWorkerDied, "died")};
  died.raised = worker.state == SimulatedWorker::State::kStarting && Random(1) == 0;
  died.was_killed = !died.raised && Random(1) == 0;
  died.cause = static_cast<Cause>(Random(kByException - 1));
  Post(0, std::move(died), worker.life);
}

bool SimulatedWorld::DeathHappens(const WorkerDied& event, int64_t life) {
  SimulatedWorker& worker = workers_[event.stage][event.worker];
  const StageLimits& limits = Limits(event.stage);
  if (worker.life != life) return false;
  const bool was_starting = worker.state == SimulatedWorker::State::kStarting;
  if (!was_starting && worker.state != SimulatedWorker::State::kUp) return false;
  deaths_happened_ = true;
  died_together_.insert({event.stage, event.worker});
  worker.state = SimulatedWorker::State::kGone;
  LoseTasks(event.stage, worker, event.cause);
  if (was_starting && event.was_killed) {
    const int kills = ++killed_builds_[event.stage];
    const bool is_last = limits.max_build_kills >= 0 && kills >= limits.max_build_kills;
    may_fail_by_death_ = may_fail_by_death_ || is_last;
  } else if (was_starting) {
    const int tries = event.raised ? limits.max_build_tries : limits.max_build_deaths;
    if (++failed_builds_[event.stage] >= tries) may_fail_by_death_ = true;
  }
  const bool is_last = ++restarts_[event.stage] > limits.max_restarts && limits.max_restarts >= 0;
  may_fail_by_death_ = may_fail_by_death_ || is_last;
  return true;
}

void SimulatedWorld::LoseTasks(StageIndex stage, SimulatedWorker& worker, Cause cause) {
  for (const TaskId id : std::exchange(worker.tasks, {})) {
    SimulatedTask& task = tasks_[stage].at(id);
    if (task.step_out) {
      --steps_;
      reserved_bytes_ -= task.reserved;
    }
    task.step_out = false;
    task.worker = -1;
    task.lost = true;
    ++task.deaths;
    if (!Limits(stage).isolates_failures) CountFailure(stage, task, cause);
  }
}

/// Counts a failure of a batch; from the one on that no budget allows the job may end.
void SimulatedWorld::CountFailure(StageIndex stage, SimulatedTask& task, Cause cause) {
  const RetryBudget& budget = Limits(stage).retries.at(static_cast<size_t>(cause));
  const int failures = ++task.failures[cause];
  if (budget.retries >= 0 && failures > budget.retries) may_fail_by_death_ = true;
  int64_t wait_ns = std::min(budget.wait_ns, budget.wait_max_ns);
  for (int doubled = 1; doubled < std::min(failures, 30); ++doubled) {
    wait_ns = std::min(2 * wait_ns, budget.wait_max_ns);
  }
  task.not_before_ns = now_ns_ + wait_ns / 2;
  task.waits_until_ns = now_ns_ + wait_ns;
}

/// A batch fails in a step's place by what may be tried again.
Event SimulatedWorld::MakeFlaw(const StepDone& event, SimulatedTask& task) {
  const auto rules = static_cast<int64_t>(Limits(event.stage).retries.size()) - kByException;
  const auto cause = static_cast<Cause>(kByException + Random(rules - 1));
  CountFailure(event.stage, task, cause);
  LeaveWorker(event.stage, task);
  return TaskFailed{.stage = event.stage,
                    .task = event.task,
                    .status = MakeError(ErrorKind::kWorkerDied, "a flaw"),
                    .by_functions = true,
                    .cause = cause};
}

bool SimulatedWorld::WaitsForTime() const {
  for (const auto& tasks : tasks_) {
    for (const auto& [id, task] : tasks) {
      if (task.lost && ticked_ns_ < task.waits_until_ns) return true;
    }
  }
  return false;
}

void SimulatedWorld::TakeUpAgain(const StartTask& action, SimulatedTask& task) {
  if (Limits(action.stage).isolates_failures) return TakeUpRange(action, task);
  Require(task.lost && action.worker >= 0, "only a task whose worker died runs again", action.task);
  Require(task.pieces == action.pieces, "what runs again gets the rows that it had", action.task);
  Require(task.deaths == 0 || workers_[action.stage][action.worker].tasks.empty(),
          "what runs again after a death runs alone", action.task);
  Require(now_ns_ >= task.not_before_ns, "what runs again has waited", action.task);
  if (!violation_.empty()) return;
  task.lost = false;
  task.again = task.deaths > 0;
  task.worker = action.worker;
  GiveToWorker(action);
  if (violation_.empty()) StepOut(action.stage, action.task, task);
}

}  // namespace penstock
