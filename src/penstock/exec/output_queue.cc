#include "penstock/exec/output_queue.h"

#include <utility>

namespace penstock {

void OutputQueue::Push(BlockId id, Block block) {
  MutexLock lock(mutex_);
  entries_.push_back({id, std::move(block)});
  has_news_ = true;
}

void OutputQueue::Announce() {
  {
    MutexLock lock(mutex_);
    if (!std::exchange(has_news_, false)) return;
  }
  wakes_.NotifyAll();
}

void OutputQueue::Finish(Status status) {
  {
    MutexLock lock(mutex_);
    if (finished_) return;
    if (!status.ok()) entries_.clear();
    finished_ = std::move(status);
  }
  wakes_.NotifyAll();
}

OutputQueue::Popped OutputQueue::Pop(std::chrono::nanoseconds timeout) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  MutexLock lock(mutex_);
  while (entries_.empty() && !finished_) {
    const auto left = deadline - std::chrono::steady_clock::now();
    if (left <= std::chrono::nanoseconds::zero()) return {};
    wakes_.WaitFor(mutex_, left);
  }
  Popped popped;
  if (entries_.empty()) {
    popped.state = Popped::State::kFinished;
    popped.status = *finished_;
    return popped;
  }
  popped.state = Popped::State::kBlock;
  popped.id = entries_.front().id;
  popped.block = std::move(entries_.front().block);
  entries_.pop_front();
  return popped;
}

}  // namespace penstock
