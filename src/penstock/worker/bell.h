#pragma once

#include <sys/eventfd.h>

#include <cstdint>
#include <utility>
#include <vector>

#include "penstock/base/descriptor.h"
#include "penstock/base/mutex.h"

namespace penstock {

/// What wakes the host's thread: segments that are gone, and the end.
/// Its lock is the last to be taken: the pool may call Add from anywhere.
class Bell {
 public:
  explicit Bell(OwnedDescriptor descriptor) : descriptor_(std::move(descriptor)) {}

  int descriptor() const { return descriptor_.get(); }

  void Ring() { (void)::eventfd_write(descriptor_.get(), 1); }

  void Add(uint64_t segment) {
    MutexLock lock(mutex_);
    forgotten_.push_back(segment);
    if (forgotten_.size() == 1) Ring();
  }

  std::vector<uint64_t> Take() {
    eventfd_t count;
    (void)::eventfd_read(descriptor_.get(), &count);
    MutexLock lock(mutex_);
    return std::exchange(forgotten_, {});
  }

 private:
  const OwnedDescriptor descriptor_;
  Mutex mutex_;
  std::vector<uint64_t> forgotten_ PENSTOCK_GUARDED_BY(mutex_);
};

}  // namespace penstock
