#include "penstock/exec/stage_runner.h"

#include <utility>

#include "penstock/base/check.h"

namespace penstock {

void OneStepRunner::StepTask(TaskId task) { PENSTOCK_CHECK(false && "task has one step"); }

void OneStepRunner::StartWorker(WorkerIndex worker) {
  PENSTOCK_CHECK(false && "stage has no workers");
}

void OneStepRunner::StopWorker(WorkerIndex worker) {
  PENSTOCK_CHECK(false && "stage has no workers");
}

void PostTransformed(const RunnerContext& context, TaskId task, Block block, int64_t chunk,
                     bool finished) {
  Result<Block> transformed = context.transforms.Apply(std::move(block));
  if (transformed.ok()) {
    context.events.PostBlock(context.index, task, transformed.MoveValueUnsafe(), chunk, finished);
    return;
  }
  const Status& status = transformed.status();
  context.events.Post(TaskFailed{context.index, task,
                                 status.WithMessage(context.stage.name, ": ", status.message())});
}

}  // namespace penstock
