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

void EventQueue::PostBlock(StageIndex stage, TaskId task, Block block, const StepFacts& facts) {
  StepDone done{.stage = stage, .task = task, .finished = facts.finished, .busy_ns = facts.busy_ns};
  done.block = BlockSize{.block = next_block_.fetch_add(1),
                         .rows = block.rows(),
                         .bytes = HeldBytes(block),
                         .chunk = facts.chunk};
  Push({std::move(done), std::move(block)});
}

std::vector<PostedEvent> EventQueue::TakeAll(std::chrono::nanoseconds timeout) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  static_cast<void>(wait_.For([this] { return has_events_.load(std::memory_order_acquire); }));
  MutexLock lock(mutex_);
  while (events_.empty()) {
    const auto left = deadline - std::chrono::steady_clock::now();
    if (left <= std::chrono::nanoseconds::zero()) break;
    wakes_.WaitFor(mutex_, left);
  }
  wait_.Came();
  has_events_.store(false, std::memory_order_relaxed);
  return std::exchange(events_, {});
}

std::vector<PostedEvent> EventQueue::TakeReady() {
  MutexLock lock(mutex_);
  has_events_.store(false, std::memory_order_relaxed);
  return std::exchange(events_, {});
}

void EventQueue::Push(PostedEvent event) {
  bool was_empty;
  {
    MutexLock lock(mutex_);
    was_empty = events_.empty();
    events_.push_back(std::move(event));
    has_events_.store(true, std::memory_order_release);
  }
  if (was_empty) wakes_.NotifyOne();
}

}  // namespace penstock
