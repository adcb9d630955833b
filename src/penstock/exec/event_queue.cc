#include "penstock/exec/event_queue.h"

#include <utility>

#include "penstock/block/packed.h"

namespace penstock {
namespace {

/// What a block costs beside its columns: the objects that describe them.
constexpr int64_t kBlockOverheadBytes = 512;

int64_t HeldBytes(const Block& block) {
  const int64_t columns =
      block.packed != nullptr ? block.packed->segment()->capacity() : BlockBytes(*block.batch);
  return columns + kBlockOverheadBytes;
}

}  // namespace

thread_local const EventQueue* EventQueue::quiet_ = nullptr;

void EventQueue::PostBlock(StageIndex stage, TaskId task, Block block, const StepFacts& facts) {
  StepDone done{.stage = stage,
                .task = task,
                .finished = facts.finished,
                .busy_ns = facts.busy_ns,
                .rows_read = facts.rows_read};
  done.block = BlockSize{.block = next_block_.fetch_add(1),
                         .rows = block.rows(),
                         .bytes = HeldBytes(block),
                         .chunk = facts.chunk};
  Push({std::move(done), std::move(block)});
}

void EventQueue::Wait(std::chrono::nanoseconds timeout) {
  if (HasAny()) return;
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  static_cast<void>(wait_.For([this] { return is_woken_.load(std::memory_order_relaxed); }));
  MutexLock lock(mutex_);
  while (!is_woken_) {
    const auto left = deadline - std::chrono::steady_clock::now();
    if (left <= std::chrono::nanoseconds::zero()) break;
    wakes_.WaitFor(mutex_, left);
  }
  wait_.Came();
  is_woken_ = false;
}

void EventQueue::Wake() {
  {
    MutexLock lock(mutex_);
    if (is_woken_.exchange(true)) return;
  }
  wakes_.NotifyOne();
}

bool EventQueue::HasAny() const {
  MutexLock lock(mutex_);
  return !events_.empty();
}

std::vector<PostedEvent> EventQueue::TakeAll() {
  MutexLock lock(mutex_);
  is_woken_ = false;
  return std::exchange(events_, {});
}

void EventQueue::Push(PostedEvent event) {
  bool wakes = false;
  {
    MutexLock lock(mutex_);
    events_.push_back(std::move(event));
    if (quiet_ != this) wakes = !is_woken_.exchange(true);
  }
  if (wakes) wakes_.NotifyOne();
}

}  // namespace penstock
