#pragma once

#include <memory>

#include "penstock/exec/stage_runner.h"
#include "penstock/memory/segment.h"
#include "penstock/worker/host.h"

namespace penstock {

/// What a work stage needs beside the common context; all outlive the runner.
struct WorkContext {
  WorkerHost& host;
  SegmentPool& segments;
  const WorkerCommand& command;
  int64_t first_worker = 0;  // The stage's worker i is the host's worker first_worker + i.
  int processors = 1;        // Of the machine: each worker's native threads are its share.
};

/// Runs a work stage: packs batches into shared memory, sends them to worker processes, takes back
/// what they yield.
///
/// Threads: beside the dispatcher's (see StageRunner), the host's thread calls the two On methods.
/// A block is packed on the caller's thread when it is small, else on the native pool.
class WorkRunner : public StageRunner {
 public:
  static std::unique_ptr<WorkRunner> Make(RunnerContext context, WorkContext work);

  virtual void OnFrame(WorkerIndex worker, const Frame& frame,
                       std::shared_ptr<Segment> segment) = 0;
  virtual void OnExit(WorkerIndex worker, const WorkerExit& exit) = 0;
};

}  // namespace penstock
