#include "penstock/exec/failed_rows.h"

#include <utility>

#include "penstock/op/take.h"

namespace penstock {

void FailedRows::Note(TaskId task, RowFailure failure) {
  MutexLock lock(mutex_);
  failures_[task] = std::move(failure);
}

void FailedRows::Forget(TaskId task) {
  MutexLock lock(mutex_);
  failures_.erase(task);
}

Result<DeadLetter> FailedRows::MakeLetter(const RunnerContext& context, const FailRow& action,
                                          const Piece& row) {
  constexpr int64_t kFirst = 0;
  PENSTOCK_TRY(Block copy, TakeRows({&row, 1}, {&kFirst, 1}));
  DeadLetter letter{.chunk = action.chunk,
                    .stage = context.index,
                    .stage_name = context.stage.name,
                    .row = std::move(copy),
                    .attempts = action.attempts};
  const Lineage& lineage = letter.row.lineage;
  if (context.retried != nullptr) {
    RetriedRows::Origin origin = context.retried->OriginOf(lineage, context.index);
    letter.stage = context.retried->NumberOf(context.index);
    letter.source = std::move(origin.source);
    letter.source_row = origin.source_row;
    letter.attempts += origin.attempts;
  } else if (!lineage.ranges().empty()) {
    const RowRange& from = lineage.ranges().front();
    letter.source = context.split_names.NameOf(from.split);
    if (lineage.exact()) letter.source_row = from.first_row;
  }
  MutexLock lock(mutex_);
  letter.failure = failures_[action.task];
  if (letter.failure.attempts > 0) letter.attempts = letter.failure.attempts;
  return letter;
}

}  // namespace penstock
