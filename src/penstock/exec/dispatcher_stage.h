#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "penstock/exec/dispatcher_batch_size.h"
#include "penstock/exec/dispatcher_batches.h"
#include "penstock/exec/dispatcher_blocks.h"
#include "penstock/exec/dispatcher_inputs.h"
#include "penstock/exec/dispatcher_parts.h"
#include "penstock/exec/dispatcher_pool_size.h"

namespace penstock::dispatch {

/// Rows of a task that are run together, see "Failures" in dispatcher.h.
struct Range {
  int64_t offset = 0;
  int64_t rows = 0;
  int attempts = 0;
  int deaths = 0;              // Of workers that held these rows.
  bool is_first_half = false;  // Of rows that failed; the other half is the next range.
  bool fails = false;          // As the first half of the rows that failed did not.
};

enum class TaskState : uint8_t {
  kReady,     // Has its input, was not started.
  kRunning,   // A step is out.
  kWaiting,   // Open; its next step may be started.
  kFinished,  // Only its blocks are left, waiting for earlier tasks.
};

struct Task {
  TaskState state = TaskState::kReady;
  WorkerIndex worker = -1;
  int64_t reserved = 0;  // For the step that is out.
  int64_t chunk = 0;
  int64_t part = -1;
  int64_t rows = 0;                 // Of input.
  std::vector<Piece> pieces;        // Held until the task is finished.
  std::vector<LiveBlock*> yielded;  // The reorder window: what earlier tasks hold up.
  int deaths = 0;                   // Of workers that held it.
  std::vector<int> failures;        // By Cause, as far as there were any.
  std::vector<Range> ranges;        // isolates_failures: still to be run, the next one last.
  int64_t rows_told = 0;            // only_filters: of these, what was yielded and what failed.
  bool has_failures = false;        // Likewise: rows of it were left out.
  std::vector<LiveBlock*> held;     // Likewise: what the range that is being run has yielded.

  int64_t held_bytes() const;

  /// Returns whether it gets a worker of its own: one has died under it.
  bool runs_alone() const { return ranges.empty() ? deaths > 0 : ranges.back().deaths > 0; }

  /// Returns the rows that its next step is given.
  std::vector<PieceRef> NextPieces() const;
};

enum class WorkerState : uint8_t {
  kGone,      // No worker has this place.
  kStarting,  // Is being built.
  kUp,
  kStopping,
};

struct Worker {
  WorkerState state = WorkerState::kGone;
  int tasks = 0;        // In flight.
  int waiting = 0;      // Of these, in kWaiting. A worker runs one after the other: none runs then.
  bool busy = false;    // Runs a step.
  bool alone = false;   // Its one task gets no company: a worker died under it.
  bool leaves = false;  // Gets no more tasks, and is stopped when it has none.
  bool is_old = false;  // Has a successor, or is to get one.
  bool is_large = false;  // Holds more memory than allowed.
  bool killed = false;    // For a step that took too long.
  int64_t batches = 0;    // Started, ever.
  int64_t since_ns = 0;   // When it was started or, when busy, its step began.
  int64_t spent_ns = 0;   // In earlier steps of the batch that it has begun.

  bool outgoing() const { return leaves || is_old; }
};

/// Why slots of a stage are idle.
enum class Idle : uint8_t {
  kEnded,    // Nothing is left to do, or other stages have the threads.
  kStarved,  // Nothing to work on has come yet.
  kBlocked,  // The budget or the window has no room.
};

/// Adds up what the slots of a stage did, from event to event.
struct SlotTime {
  int busy = 0;  // Slots, since the last event.
  int idle = 0;
  Idle why = Idle::kEnded;
  int starting = 0;
  int64_t starting_ns = 0;
  int64_t busy_ns = 0;
  int64_t idle_ns = 0;  // Whatever the reason.
  int64_t starved_ns = 0;
  int64_t blocked_ns = 0;

  void Advance(int64_t ns) {
    idle_ns += idle * ns;
    starting_ns += starting * ns;
    busy_ns += busy * ns;
    if (why == Idle::kStarved) starved_ns += idle * ns;
    if (why == Idle::kBlocked) blocked_ns += idle * ns;
  }
};

/// Where a stage stands in the tree.
struct StagePlace {
  StageIndex index = 0;
  StageIndex first_before = 0;  // It and the stages that lead to it are [first_before, index].
  StageIndex consumer = -1;     // Who takes its blocks; -1: it is the last.
  size_t input = 0;             // Which of the consumer's inputs it is.
};

/// All that the dispatcher knows of one stage.
struct StageState {
  StageState(StageLimits stage_limits, const StagePlace& stage_place, bool preserve_order);

  bool native() const { return limits.role != StageRole::kWork; }
  bool yields() const {
    return limits.role != StageRole::kWrite && limits.role != StageRole::kCollect;
  }
  /// Returns whether its tasks are gathered before they start.
  bool batches() const { return yields() && limits.role != StageRole::kRead; }

  /// Returns the task, or nullptr when it is not among the unfinished or unconsumed ones.
  Task* Find(TaskId task);
  TaskId next_task() const { return first_task + static_cast<TaskId>(tasks.size()); }
  TaskId AddTask(Task task);

  /// Returns whether a gathered task waits to be started.
  bool has_gathered() const { return batches() && next_start < next_task(); }

  /// Returns how many batches are gathered and not started, and how many run at once at most.
  int64_t ready() const { return next_task() - next_start; }
  int64_t capacity() const {
    return native() ? limits.slots : int64_t{std::max(1, target)} * limits.in_flight_per_worker;
  }

  /// Returns how many batches its workers do not hold yet, those that are still to be cut among
  /// them.
  int64_t at_hand() const {
    return ready() + (limits.grows_batches ? queue.rows() / batch_size.rows() : 0);
  }

  /// Returns whether its workers have no room for another batch: where batches grow, none is cut
  /// ahead of its start, so that what is learnt counts from the next batch on.
  bool cuts_later() const { return limits.grows_batches && ready() >= capacity() - in_flight; }

  /// Returns whether nothing is left, given that the input has ended.
  bool empty() const;

  bool runs_functions() const {
    return limits.role == StageRole::kWork || limits.role == StageRole::kNative;
  }

  /// Returns whether no further task will be started.
  bool starts_no_more() const;

  /// Returns the bytes that wait here for a batch to get its rows, and the rows of the largest.
  int64_t gathered_bytes() const {
    return batcher.hoards() ? queue.bytes() : batcher.gathered_bytes();
  }
  int64_t gathered_rows() const {
    return batcher.hoards() ? queue.rows() : batcher.gathered_rows_max();
  }

  /// Returns the worker that is up, has room, and has the fewest tasks; -1 when there is none.
  WorkerIndex LeastLoaded() const;

  /// Returns a worker that is up and has no task; -1 when there is none.
  WorkerIndex IdleWorker() const;

  /// Returns the worker that may run the task again now; -1 when there is none.
  WorkerIndex WorkerFor(const Task& task) const {
    return task.runs_alone() ? IdleWorker() : LeastLoaded();
  }

  /// Returns whether it may run again now.
  bool CanRunAgain(const Task& task) const {
    return native() ? open < limits.slots : WorkerFor(task) >= 0;
  }

  /// Returns the bytes that open tasks hold of what they have yielded.
  int64_t held_bytes() const;

  /// Returns a place for a new worker; -1 when all are taken.
  WorkerIndex FreePlace() const;

  /// Returns how many workers there are that are not on their way out.
  int pool() const { return workers_starting + workers_up - workers_outgoing; }

  /// Returns whether workers are wanted: something is to be run, or will come.
  bool wants_workers() const { return !native() && !starts_no_more(); }

  const StageLimits limits;
  const StagePlace place;
  const StageIndex index;

  std::deque<SplitSize> splits;  // kRead: listed, not started.
  StageInputs inputs;
  InputQueue queue;   // Not of kZip, whose rows wait in `inputs`.
  Batcher batcher;    // kRegroup, kNative, kWork
  PartPlanner parts;  // kWrite

  std::deque<Task> tasks;  // From first_task on; finished ones at the front are taken off.
  TaskId first_task = 0;
  TaskId next_start = 0;  // batches(): tasks from here on are kReady.
  int64_t unfinished = 0;
  int open = 0;                                // Started and unfinished.
  int running = 0;                             // Steps out.
  std::set<TaskId> waiting;                    // Those in kWaiting.
  std::unordered_map<TaskId, Task> abandoned;  // A step is still out.

  std::set<TaskId> again;  // In kReady although they were started: their workers died, or they
                           // go on with other rows.
  std::map<TaskId, int64_t> later;  // Likewise, but not before a time.

  std::vector<Worker> workers;  // By place: twice as many as the stage's, for the successors.
  int target = 0;               // Workers wanted, as PoolSize has it.
  PoolSize pool_size;
  BatchSize batch_size;      // grows_batches
  int workers_most = 0;      // At once.
  int workers_starting = 0;  // Now, as what follows.
  int workers_up = 0;
  int workers_outgoing = 0;  // Up, but old or leaving.
  int workers_busy = 0;
  int in_flight = 0;
  int restarts = 0;
  int retries = 0;
  int recycled = 0;
  int failed_builds = 0;  // In a row.
  int killed_builds = 0;
  int64_t last_dead_process = -1;
  int64_t starts_ns = 0;  // Of the workers that came up, together.
  int starts_seen = 0;
  int64_t steps_busy_ns = 0;  // Of tasks_done, together.

  bool listing = false;  // kRead: ListSplits is out.
  std::optional<int64_t> last_chunk_listed;
  std::optional<int64_t> last_chunk_started;
  std::unordered_set<int64_t> chunks_begun;  // Of functions, with commits: not ended.
  bool input_ended = false;
  bool done = false;         // Nothing more comes out.
  int64_t rows_let_out = 0;  // Towards the row limit.

  SlotTime time;
  int64_t rows_in = 0;
  int64_t rows_done = 0;  // Of rows_in, those of finished tasks.
  int64_t rows_out = 0;
  int64_t rows_failed = 0;
  int64_t rows_filtered = 0;
  int64_t batches_failed = 0;  // With some of these.
  int64_t bytes_out = 0;
  int64_t blocks_out = 0;
  int64_t tasks_done = 0;
};

}  // namespace penstock::dispatch
