#pragma once

#include <nanobind/nanobind.h>

#include <optional>

#include "penstock/base/mutex.h"

namespace penstock::python {

/// Leaves a lock that the caller holds for a scope; takes it again also where that throws.
class Unlocked {
 public:
  explicit Unlocked(Mutex& mutex) PENSTOCK_THREAD_ANNOTATION(no_thread_safety_analysis)
      : mutex_(mutex) {
    mutex_.Unlock();
  }
  ~Unlocked() PENSTOCK_THREAD_ANNOTATION(no_thread_safety_analysis) { mutex_.Lock(); }
  Unlocked(const Unlocked&) = delete;
  Unlocked& operator=(const Unlocked&) = delete;

 private:
  Mutex& mutex_;
};

/// Leaves the lock and, where the thread has it, the GIL.
class UnlockedWithoutGil {
 public:
  explicit UnlockedWithoutGil(Mutex& mutex) : unlocked_(mutex) {
    if (PyGILState_Check() != 0) release_.emplace();
  }

 private:
  const Unlocked unlocked_;  // Locked last: the GIL is never waited for under the lock.
  std::optional<nanobind::gil_scoped_release> release_;
};

}  // namespace penstock::python
