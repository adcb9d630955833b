#include <string>

#include "penstock/base/error.h"
#include "penstock/exec/dispatcher_machine.h"

namespace penstock::dispatch {
namespace {

constexpr int64_t kSecondNs = 1'000'000'000;
constexpr int64_t kStopMaxNs = 5 * kSecondNs;  // For a worker to leave after it was told to.

std::string Seconds(int64_t ns) { return std::to_string(ns / kSecondNs) + " s"; }

std::string Count(int64_t count, const char* what) {
  return std::to_string(count) + " " + what + (count == 1 ? "" : "s");
}

}  // namespace

void StateMachine::Apply(const Tick& event) {
  for (const auto& stage : stages_) {
    if (stage->native()) continue;
    EndWaits(*stage);
    EndLongSteps(*stage);
    EndLongStops(*stage);
    Resize(*stage);
  }
  WatchProgress();
}

void StateMachine::EndLongSteps(StageState& stage) {
  if (stage.limits.batch_timeout_ns == 0) return;
  for (size_t index = 0; index < stage.workers.size(); ++index) {
    Worker& worker = stage.workers[index];
    const int64_t busy_ns = worker.spent_ns + now_ns_ - worker.since_ns;
    const bool is_late = worker.state == WorkerState::kUp && worker.busy && !worker.killed &&
                         busy_ns > stage.limits.batch_timeout_ns;
    if (!is_late) continue;
    worker.killed = true;
    actions_.push_back(KillWorker{stage.index, static_cast<WorkerIndex>(index), busy_ns});
  }
}

/// Ends workers that somebody waits for and that do not leave by themselves.
void StateMachine::EndLongStops(StageState& stage) {
  for (size_t index = 0; index < stage.workers.size(); ++index) {
    Worker& worker = stage.workers[index];
    const int64_t passed_ns = now_ns_ - worker.since_ns;
    const bool is_late =
        worker.state == WorkerState::kStopping && !worker.killed && passed_ns > kStopMaxNs;
    if (!is_late) continue;
    worker.killed = true;
    actions_.push_back(KillWorker{stage.index, static_cast<WorkerIndex>(index), passed_ns});
  }
}

/// A caller who does not take what is ready keeps the job waiting, not the other way round.
void StateMachine::WatchProgress() {
  if (!emitted_.empty()) progress_ns_ = now_ns_;
  const int64_t passed_ns = now_ns_ - progress_ns_;
  if (limits_.fail_after_ns > 0 && passed_ns > limits_.fail_after_ns) {
    return End(MakeError(ErrorKind::kNoProgress,
                         "Nothing has happened for " + Seconds(passed_ns) + ": " + WaitsFor()));
  }
  if (limits_.warn_after_ns == 0 || passed_ns <= limits_.warn_after_ns || warned_) return;
  warned_ = true;
  actions_.push_back(Warn{"Nothing has happened for " + Seconds(passed_ns) + ": " + WaitsFor()});
}

/// Names, stage by stage, what is under way and what is lacking.
std::string StateMachine::WaitsFor() const {
  std::string text;
  for (const auto& stage : stages_) {
    if (stage->done) continue;
    std::string what;
    if (stage->listing) what = "waits for the list of its input";
    if (stage->native() && stage->running > 0) what = "runs " + Count(stage->running, "step");
    if (stage->workers_busy > 0) {
      what = Count(stage->workers_busy, "worker") + " busy, each with one batch all that time";
    }
    if (stage->workers_starting > 0) {
      what = Count(stage->workers_starting, "worker") + " being built";
    }
    if (!stage->later.empty()) {
      what = Count(static_cast<int64_t>(stage->later.size()), "batch") +
             " to be run again in a while, after what was raised";
    }
    if (LacksWorker(*stage)) {
      what = "has no worker, and for one there is too little left of: " +
             resources_.Missing(stage->limits.needs);
    }
    if (!what.empty()) text += "stage " + stage->limits.name + " " + what + "; ";
  }
  if (committing_) text += "the output is being committed; ";
  return text + std::to_string(admission_.used()) + " of " + std::to_string(admission_.budget()) +
         " bytes of the memory budget are used";
}

}  // namespace penstock::dispatch
