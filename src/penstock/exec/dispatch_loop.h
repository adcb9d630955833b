#pragma once

#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "penstock/base/mutex.h"
#include "penstock/exec/dispatcher.h"
#include "penstock/exec/event_queue.h"

namespace penstock {

/// What does the dispatcher's will.
///
/// Threads: any, one at a time, each seeing what those before it did. An action is carried out
/// without waiting, and by the loop's own thread unless it is quick: see IsQuick.
class ActionHands {
 public:
  virtual ~ActionHands() = default;

  /// Takes what came with an event, before the dispatcher hears of it.
  virtual void Receive(PostedEvent* posted) = 0;
  virtual void CarryOut(const Action& action) = 0;

  /// All that is to be done now has been.
  virtual void Pause() = 0;
};

/// Says whether carrying out the action takes microseconds: starting processes, listing files and
/// the like do not.
bool IsQuick(const Action& action);

/// Brings events to the dispatcher and its actions to the hands that carry them out, on a thread of
/// its own, or on one that has just posted an event and would else have to wake that thread.
///
/// Threads: any may take a turn; there is one at a time, so events are handled and actions carried
/// out in one order. Ends: with Finish, after which turns do nothing.
class DispatchLoop {
 public:
  /// All outlive it.
  DispatchLoop(EventQueue& events, std::unique_ptr<Dispatcher> dispatcher, ActionHands& hands);

  /// Carries out the dispatcher's first actions, and goes on, on a thread of its own.
  void Start();

  /// Handles what has been posted on the calling thread, unless another is at it, which then does
  /// so before it ends its turn. From the first action on that is not quick, all is left to the
  /// loop's own thread. For what was posted under EventQueue::Quiet.
  void TakeTurn();

  /// Waits for the end.
  void Join();

  Snapshot TakeSnapshot() const;

 private:
  void Run();
  bool TakeWholeTurn(bool has_ticked);
  bool TakeQuickTurn() PENSTOCK_REQUIRES(turn_);
  std::vector<Action> HandlePosted(bool has_ticked) PENSTOCK_REQUIRES(turn_);
  bool CarryOutAll(const std::vector<Action>& actions) PENSTOCK_REQUIRES(turn_);

  EventQueue& events_;
  ActionHands& hands_;

  Mutex turn_;
  std::vector<Action> left_ PENSTOCK_GUARDED_BY(turn_);  // For the loop's thread.
  bool finished_ PENSTOCK_GUARDED_BY(turn_) = false;

  mutable Mutex mutex_;  // Taken within a turn; snapshots do not wait for actions.
  const std::unique_ptr<Dispatcher> dispatcher_ PENSTOCK_GUARDED_BY(mutex_);

  std::thread thread_;
};

}  // namespace penstock
