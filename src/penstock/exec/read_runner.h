#pragma once

#include <memory>

#include "penstock/exec/stage_runner.h"
#include "penstock/ledger/chunk_set.h"
#include "penstock/source/source.h"

namespace penstock {

/// Runs a read stage: lists splits and reads them block by block on the native pool. `read` counts
/// the job's reads from 0: splits and chunks get numbers that are the job's own (split_names.h).
/// Splits of chunks that are `done` are passed over.
///
/// Threads: one listing at a time; each split is read by one thread at a time.
class ReadRunner : public StageRunner {
 public:
  static std::unique_ptr<ReadRunner> Make(RunnerContext context, std::unique_ptr<Source> source,
                                          int64_t read, const ChunkSet& done);

  /// Lists up to `count_max` more splits and posts SplitsListed or JobFailed.
  virtual void ListSplits(int64_t count_max) = 0;
};

}  // namespace penstock
