#pragma once

#include <deque>
#include <functional>
#include <thread>
#include <vector>

#include "penstock/base/mutex.h"

namespace penstock {

/// A job's threads for native work: reading, cutting, packing, writing.
///
/// Tasks run to completion on one block and never wait for one another: the dispatcher starts a
/// task only when there is room for its output. So the queue needs no limit of its own: it holds
/// at most the steps that are out (native_threads of them) and the packing of batches in flight.
/// Order: first in, first out, over all threads. Threads: any may call Submit.
/// Ends: Close drops what has not begun, and returns when all that has begun is done.
class NativePool {
 public:
  explicit NativePool(int threads);
  ~NativePool();
  NativePool(const NativePool&) = delete;
  NativePool& operator=(const NativePool&) = delete;

  void Submit(std::function<void()> task);
  void Close();

 private:
  void Work();

  Mutex mutex_;
  ConditionVariable wakes_;
  std::deque<std::function<void()>> tasks_ PENSTOCK_GUARDED_BY(mutex_);
  bool closed_ PENSTOCK_GUARDED_BY(mutex_) = false;
  std::vector<std::thread> threads_;  // Touched by the constructor and the first Close alone.
};

}  // namespace penstock
