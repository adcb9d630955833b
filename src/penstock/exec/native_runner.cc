#include "penstock/exec/native_runner.h"

#include <fmt/format.h>

#include <exception>
#include <utility>

#include "penstock/base/error.h"
#include "penstock/base/mutex.h"
#include "penstock/exec/failed_rows.h"

namespace penstock {
namespace {

class NativeRunner final : public OneStepRunner {
 public:
  explicit NativeRunner(RunnerContext context) : context_(context), op_(*context.stage.native) {}

  void EndTask(TaskId task) override {
    if (op_.errors.leave_rows_out()) failed_rows_.Forget(task);
  }

  Result<DeadLetter> MakeLetter(const FailRow& action, const Piece& row) override {
    return failed_rows_.MakeLetter(context_, action, row);
  }

  void StartTask(const penstock::StartTask& action, std::vector<Piece> pieces) override {
    context_.pool.Submit([this, task = action.task, pieces = std::move(pieces)] {
      Result<Block> made = Run(pieces);
      if (made.ok()) {
        PostTransformed(context_, task, made.MoveValueUnsafe(), {});
      } else {
        Fail(task, made.status());
      }
    });
  }

 private:
  Result<Block> Run(const std::vector<Piece>& pieces) {
    PENSTOCK_TRY(Block block, ConcatenatePieces(pieces));
    PENSTOCK_TRY(BatchFunction function, Borrow());
    Result<std::shared_ptr<arrow::RecordBatch>> returned = Call(function, block.batch);
    GiveBack(std::move(function));
    if (!returned.ok()) return Failure(returned.status().message(), block);
    if (*returned == nullptr) return Failure("returned no batch", block);
    const bool keeps_rows = (*returned)->num_rows() == block.rows();
    if (op_.keeps_rows && !keeps_rows) {
      return Failure(fmt::format("was said to keep the number of rows, but changed it; wanted: {} "
                                 "rows; got: {}",
                                 block.rows(), (*returned)->num_rows()),
                     block);
    }
    Block made{.batch = returned.MoveValueUnsafe(), .lineage = std::move(block.lineage)};
    if (!op_.keeps_rows) made.lineage.MarkInexact();
    return made;
  }

  static Result<std::shared_ptr<arrow::RecordBatch>> Call(
      const BatchFunction& function, const std::shared_ptr<arrow::RecordBatch>& batch) {
    try {
      return function(batch);
    } catch (const std::exception& error) {
      return Status::ExecutionError("threw: ", error.what());
    }
  }

  void Fail(TaskId task, const Status& status) {
    const ErrorDetail* const detail = DetailOf(status);
    const bool by_functions = detail != nullptr && detail->kind() == ErrorKind::kUserFunction;
    if (by_functions && op_.errors.leave_rows_out()) {
      failed_rows_.Note(task, {.cause = "exception",
                               .function = op_.name,
                               .exception = "",
                               .message = status.message(),
                               .traceback = ""});
    }
    context_.events.Post(
        TaskFailed{.stage = context_.index,
                   .task = task,
                   .status = status.WithMessage(context_.stage.name, ": ", status.message()),
                   .by_functions = by_functions});
  }

  Status Failure(const std::string& message, const Block& block) const {
    const std::vector<RowRange>& ranges = block.lineage.ranges();
    std::string rows = fmt::format("{} rows", block.rows());
    if (!ranges.empty()) {
      rows += fmt::format(", the first being row {} of {}", ranges.front().first_row,
                          context_.split_names.NameOf(ranges.front().split));
    }
    return MakeError(ErrorKind::kUserFunction, fmt::format("{} ({})", message, rows));
  }

  Result<BatchFunction> Borrow() {
    {
      MutexLock lock(mutex_);
      if (!idle_.empty()) {
        BatchFunction function = std::move(idle_.back());
        idle_.pop_back();
        return function;
      }
    }
    return op_.make();
  }

  void GiveBack(BatchFunction function) {
    MutexLock lock(mutex_);
    idle_.push_back(std::move(function));
  }

  const RunnerContext context_;
  const NativeOp& op_;
  FailedRows failed_rows_;

  Mutex mutex_;
  std::vector<BatchFunction> idle_ PENSTOCK_GUARDED_BY(mutex_);  // At most one a slot.
};

}  // namespace

std::unique_ptr<StageRunner> MakeNativeRunner(RunnerContext context) {
  return std::make_unique<NativeRunner>(context);
}

}  // namespace penstock
