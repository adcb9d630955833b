#pragma once

#include <optional>
#include <unordered_map>

#include "penstock/base/mutex.h"
#include "penstock/exec/dispatcher.h"
#include "penstock/worker/host.h"

namespace penstock {

class WorkRunner;

/// Knows whose each worker of the host is. Each life has a number of its own, never used again.
///
/// Threads: any.
class WorkerDirectory {
 public:
  struct Entry {
    WorkRunner* runner = nullptr;
    WorkerIndex place = -1;
  };

  WorkerId Add(Entry entry) {
    MutexLock lock(mutex_);
    entries_.emplace(next_, entry);
    return next_++;
  }

  std::optional<Entry> Find(WorkerId worker) const {
    MutexLock lock(mutex_);
    const auto found = entries_.find(worker);
    return found == entries_.end() ? std::nullopt : std::optional<Entry>(found->second);
  }

  void Remove(WorkerId worker) {
    MutexLock lock(mutex_);
    entries_.erase(worker);
  }

 private:
  mutable Mutex mutex_;
  WorkerId next_ PENSTOCK_GUARDED_BY(mutex_) = 0;
  std::unordered_map<WorkerId, Entry> entries_ PENSTOCK_GUARDED_BY(mutex_);
};

}  // namespace penstock
