#include "penstock/exec/native_pool.h"

#include <utility>

namespace penstock {

NativePool::NativePool(int threads) {
  threads_.reserve(threads);
  for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { Work(); });
}

NativePool::~NativePool() { Close(); }

void NativePool::Submit(std::function<void()> task) {
  {
    MutexLock lock(mutex_);
    if (closed_) return;
    tasks_.push_back(std::move(task));
  }
  wakes_.NotifyOne();
}

void NativePool::Close() {
  std::deque<std::function<void()>> dropped;
  {
    MutexLock lock(mutex_);
    closed_ = true;
    dropped.swap(tasks_);
  }
  wakes_.NotifyAll();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

void NativePool::Work() {
  while (true) {
    std::function<void()> task;
    {
      MutexLock lock(mutex_);
      while (tasks_.empty() && !closed_) wakes_.Wait(mutex_);
      if (closed_) return;
      task = std::move(tasks_.front());
      tasks_.pop_front();
    }
    task();
  }
}

}  // namespace penstock
