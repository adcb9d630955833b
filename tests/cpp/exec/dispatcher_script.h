#pragma once

#include <memory>
#include <string>
#include <vector>

#include "penstock/exec/dispatcher.h"

namespace penstock {

/// Writes an action as a short line, e.g. "start 1/0 [7:0+5] worker 0" for task 0 of stage 1.
std::string ToLine(const Action& action);

/// Drives a dispatcher by hand; every call returns the actions as lines.
class DispatcherScript {
 public:
  DispatcherScript(std::vector<StageLimits> stages, DispatcherLimits limits);

  std::vector<std::string> Start() { return Lines(dispatcher_->Start(now_ns)); }
  std::vector<std::string> Send(const Event& event) {
    return Lines(dispatcher_->Handle(event, now_ns));
  }

  /// Sends SplitsListed with one split a chunk given, and `last`.
  std::vector<std::string> List(const std::vector<int64_t>& chunks, bool last = true,
                                StageIndex stage = 0);

  /// Sends StepDone with a block.
  std::vector<std::string> Done(StageIndex stage, TaskId task, BlockId block, int64_t rows,
                                int64_t chunk = 0, bool finished = true, int64_t bytes = 10);
  std::vector<std::string> DoneEmpty(StageIndex stage, TaskId task);

  Snapshot TakeSnapshot() const { return dispatcher_->TakeSnapshot(now_ns); }
  std::string Describe() const { return dispatcher_->Describe(); }
  const Status& finish() const { return finish_; }

  int64_t now_ns = 0;

 private:
  std::vector<std::string> Lines(const std::vector<Action>& actions);

  std::unique_ptr<Dispatcher> dispatcher_;
  Status finish_;
};

/// A job of one reading stage, one of functions and a last one, whose split has come as block 1, of
/// so many rows, and whose workers are up.
class WorkJob : public DispatcherScript {
 public:
  WorkJob(StageLimits work, int64_t rows);
  WorkJob(StageLimits work, int64_t rows, StageLimits last);
};

/// How a worker is said to have died.
Status Death();

/// So many retries after each kind of death.
std::vector<RetryBudget> RetriesOfDeaths(int each);

StageLimits ReadStage(int slots = 1);
StageLimits WorkStage(int64_t batch_rows, int workers = 1, int in_flight = 1);
StageLimits UnionStage(std::vector<StageIndex> inputs);
StageLimits ZipStage(std::vector<StageIndex> inputs);
StageLimits WriteStage(int slots = 1);
StageLimits CollectStage();
DispatcherLimits AmpleLimits();

}  // namespace penstock
