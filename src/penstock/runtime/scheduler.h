#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "penstock/runtime/wire.h"

namespace penstock::runtime {

/// Decides which task runs when on which worker. A pure state machine: it knows ids, needs, limits
/// and states, and holds no value, thread, clock or process. Events go in (the methods), actions
/// come out (TakeActions); the hub carries them out on real processes, the simulator on virtual
/// time.
///
/// Functions. A task waits for the objects that it is given, then in the queue of its shape (what
/// it needs of the machine, and in which environment), first come, first served. The oldest head of
/// all queues that fits runs next, so that one that does not fit holds up nobody of another shape;
/// one that was passed over for long (kPassedOverMax) reserves what is given back, as far as tasks
/// hold what it lacks, and not actors or tasks that wait for others.
/// A task is admitted when its needs are free; it then has them until it ends, also while its
/// worker starts. Workers that are idle are used again by environment; at most one is started for
/// each admitted task, and `starting_max` at once.
///
/// While the tasks of a function are short, those that wait are sent ahead to workers that run
/// others of the same shape, and taken back should one of those last after all.
///
/// Actors. An actor is a worker of its own, taken like a function's for its constructor and kept.
/// Calls of one caller to an actor that is `in_order` are sent in the order submitted, each once
/// the objects are there that it is given; to others as these come to be. Calls are sent ahead, up
/// to kCallsAhead for each that the actor runs at once. An actor ends when nobody refers to it any
/// more, after the calls that were submitted.
///
/// Placement groups. A group waits in the queue like a task, for what all its bundles need
/// together; it then keeps that until it is removed, whoever uses it. Tasks and actors of a group
/// draw from one of its bundles where others draw from the machine. When a group is removed, what
/// waits in it ends, and so does what runs: its workers are killed, and the machine has back what
/// they had as they end.
///
/// Waiting. A task whose worker waits for others (Blocked) gives its processors back, no other
/// resource. When that is over it takes them again at once, so that the machine may be in debt;
/// nothing is admitted that needs what is owed.
///
/// Deaths. What a dead worker ran is repeated, up to `max_retries` times (calls: as far as the
/// actor is restarted, too), what had not begun at no cost. For want of memory (kMemoryRetriesMax)
/// it is repeated after pauses that grow.
///
/// Held by the simulator: nothing is oversold but for debt; each task ends exactly once (EndTask);
/// calls of one caller run in order; no action names a worker that is gone; nothing stands still
/// while something fits.
///
/// Threads: one at a time.

using WorkerNumber = int64_t;  // From 1, never used again.
using ShapeNumber = int32_t;
using EnvironmentNumber = int32_t;

using GroupNumber = uint64_t;  // 0: none.

inline constexpr size_t kProcessorIndex = 0;  // Of the resources, that of processors.

inline constexpr int kAnyBundle = -1;

/// Tasks of other shapes that may overtake one that does not fit before it reserves.
inline constexpr int64_t kPassedOverMax = 64;
inline constexpr int64_t kCallsAhead = 256;
/// Tasks that end without a value for want of memory are repeated so often.
inline constexpr int kMemoryRetriesMax = 15;
/// Workers of one environment that may die one after the other before they have said hello.
inline constexpr int kStartFailuresMax = 3;
/// Workers that run functions which need no processor, at once.
inline constexpr int kFreeRunnersMax = 64;
inline constexpr int64_t kTickNs = 100'000'000;
inline constexpr int64_t kIdleTimeNs = 10'000'000'000;
inline constexpr int64_t kStopTimeNs = 5'000'000'000;  // Until one that was to stop is killed.
inline constexpr int64_t kMemoryPauseNs =
    200'000'000;  // Before the first repetition; then doubled,
inline constexpr int64_t kMemoryPauseMaxNs = 10'000'000'000;  // up to this.
/// Tasks of one function that last less than this are sent ahead to a worker that runs others,
inline constexpr int64_t kShortTaskNs = 1'000'000;
/// so many at most, while each worker would get as many of those that wait.
inline constexpr int64_t kTasksAhead = 16;
/// They are taken back when what runs before them lasts longer than this.
inline constexpr int64_t kLongTaskNs = 20'000'000;

struct SchedulerOptions {
  std::vector<double> resources;  // What there is; [kProcessorIndex]: processors.
  int starting_max = 2;           // Workers that start at once.
  int idle_kept = 2;              // Idle workers that are not ended.
};

/// Whence tasks have what they need: from the machine, or from a bundle of a placement group.
struct Place {
  GroupNumber group = 0;
  int bundle = kAnyBundle;  // From 0.

  auto operator<=>(const Place&) const = default;
};

struct TaskSpec {
  uint64_t task = 0;
  TaskKind kind = TaskKind::kFunction;
  ShapeNumber shape = 0;  // kFunction, kConstructor.
  uint64_t function = 0;  // kFunction: which, for max_calls.
  uint64_t actor = 0;     // kConstructor, kMethod.
  uint64_t parent = 0;    // The task that submitted it; 0: none.
  uint32_t caller = 0;    // kMethod: the client that submitted it.
  bool waits = false;     // For objects; TaskReady tells when they are there.
  int max_retries = 0;    // -1: for ever.
  int max_calls = 0;      // kFunction: tasks of this function after which a worker ends; 0: never.
};

struct ActorSpec {
  int max_restarts = 0;  // -1: for ever.
  int max_concurrency = 1;
  int max_pending_calls = -1;  // Not answered yet; -1: no limit.
  bool in_order = true;
};

/// How a worker's process ended.
struct WorkerEnd {
  std::string text;  // The end of a sentence about it: "was killed by signal 9 (SIGKILL)".
  bool out_of_memory = false;
};

// ---- Actions -----------------------------------------------------------------------------------

/// Start a process; answered by WorkerUp or WorkerGone. `task` is what it is started for; 0: none.
struct StartWorker {
  WorkerNumber worker = 0;
  EnvironmentNumber environment = 0;
  uint64_t task = 0;
};
/// Send a task to a worker that is up; answered by TaskDone, TaskGivenBack or WorkerGone. With
/// `takes` it is the first of a lease: its GPUs are to be chosen, until EndLease.
struct RunTask {
  WorkerNumber worker = 0;
  uint64_t task = 0;
  int attempt = 0;
  bool takes = false;
};
/// The worker has given back all that its tasks or its actor had of the machine.
struct EndLease {
  WorkerNumber worker = 0;
};
/// Tell the worker to end once what it runs has ended; answered by WorkerGone.
struct StopWorker {
  WorkerNumber worker = 0;
};
/// Kill it; answered by WorkerGone.
struct KillWorker {
  WorkerNumber worker = 0;
  std::string why;  // The end of a sentence about it.
};
/// Tell the worker that one of its tasks is cancelled.
struct InterruptTask {
  WorkerNumber worker = 0;
  uint64_t task = 0;
};
/// Have the worker give back those of these tasks that it has not begun.
struct TakeBack {
  WorkerNumber worker = 0;
  std::vector<uint64_t> tasks;
};
/// A task is over without its worker having said so (TaskDone), and nothing more will be said of
/// it. kNone: a constructor that is not needed any more.
struct EndTask {
  uint64_t task = 0;
  SystemError error = SystemError::kNone;
  std::string text;
};
/// An actor is gone for good; calls end with `error`, those open have.
struct EndActor {
  uint64_t actor = 0;
  SystemError error = SystemError::kActorDied;
  std::string text;
};

/// A placement group has what its bundles need.
struct GroupReady {
  GroupNumber group = 0;
};

/// Who has how much of a resource, and keeps it while it waits for others.
struct ResourceHolder {
  uint64_t number = 0;  // A task's; an actor's where it is one that holds.
  double amount = 0;
};

/// Why a task does not run: of what the holders have of a resource it lacks so much.
struct Shortage {
  size_t resource = 0;
  double lacking = 0;
  std::vector<ResourceHolder> holders;
};

using Action = std::variant<StartWorker, RunTask, EndLease, StopWorker, KillWorker, InterruptTask,
                            TakeBack, EndTask, EndActor, GroupReady>;

/// What becomes of a task that a worker has answered.
enum class Answered : uint8_t {
  kUnknown,  // The worker runs no such task.
  kOver,     // It is over, with what the worker said.
  kOpen,     // It is run again, or an action ends it; of a constructor: the actor is up.
};

class Scheduler {
 public:
  static std::unique_ptr<Scheduler> Make(SchedulerOptions options);
  virtual ~Scheduler() = default;

  /// Returns the number of what tasks need of a place and in which environment they run. `needs` go
  /// by SchedulerOptions::resources, what is missing at their end is 0; they must fit the machine,
  /// or one bundle of the group, which is not removed. The number is good until it is.
  virtual ShapeNumber ShapeOf(const std::vector<double>& needs, EnvironmentNumber environment,
                              const Place& place = {}) = 0;

  // ---- Events ----------------------------------------------------------------------------------

  virtual void TaskSubmitted(const TaskSpec& task) = 0;
  /// A constructor, and the actor with it.
  virtual void ActorSubmitted(const TaskSpec& constructor, const ActorSpec& actor) = 0;
  /// One that can never be placed; why, as the end of a sentence about it.
  virtual void ActorRefused(const TaskSpec& constructor, SystemError error,
                            const std::string& why) = 0;
  /// The objects that it waits for are there.
  virtual void TaskReady(uint64_t task) = 0;

  virtual void WorkerUp(WorkerNumber worker) = 0;
  virtual void WorkerGone(WorkerNumber worker, const WorkerEnd& end) = 0;
  /// A worker has answered. `flags`: DoneFlags.
  virtual Answered TaskDone(WorkerNumber worker, uint64_t task, uint32_t flags) = 0;
  /// A worker has not begun a task that it was sent, and shall not. False: it was sent none such.
  virtual bool TaskGivenBack(WorkerNumber worker, uint64_t task) = 0;
  virtual void Blocked(WorkerNumber worker) = 0;
  virtual void Unblocked(WorkerNumber worker) = 0;

  /// `flags`: CancelFlags.
  virtual void CancelTask(uint64_t task, uint32_t flags) = 0;
  virtual void KillActor(uint64_t actor, bool may_restart) = 0;
  /// Nobody refers to the actor any more.
  virtual void ActorUnreferenced(uint64_t actor) = 0;

  /// A group of a number that no task has; all its bundles together must fit the machine.
  virtual void GroupSubmitted(GroupNumber group,
                              const std::vector<std::vector<double>>& bundles) = 0;
  virtual void GroupRemoved(GroupNumber group) = 0;

  /// One worker may be wanted soon.
  virtual void StartAhead() = 0;
  /// Says the time: before the events of each turn, and at least each kTickNs while WantsTicks().
  virtual void Tick(int64_t now_ns) = 0;
  virtual bool WantsTicks() const = 0;

  // ---- Decisions -------------------------------------------------------------------------------

  /// Decides what can be begun now, and returns the actions since the last call, in the order in
  /// which they are to be carried out.
  virtual std::vector<Action> TakeActions() = 0;

  // ---- Questions -------------------------------------------------------------------------------

  /// What is free of each resource; below 0 while it is owed.
  virtual std::vector<double> available() const = 0;
  /// Likewise in a bundle; nothing where the group is not there.
  virtual std::vector<double> AvailableIn(GroupNumber group, int bundle) const = 0;
  /// The task that a worker runs, where it is one alone; else 0.
  virtual uint64_t RunningTask(WorkerNumber worker) const = 0;
  /// What a task lacks that is in the queue, processors aside; nothing for any other. Whoever is
  /// about to end is no holder: what it has will be free.
  virtual std::vector<Shortage> ShortagesOf(uint64_t task) const = 0;
};

}  // namespace penstock::runtime
