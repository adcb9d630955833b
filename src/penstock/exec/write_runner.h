#pragma once

#include <memory>

#include "penstock/exec/stage_runner.h"
#include "penstock/sink/sink.h"

namespace penstock {

/// Runs a write stage: appends blocks to part files on the native pool.
class WriteRunner : public OneStepRunner {
 public:
  static std::unique_ptr<WriteRunner> Make(RunnerContext context, std::unique_ptr<Sink> sink);

  /// Commits on the native pool; posts OutputCommitted or JobFailed.
  virtual void Commit() = 0;

  /// Removes what was written, unless it has been committed. Call when the pool is closed.
  virtual void AbortUnlessCommitted() = 0;
};

}  // namespace penstock
