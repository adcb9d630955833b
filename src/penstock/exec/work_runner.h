#pragma once

#include <memory>

#include "penstock/base/devices.h"
#include "penstock/exec/stage_runner.h"
#include "penstock/exec/worker_directory.h"
#include "penstock/memory/segment.h"
#include "penstock/worker/host.h"

namespace penstock {

/// What a work stage needs beside the common context; all outlive the runner.
struct WorkContext {
  WorkerHost& host;
  SegmentPool& segments;
  WorkerDirectory& directory;
  Devices& devices;
  const WorkerCommand& command;
  int processors = 1;  // Real and declared ones: each worker's native threads are its share.
};

/// Runs a work stage: packs batches into shared memory, sends them to worker processes, takes back
/// what they yield.
///
/// Threads: beside the dispatcher's (see StageRunner), the host's thread calls the two On methods.
/// Retries: a batch whose worker died is sent again from the blocks that it came from. A block that
/// a worker gets without a copy is mapped there as a copy of its own, so that it stays as it is. A
/// block is packed on the caller's thread when it is small, else on the native pool.
/// Known rows: a batch with a row that ended its worker in an earlier run of the job (see
/// fatal_row_memory.h) fails without being sent, naming the row.
class WorkRunner : public StageRunner {
 public:
  static std::unique_ptr<WorkRunner> Make(RunnerContext context, WorkContext work);

  /// `life` is the host's number of the worker that is, or was, in the place `worker`.
  virtual void OnFrame(WorkerIndex worker, WorkerId life, const Frame& frame,
                       std::shared_ptr<Segment> segment) = 0;
  virtual void OnExit(WorkerIndex worker, WorkerId life, const WorkerExit& exit) = 0;

  /// Kills a worker that has been busy with one step for so long; its death follows.
  virtual void KillWorker(WorkerIndex worker, int64_t busy_ns) = 0;
};

}  // namespace penstock
