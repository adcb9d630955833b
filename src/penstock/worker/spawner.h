#pragma once

#include <deque>
#include <memory>
#include <thread>

#include "penstock/base/mutex.h"
#include "penstock/base/status.h"
#include "penstock/worker/host.h"
#include "penstock/worker/process.h"

namespace penstock {

/// Starts processes on a thread that lives as long as this object, so that a worker may ask to be
/// killed when the thread that started it ends, whichever thread wanted the worker.
/// Threads: any.
class Spawner {
 public:
  Spawner();
  ~Spawner();

  /// Waits until the process runs; as SpawnedProcess::Start.
  Result<std::unique_ptr<Process>> Spawn(const WorkerCommand& command,
                                         const GivenDescriptors& given);

 private:
  struct Wish {
    const WorkerCommand& command;
    const GivenDescriptors& given;
    Result<std::unique_ptr<Process>> process;
    bool fulfilled = false;
  };

  void Run();

  Mutex mutex_;  // Guards everything below but the thread.
  ConditionVariable wished_;
  ConditionVariable fulfilled_;
  std::deque<Wish*> wishes_ PENSTOCK_GUARDED_BY(mutex_);
  bool closed_ PENSTOCK_GUARDED_BY(mutex_) = false;

  std::thread thread_;
};

}  // namespace penstock
