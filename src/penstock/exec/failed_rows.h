#pragma once

#include <map>

#include "penstock/base/mutex.h"
#include "penstock/exec/dead_letters.h"
#include "penstock/exec/stage_runner.h"

namespace penstock {

/// Remembers why the tasks of a stage failed last, until a row is blamed for it. Threads: any.
class FailedRows {
 public:
  void Note(TaskId task, RowFailure failure);
  void Forget(TaskId task);

  /// Returns the row that was blamed, `row` holding it, with why and where it came from.
  Result<DeadLetter> MakeLetter(const RunnerContext& context, const FailRow& action,
                                const Piece& row);

 private:
  Mutex mutex_;
  std::map<TaskId, RowFailure> failures_ PENSTOCK_GUARDED_BY(mutex_);
};

}  // namespace penstock
