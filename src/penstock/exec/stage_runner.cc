#include "penstock/exec/stage_runner.h"

#include <arrow/array/data.h>
#include <arrow/device.h>
#include <arrow/record_batch.h>

#include <utility>

#include "penstock/base/check.h"

namespace penstock {
namespace {

bool ViewsInto(const arrow::ArrayData& data, const Segment& segment) {
  const uint8_t* const end = segment.data() + segment.capacity();
  for (const std::shared_ptr<arrow::Buffer>& buffer : data.buffers) {
    if (buffer != nullptr && buffer->data() >= segment.data() && buffer->data() < end) return true;
  }
  for (const std::shared_ptr<arrow::ArrayData>& child : data.child_data) {
    if (ViewsInto(*child, segment)) return true;
  }
  return data.dictionary != nullptr && ViewsInto(*data.dictionary, segment);
}

bool ViewsInto(const arrow::RecordBatch& batch, const Segment& segment) {
  for (const std::shared_ptr<arrow::ArrayData>& column : batch.column_data()) {
    if (ViewsInto(*column, segment)) return true;
  }
  return false;
}

/// Applies the transforms. What is left of a packed block is copied out of its segment when most of
/// the bytes have gone: a column of labels must not keep the images beside it.
Result<Block> ApplyTransforms(const RunnerContext& context, Block block) {
  const std::shared_ptr<const PackedBatch> packed = block.packed;
  PENSTOCK_TRY(Block transformed, context.transforms.Apply(std::move(block)));
  if (packed == nullptr || transformed.packed != nullptr) return transformed;
  const bool mostly_gone = BlockBytes(*transformed.batch) < packed->bytes() / 2;
  if (mostly_gone && ViewsInto(*transformed.batch, *packed->segment())) {
    PENSTOCK_TRY(transformed.batch, transformed.batch->CopyTo(arrow::default_cpu_memory_manager()));
  }
  return transformed;
}

}  // namespace

void OneStepRunner::StepTask(TaskId task) { PENSTOCK_CHECK(false && "task has one step"); }

void OneStepRunner::StartWorker(WorkerIndex worker) {
  PENSTOCK_CHECK(false && "stage has no workers");
}

void OneStepRunner::StopWorker(const penstock::StopWorker& action) {
  PENSTOCK_CHECK(false && "stage has no workers");
}

void PostFailed(const RunnerContext& context, TaskId task, const Status& status) {
  context.events.Post(TaskFailed{context.index, task,
                                 status.WithMessage(context.stage.name, ": ", status.message())});
}

void PostTransformed(const RunnerContext& context, TaskId task, Block block,
                     const StepFacts& facts) {
  Result<Block> transformed = ApplyTransforms(context, std::move(block));
  if (transformed.ok()) {
    context.events.PostBlock(context.index, task, transformed.MoveValueUnsafe(), facts);
    return;
  }
  PostFailed(context, task, transformed.status());
}

}  // namespace penstock
