// Batches that failed run again, as often as the budget of what they failed by allows: see
// "Retries" in dispatcher.h.
#include <algorithm>
#include <array>
#include <numeric>
#include <string>

#include "penstock/base/mix.h"
#include "penstock/exec/dispatcher_machine.h"

namespace penstock::dispatch {
namespace {

constexpr std::array<const char*, kByException> kDeathNames{"crash", "time-out", "out of memory"};

std::string NameOf(const StageLimits& limits, Cause cause) {
  if (cause < kByException) return kDeathNames.at(static_cast<size_t>(cause));
  return limits.retries.at(static_cast<size_t>(cause)).name;
}

int RetriesOf(const StageLimits& limits, Cause cause) {
  const auto place = static_cast<size_t>(cause);
  return place < limits.retries.size() ? limits.retries[place].retries : 0;
}

/// Returns how long a task waits after so many failures of one cause: between a half of what would
/// be due and all of it, so that batches which failed together do not come back together.
int64_t WaitOf(const RetryBudget& budget, TaskId task, int failures) {
  int64_t due_ns = std::min(budget.wait_ns, budget.wait_max_ns);
  for (int doubled = 1; doubled < failures && due_ns < budget.wait_max_ns; ++doubled) {
    due_ns = due_ns > budget.wait_max_ns / 2 ? budget.wait_max_ns : 2 * due_ns;
  }
  const uint64_t draw = Mix(Mix(static_cast<uint64_t>(task)) + static_cast<uint64_t>(failures));
  const int64_t half_ns = due_ns / 2;
  return due_ns - half_ns + static_cast<int64_t>(draw % static_cast<uint64_t>(half_ns + 1));
}

}  // namespace

/// Counts a failure of the task; false where the budget of its cause is used up.
bool StateMachine::MayRetry(const StageState& stage, Task& task, Cause cause) {
  if (cause == kNoCause) return false;
  const auto place = static_cast<size_t>(cause);
  task.failures.resize(std::max(task.failures.size(), place + 1));
  const int failures = ++task.failures[place];
  const int retries_max = RetriesOf(stage.limits, cause);
  return retries_max < 0 || failures <= retries_max;
}

/// Has a task that is off its worker run again, at once or in a while.
void StateMachine::RunAgain(StageState& stage, TaskId id, Task& task, Cause cause) {
  const auto place = static_cast<size_t>(cause);
  const RetryBudget& budget = stage.limits.retries[place];
  task.state = TaskState::kReady;
  if (cause >= kByException) ++stage.retries;
  if (budget.wait_ns == 0 || budget.wait_max_ns == 0) {
    stage.again.insert(id);
  } else {
    stage.later[id] = now_ns_ + WaitOf(budget, id, task.failures[place]);
  }
}

void StateMachine::EndWaits(StageState& stage) {
  std::erase_if(stage.later, [&](const auto& one) {
    const bool is_due = one.second <= now_ns_;
    if (is_due) stage.again.insert(one.first);
    return is_due;
  });
}

/// Says of a task that ends the job how often it was run, and by what it failed.
Status StateMachine::WithTries(const StageState& stage, const Task& task, const Status& status) {
  const int failures = std::accumulate(task.failures.begin(), task.failures.end(), 0);
  std::string text;
  for (size_t place = 0; place < task.failures.size(); ++place) {
    if (task.failures[place] == 0) continue;
    const auto cause = static_cast<Cause>(place);
    const int retries = RetriesOf(stage.limits, cause);
    text += (text.empty() ? "" : ", ") + NameOf(stage.limits, cause) + " " +
            std::to_string(task.failures[place]) +
            " times (retries allowed: " + (retries < 0 ? "any number" : std::to_string(retries)) +
            ")";
  }
  if (failures == 0 || text.empty()) return status;
  return status.WithMessage(status.message(), "; what ended the batch's runs: ", text);
}

}  // namespace penstock::dispatch
