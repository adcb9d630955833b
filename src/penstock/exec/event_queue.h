#pragma once

#include <atomic>
#include <chrono>
#include <optional>
#include <vector>

#include "penstock/base/brief_wait.h"
#include "penstock/base/mutex.h"
#include "penstock/block/block.h"
#include "penstock/exec/dispatcher.h"

namespace penstock {

/// An event on its way to the dispatcher thread, and the block that a StepDone speaks of.
struct PostedEvent {
  Event event;
  std::optional<Block> block;
};

/// What a StepDone says beside its block.
struct StepFacts {
  int64_t chunk = 0;  // kRead.
  bool finished = true;
  int64_t busy_ns = 0;  // kWork.
};

/// Carries events from all threads to the dispatcher thread.
///
/// Threads: any may Post; one takes. Order: first in, first out. Length: at most one event for each
/// step, worker and emitted block that is out, all of which the dispatcher limits.
class EventQueue {
 public:
  void Post(Event event) { Push({std::move(event), std::nullopt}); }

  /// Posts that a step of `task` yielded `block`; its size is measured here, its id chosen here.
  void PostBlock(StageIndex stage, TaskId task, Block block, const StepFacts& facts);

  /// Waits until there is an event, for at most so long, and returns all there are.
  std::vector<PostedEvent> TakeAll(std::chrono::nanoseconds timeout);

  /// As TakeAll, but returns at once, perhaps with none.
  std::vector<PostedEvent> TakeReady();

 private:
  void Push(PostedEvent event);

  std::atomic<BlockId> next_block_{0};
  std::atomic<bool> has_events_{false};
  BriefWait wait_;  // Of the thread that takes.
  Mutex mutex_;
  ConditionVariable wakes_;
  std::vector<PostedEvent> events_ PENSTOCK_GUARDED_BY(mutex_);
};

}  // namespace penstock
