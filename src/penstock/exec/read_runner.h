#pragma once

#include <memory>

#include "penstock/exec/stage_runner.h"
#include "penstock/source/source.h"

namespace penstock {

/// Runs a read stage: lists splits and reads them block by block on the native pool.
///
/// Threads: one listing at a time; each split is read by one thread at a time.
class ReadRunner : public StageRunner {
 public:
  static std::unique_ptr<ReadRunner> Make(RunnerContext context, std::unique_ptr<Source> source);

  /// Lists up to `count_max` more splits and posts SplitsListed or JobFailed.
  virtual void ListSplits(int64_t count_max) = 0;
};

}  // namespace penstock
