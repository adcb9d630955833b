#include "penstock/exec/window_runners.h"

#include <arrow/type.h>

#include <span>
#include <utility>

#include "penstock/op/lengths.h"
#include "penstock/op/take.h"

namespace penstock {
namespace {

/// A window that is being yielded, batch by batch.
struct OpenWindow {
  Block rows;
  std::vector<int64_t> order;    // Longest first.
  std::vector<int64_t> batches;  // Rows of each.
  size_t next = 0;
  size_t next_row = 0;
};

Piece WholeOf(const Block& block) { return {.block = block, .offset = 0, .rows = block.rows()}; }

class WindowRunner final : public StageRunner {
 public:
  WindowRunner(RunnerContext context, std::shared_ptr<WindowOrders> orders)
      : context_(context), plan_(*context.stage.window), orders_(std::move(orders)) {}

  void StartTask(const penstock::StartTask& action, std::vector<Piece> pieces) override {
    context_.pool.Submit([this, task = action.task, pieces = std::move(pieces)] {
      Result<std::shared_ptr<OpenWindow>> opened = Open(task, pieces);
      if (!opened.ok()) return PostFailed(context_, task, opened.status());
      {
        MutexLock lock(mutex_);
        open_[task] = *opened;
      }
      Yield(task, **opened);
    });
  }

  void StepTask(TaskId task) override {
    std::shared_ptr<OpenWindow> window;
    {
      MutexLock lock(mutex_);
      const auto found = open_.find(task);
      if (found == open_.end()) return;  // It has failed; that is on its way.
      window = found->second;
    }
    context_.pool.Submit([this, task, window = std::move(window)] { Yield(task, *window); });
  }

  void EndTask(TaskId task) override {
    MutexLock lock(mutex_);
    open_.erase(task);
  }

  void StartWorker(WorkerIndex worker) override {}
  void StopWorker(const penstock::StopWorker& action) override {}

 private:
  Result<std::shared_ptr<OpenWindow>> Open(TaskId task, const std::vector<Piece>& pieces) {
    auto window = std::make_shared<OpenWindow>();
    PENSTOCK_TRY(window->rows, ConcatenatePieces(pieces));
    PENSTOCK_TRY(const std::vector<int64_t> lengths,
                 LengthsOf(*window->rows.batch, plan_.grouping.column));
    window->order = LongestFirst(lengths);
    window->batches =
        CutByLength(lengths, window->order, plan_.batch_rows, plan_.grouping.padded_length_max);
    if (plan_.grouping.drops_column) {
      const int index = window->rows.batch->schema()->GetFieldIndex(plan_.grouping.column);
      PENSTOCK_TRY(window->rows.batch, window->rows.batch->RemoveColumn(index));
      window->rows.packed = nullptr;
    }
    if (orders_ != nullptr) orders_->Put(task, window->order);
    return window;
  }

  void Yield(TaskId task, OpenWindow& window) {
    const auto rows = static_cast<size_t>(window.batches[window.next]);
    const std::span<const int64_t> chosen =
        std::span<const int64_t>(window.order).subspan(window.next_row, rows);
    const Piece whole = WholeOf(window.rows);
    Result<Block> taken = TakeRows({&whole, 1}, chosen);
    if (!taken.ok()) return PostFailed(context_, task, taken.status());
    window.next_row += rows;
    const bool finished = ++window.next == window.batches.size();
    PostTransformed(context_, task, taken.MoveValueUnsafe(), {.finished = finished});
  }

  const RunnerContext context_;
  const WindowPlan& plan_;
  const std::shared_ptr<WindowOrders> orders_;

  Mutex mutex_;
  std::map<TaskId, std::shared_ptr<OpenWindow>> open_ PENSTOCK_GUARDED_BY(mutex_);
};

class RestoreRunner final : public OneStepRunner {
 public:
  RestoreRunner(RunnerContext context, std::shared_ptr<WindowOrders> orders)
      : context_(context), orders_(std::move(orders)) {}

  void StartTask(const penstock::StartTask& action, std::vector<Piece> pieces) override {
    context_.pool.Submit([this, task = action.task, pieces = std::move(pieces)] {
      Result<Block> restored = Restore(orders_->Take(task), pieces);
      if (!restored.ok()) return PostFailed(context_, task, restored.status());
      PostTransformed(context_, task, restored.MoveValueUnsafe(), {});
    });
  }

 private:
  static Result<Block> Restore(const std::vector<int64_t>& order,
                               const std::vector<Piece>& pieces) {
    std::vector<int64_t> places(order.size());
    for (size_t place = 0; place < order.size(); ++place) {
      places[static_cast<size_t>(order[place])] = static_cast<int64_t>(place);
    }
    int64_t rows = 0;
    for (const Piece& piece : pieces) rows += piece.rows;
    if (rows != static_cast<int64_t>(places.size())) {
      return Status::Invalid(
          "the function changed the number of rows, so that their order cannot be "
          "restored; wanted: ",
          places.size(), " rows; got: ", rows);
    }
    return TakeRows(pieces, places);
  }

  const RunnerContext context_;
  const std::shared_ptr<WindowOrders> orders_;
};

}  // namespace

std::unique_ptr<StageRunner> MakeWindowRunner(RunnerContext context,
                                              std::shared_ptr<WindowOrders> orders) {
  return std::make_unique<WindowRunner>(context, std::move(orders));
}

std::unique_ptr<StageRunner> MakeRestoreRunner(RunnerContext context,
                                               std::shared_ptr<WindowOrders> orders) {
  return std::make_unique<RestoreRunner>(context, std::move(orders));
}

}  // namespace penstock
