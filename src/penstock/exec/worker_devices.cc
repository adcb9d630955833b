#include "penstock/exec/worker_devices.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <utility>

namespace penstock {

std::vector<std::string> WorkerDevices::Take(WorkerId life) {
  if (options_.gpus == 0) return {};
  MutexLock lock(mutex_);
  std::vector<std::string> names;
  if (options_.threads && !of_worker_.empty()) {
    names = of_worker_.begin()->second;
  } else {
    names = devices_.Take(options_.gpus);
  }
  of_worker_[life] = names;
  return {fmt::format("CUDA_VISIBLE_DEVICES={}", fmt::join(names, ","))};
}

void WorkerDevices::Give(WorkerId life) {
  MutexLock lock(mutex_);
  const auto found = of_worker_.find(life);
  if (found == of_worker_.end()) return;
  const std::vector<std::string> names = std::move(found->second);
  of_worker_.erase(found);
  if (!options_.threads || of_worker_.empty()) devices_.Give(names, options_.gpus);
}

}  // namespace penstock
