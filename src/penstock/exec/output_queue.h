#pragma once

#include <chrono>
#include <deque>
#include <optional>

#include "penstock/base/mutex.h"
#include "penstock/base/status.h"
#include "penstock/block/block.h"
#include "penstock/exec/dispatcher.h"

namespace penstock {

/// Holds what the caller has not taken yet, and how the job ended.
///
/// Threads: one at a time pushes or finishes, one caller pops. The length is bounded by
/// the byte budget: emitted blocks count until they are taken.
class OutputQueue {
 public:
  struct Popped {
    enum class State : uint8_t { kBlock, kTimeout, kFinished } state = State::kTimeout;
    BlockId id = -1;
    std::optional<Block> block;
    Status status;  // For kFinished: how the job ended.
  };

  void Push(BlockId id, Block block);

  /// Wakes the caller for what was pushed. The woken thread may take the processor at once, so
  /// whoever pushes does first what others wait for.
  void Announce();

  /// Ends the queue: after an error at once, after success when it has been emptied. Only the
  /// first call counts.
  void Finish(Status status);

  Popped Pop(std::chrono::nanoseconds timeout);

 private:
  struct Entry {
    BlockId id;
    Block block;
  };

  Mutex mutex_;
  ConditionVariable wakes_;
  std::deque<Entry> entries_ PENSTOCK_GUARDED_BY(mutex_);
  bool has_news_ PENSTOCK_GUARDED_BY(mutex_) = false;
  std::optional<Status> finished_ PENSTOCK_GUARDED_BY(mutex_);
};

}  // namespace penstock
