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
  const std::vector<RowRange>& ranges = letter.row.lineage.ranges();
  if (!ranges.empty()) letter.source = context.split_names.NameOf(ranges.front().split);
  if (!ranges.empty() && letter.row.lineage.exact()) letter.source_row = ranges.front().first_row;
  MutexLock lock(mutex_);
  letter.failure = failures_[action.task];
  if (letter.failure.attempts > 0) letter.attempts = letter.failure.attempts;
  return letter;
}

}  // namespace penstock
