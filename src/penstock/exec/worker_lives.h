#pragma once

#include <map>
#include <optional>

#include "penstock/base/mutex.h"
#include "penstock/exec/dispatcher.h"
#include "penstock/worker/host.h"

namespace penstock {

/// Follows the workers of one stage, each life of them in its place, and sees to it that the
/// dispatcher hears of each life's end once, and after all that the worker had answered.
///
/// Threads: any.
class WorkerLives {
 public:
  void Begin(WorkerIndex place, WorkerId life);

  /// Returns the life that goes on in this place; -1 when there is none.
  WorkerId LifeIn(WorkerIndex place) const;

  /// The worker takes batches now. Returns false when its end has been told.
  bool MarkReady(WorkerIndex place, WorkerId life);

  struct Stopped {
    WorkerId life = -1;
    bool is_ready = false;
  };  /// The dispatcher wants the life to end. With `awaits_exit` its end will be WorkerStopped;
      /// else it is
  /// over, and WorkerStopped is to be posted. Nullopt when its death was posted, or will be.
  std::optional<Stopped> Stop(WorkerIndex place, bool awaits_exit);
  bool IsStopping(WorkerIndex place) const;

  /// The life will end, for this reason, whatever its process says at its end.
  void Foretell(WorkerId life, WorkerDied death);
  /// An output of the worker is being taken in; its death has to wait for that.
  void BeginAnswer(
      WorkerIndex place);  /// Returns an end that waited for this answer, to be posted.
  std::optional<Event> EndAnswer(WorkerIndex place, WorkerId life);

  /// Ends the life. Returns what is to be posted now, WorkerDied or WorkerStopped; nullopt when the
  /// end was told already, or waits for an answer.
  std::optional<Event> Die(WorkerId life, WorkerDied death);

 private:
  struct Place {
    WorkerId life = -1;
    bool is_ready = false;
    bool is_stopping = false;
    bool is_over = false;
    int answers = 0;
    std::optional<WorkerDied> foretold;
    std::optional<Event> end;  // Waits for the answers.
  };

  mutable Mutex mutex_;
  std::map<WorkerIndex, Place> places_ PENSTOCK_GUARDED_BY(mutex_);
};

}  // namespace penstock
