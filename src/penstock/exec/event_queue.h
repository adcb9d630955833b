#pragma once

#include <atomic>
#include <chrono>
#include <optional>
#include <utility>
#include <vector>

#include "penstock/base/brief_wait.h"
#include "penstock/base/mutex.h"
#include "penstock/block/block.h"
#include "penstock/exec/dispatcher.h"

namespace penstock {

/// An event on its way to the dispatcher, and the block that a StepDone speaks of.
struct PostedEvent {
  Event event;
  std::optional<Block> block;
};

/// What a StepDone says beside its block.
struct StepFacts {
  int64_t chunk = 0;  // kRead.
  bool finished = true;
  int64_t busy_ns = 0;    // kWork.
  int64_t rows_read = 0;  // kRead.
};

/// Carries events from all threads to the dispatcher.
///
/// Threads: any may Post; one at a time takes; one waits. Order: first in, first out. Length: at
/// most one event for each step, worker and emitted block that is out, all of which the dispatcher
/// limits.
class EventQueue {
 public:
  void Post(Event event) { Push({std::move(event), std::nullopt}); }

  /// Posts that a step of `task` yielded `block`; its size is measured here, its id chosen here.
  void PostBlock(StageIndex stage, TaskId task, Block block, const StepFacts& facts);

  /// While it lives, what its thread posts wakes nobody: the thread has to have it taken
  /// afterwards.
  class Quiet {
   public:
    explicit Quiet(const EventQueue& queue) : before_(std::exchange(quiet_, &queue)) {}
    ~Quiet() { quiet_ = before_; }
    Quiet(const Quiet&) = delete;
    Quiet& operator=(const Quiet&) = delete;

   private:
    const EventQueue* const before_;
  };

  /// Waits until an event is posted or somebody calls Wake, for at most so long; not at all where
  /// there is an event, however it was posted.
  void Wait(std::chrono::nanoseconds timeout);

  /// Ends a Wait, the next one if none is on; unless all is taken before.
  void Wake();

  bool HasAny() const;

  /// Returns what has been posted, without waiting.
  std::vector<PostedEvent> TakeAll();

 private:
  void Push(PostedEvent event);

  std::atomic<BlockId> next_block_{0};
  std::atomic<bool> is_woken_{false};
  BriefWait wait_;  // Of the thread that waits.
  mutable Mutex mutex_;
  ConditionVariable wakes_;
  std::vector<PostedEvent> events_ PENSTOCK_GUARDED_BY(mutex_);

  static thread_local const EventQueue* quiet_;
};

}  // namespace penstock
