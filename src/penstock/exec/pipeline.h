#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "penstock/base/snapshot.h"
#include "penstock/base/status.h"
#include "penstock/block/block.h"
#include "penstock/exec/open_retry.h"
#include "penstock/plan/logical.h"
#include "penstock/source/source.h"
#include "penstock/worker/host.h"

namespace penstock {

struct PipelineOptions {
  int64_t budget_bytes = 0;  // 0: DefaultBudgetBytes().
  int processors = 0;        // 0: MachineProcessors().
  double gpus = -1;          // -1: as many as MachineGpus() names.
  int64_t memory_bytes = 0;  // That workers may ask for; 0: the machine's.
  std::vector<std::pair<std::string, double>> resources;  // Of the job's own kinds.
  bool preserve_order = true;

  /// Without any progress for so long, except that the caller takes no blocks, the job fails
  /// (kNoProgress) with what it waits for; 0: never. A warning comes earlier.
  int64_t no_progress_timeout_ms = 1'800'000;
  ReadLimits read;
  int64_t rows_per_chunk = 0;  // Of the input, committed together; 0: see open_output.h.

  /// From one commit's begin to the next one's, at least: each waits for the disk a few times.
  int64_t commit_interval_ms = 500;
  std::optional<RowsToRetry> retry;  // Run these dead rows again; then the plan does not write.
  WorkerCommand worker_command;      // Needed by plans with functions.
  std::shared_ptr<WorkerLines> worker_lines;  // Takes what workers print; null: it is dropped.
};

/// A job: carries out a dispatcher's actions on real threads, processes and files.
///
/// Threads: one dispatcher thread, the shared native pool, the worker host's epoll thread; the
/// last, and whoever calls Next, take turns at the dispatcher (dispatch_loop.h). The methods may be
/// called by any thread; Next by one at a time.
/// Ends: the destructor cancels, kills the workers and waits for the threads.
/// Forks: in a child of the process that started it, Next fails and all else does nothing.
class Pipeline {
 public:
  /// Rewrites and plans `plan`, starts it. Fails as planning, MakeSource and MakeSink do, a retry
  /// as OpenRetry.
  static Result<std::unique_ptr<Pipeline>> Start(const LogicalPlan& plan,
                                                 const PipelineOptions& options);
  virtual ~Pipeline() = default;

  enum class NextState : uint8_t {
    kBlock,    // `block` is the next one.
    kTimeout,  // Nothing came within the time given.
    kEnd,      // The job has ended well; no block will follow.
  };
  struct NextResult {
    NextState state = NextState::kTimeout;
    std::optional<Block> block;
  };

  /// Waits up to `timeout` for the next block of the result. Plans that write yield none and
  /// reach kEnd when the output is committed. Fails with the job's error, each time.
  virtual Result<NextResult> Next(std::chrono::nanoseconds timeout) = 0;

  /// Stops the job: nothing more is read or written, workers are killed. Idempotent.
  virtual void Cancel() = 0;

  /// Ends the job soon, with kDrained, see "Draining" in dispatcher.h. Idempotent.
  virtual void Drain() = 0;

  virtual Snapshot TakeSnapshot() const = 0;
};

}  // namespace penstock
