#pragma once

#include <memory>
#include <vector>

#include "penstock/block/packed.h"
#include "penstock/exec/dead_letters.h"
#include "penstock/exec/dispatcher.h"
#include "penstock/exec/event_queue.h"
#include "penstock/exec/fatal_row_memory.h"
#include "penstock/exec/native_pool.h"
#include "penstock/exec/retried_rows.h"
#include "penstock/exec/split_names.h"
#include "penstock/op/transform.h"
#include "penstock/plan/physical.h"

namespace penstock {

/// What a runner works with; all outlive it.
struct RunnerContext {
  StageIndex index = 0;
  const Stage& stage;
  EventQueue& events;
  NativePool& pool;
  const TransformChain& transforms;      // Applied to each block that the stage yields.
  SplitNames& split_names;               // Of the whole job.
  const RetriedRows* retried = nullptr;  // Of a job that runs rows again.
  FatalRowMemory* fatal_rows = nullptr;  // Of a work stage whose job has a ledger.
};

/// Carries out the dispatcher's actions for one stage. One concrete class a role, hidden in the
/// .cc of its factory.
///
/// Threads: the methods are called by one thread at a time (see dispatch_loop.h) and do not wait;
/// the work goes to the pool or to a worker, and its end is posted as an event.
class StageRunner {
 public:
  virtual ~StageRunner() = default;
  virtual void StartTask(const StartTask& action, std::vector<Piece> pieces) = 0;
  virtual void StepTask(TaskId task) = 0;

  /// The task is over: its last step's event has been taken, or nothing more of it is wanted (a
  /// step of it may still be out). May come twice.
  virtual void EndTask(TaskId task) = 0;
  virtual void StartWorker(WorkerIndex worker) = 0;

  /// Returns a row for which the task's functions fail, `row` holding it, with why.
  virtual Result<DeadLetter> MakeLetter(const FailRow& action, const Piece& row) {
    return Status::NotImplemented("The stage runs no functions: ", action.stage);
  }
  virtual void StopWorker(const StopWorker& action) = 0;
};

/// A runner for stages whose tasks take one step and need no worker: leaves only Run to write.
class OneStepRunner : public StageRunner {
 public:
  void StepTask(TaskId task) final;
  void EndTask(TaskId task) override {}
  void StartWorker(WorkerIndex worker) final;
  void StopWorker(const penstock::StopWorker& action) final;
};

/// Posts that the task failed, with the stage's name before the message.
void PostFailed(const RunnerContext& context, TaskId task, const Status& status);

/// Applies the stage's transforms to `block` and posts it, or posts why that failed.
void PostTransformed(const RunnerContext& context, TaskId task, Block block,
                     const StepFacts& facts);

}  // namespace penstock
