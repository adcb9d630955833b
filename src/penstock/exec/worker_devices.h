#pragma once

#include <map>
#include <string>
#include <vector>

#include "penstock/base/devices.h"
#include "penstock/base/mutex.h"
#include "penstock/plan/worker_options.h"
#include "penstock/worker/host.h"

namespace penstock {

/// The GPUs that the workers of one stage have. Threads: any.
class WorkerDevices {
 public:
  /// Both outlive this.
  WorkerDevices(Devices& devices, const WorkerOptions& options)
      : devices_(devices), options_(options) {}

  /// Returns the variables that show the worker its GPUs, and those alone. Threads of one process
  /// share theirs.
  std::vector<std::string> Take(WorkerId life);

  /// Takes back what the worker had.
  void Give(WorkerId life);

 private:
  Devices& devices_;
  const WorkerOptions& options_;

  Mutex mutex_;
  std::map<WorkerId, std::vector<std::string>> of_worker_ PENSTOCK_GUARDED_BY(mutex_);
};

}  // namespace penstock
