#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "penstock/base/snapshot.h"
#include "penstock/base/status.h"

namespace penstock {

/// Decides what runs next. A pure state machine: it knows ids, sizes, limits and states, and holds
/// no data, thread, clock or file. Events go in, actions come out; the pipeline carries them out
/// on real threads and processes, the simulator on virtual time.
///
/// The model. A job is a tree of stages: reads at its leaves, at its root the one stage that writes
/// or collects; most trees are a single row. Each stage turns its input into *tasks*, numbered from
/// 0 in input order: a read task is a split; a work, native or regroup task is the pieces of blocks
/// that make one batch; a zip task is the same rows of each input; a write or collect task is one
/// block. A task runs in *steps*: each step yields at most one block and says whether the task is
/// finished. A step starts only when there is room for its output, so nothing ever waits inside a
/// thread or a worker while holding a queue.
///
/// Order. With `preserve_order` the blocks of a stage enter the next in task order: early ones wait
/// in the reorder window, which lives inside the byte budget and is at most `window_tasks` wide.
/// Without it they enter as they come; row limits and regrouping then follow arrival order.
///
/// Several inputs. A regroup stage takes the blocks of one input after those of the other, with
/// `preserve_order`, else as they come. A zip stage takes the same rows of all inputs together and
/// ends the job with Invalid when one has more rows than another; it needs `preserve_order`. What
/// an input yields before it is wanted piles up within its own stages' shares of the budget.
///
/// Budget. `used` is the bytes of all live blocks plus, for each running step, a reservation: the
/// largest block that its stage has yielded so far (at first the stage's `block_bytes_estimate`).
/// A step starts only if `used` with its reservation stays within `budget_bytes`. Half of the
/// budget is shared out evenly among the stages' outputs for their use alone, so that no stage
/// can starve those after it; the rest goes downstream first. Tasks other than a stage's first
/// unfinished one may use at most half of what the stage may use, so that the first can always
/// drain. When nothing runs and nothing may start, the one step nearest to the end of the job that
/// has its input is started all the same. So the budget is exceeded by at most one block a stage.
/// A batch that cannot be gathered within the budget ends the job with kBudgetTooSmall, naming
/// stage, rows gathered and rows wanted.
///
/// Ahead. A native stage pauses while `ahead_bytes` of its blocks live and the stage after it has
/// twice the batches ready that it can take at once: more would not make the job faster, and memory
/// that is used again while it is warm costs less than fresh memory.
///
/// Workers. A pool starts with `workers_initial` of them as far as `resources` go, one a stage
/// before any stage gets its second, and grows and shrinks between `workers_min` and `workers` (see
/// PoolSize). No resource is ever oversold. A stage that has batches and no worker, for want of a
/// resource, takes it over from an idle worker of another stage; so stages that fit the machine one
/// by one take turns. A worker that was asked to answer its last allowed batch, or has grown too
/// large, gets a successor, and leaves when that is up (at once, where both would not fit).
///
/// Deaths. A worker that dies under batches costs each of them a try: they run again, each alone on
/// its worker, so that of several the guilty one is known; blocks that they had yielded are not
/// yielded twice (StartTask.again). A batch out of tries ends the job with what the last death
/// said, and so do too many restarts, or failures in a row to build a worker; workers that somebody
/// kills while they are built count as restarts. A worker that is busy with one batch for
/// longer than `batch_timeout_ns` is killed; time between its steps does not count.
///
/// Retries. How often a batch runs again goes by what it failed by (Cause), with a budget for each.
/// After a failure whose budget says so it waits before it does, twice as long each time, a half of
/// that drawn from the task's number; how long that has been is looked at when time is told. The
/// status that ends the job says what was tried.
///
/// Failures. A stage that `isolates_failures` goes on without the rows for which its functions
/// fail. A batch that failed is run again in halves, and so on, until the rows that fail stand
/// alone; each of these is told of (FailRow) and left out. Where the first half of rows that failed
/// succeeds, the second is cut without being run. A row that kills its worker counts as failed
/// when it, or the rows among which it was, had two deaths and it was alone on its worker at the
/// last. What a batch yields is held until it has come through, so that nothing of rows that fail
/// flows on; a batch that yields more than the budget ends the job with kBudgetTooSmall.
/// `failed_rows_max` and the like bound the rows that may fail: beyond them the job ends
/// with the status of the last failure. The share is looked at once there are enough rows for it to
/// mean anything, and at the stage's end. What a batch raised is tried again as its budget allows
/// before rows are looked for; budgets of deaths are for other stages.
///
/// Windows. A kRegroup stage with `window_rows` takes windows of so many rows, which end at a
/// chunk's border where order is kept, and yields several blocks of each. Its `restored_by` gets
/// the rows of each window as one task. When the budget is full of a window, the window ends early.
///
/// Commits. At its end a job that writes commits all of its parts. With `commits_chunks` it does so
/// on the way: a chunk of which nothing is left in any stage is committed with its parts, together
/// with all others that are ready by then, one commit at a time; the last one takes the rest. The
/// stages before must keep each chunk's rows to itself: no limit, zip, or regrouping. Parts are
/// numbered by chunk then: the n-th that begins with a chunk is `chunk << kPartBits | n`.
///
/// Filtered rows. Where a stage `only_filters`, each row in is a row out, has failed, or was
/// filtered: then these are counted, by what goes into each batch and comes out of it.
///
/// Draining. A job that is asked to (Drain) begins with no further chunk, comes to the end of those
/// that it has begun, commits them, and ends with kDrained; with OK where there are no others. A
/// chunk is begun when the first stage of functions has started with it, or where there is none,
/// when it is being read. What could go on only beyond the budget is given up, and so are parts
/// that gather rows across chunks and are not full: what a job writes must not depend on when it
/// was stopped. A job that does not commit on the way ends at once.
///
/// Properties (held by the simulator under all orders of events): no deadlock: while work is left,
/// something runs or an action is out; every block that enters is dropped, emitted or written
/// exactly once; after Finish nothing more comes out.
///
/// Threads: one at a time.

using StageIndex = int32_t;
using TaskId = int64_t;   // In a stage, from 0, in input order.
using BlockId = int64_t;  // Chosen by whoever carries out the actions; unique in the job.
using WorkerIndex = int32_t;

inline constexpr int kPartBits = 20;  // See "Commits".

/// What a batch failed by, as the budgets of its stage count it.
using Cause = int;
inline constexpr Cause kNoCause = -1;     // By what is never tried again.
inline constexpr Cause kByCrash = 0;      // Its worker ended by itself, or by a signal,
inline constexpr Cause kByTimeout = 1;    // was killed because it took too long,
inline constexpr Cause kByMemory = 2;     // or by the kernel, for want of memory.
inline constexpr Cause kByException = 3;  // From here on: the functions raised something.

struct RetryBudget {
  std::string name;     // As errors say what it is for.
  int retries = 0;      // -1: no limit.
  int64_t wait_ns = 0;  // Before the first.
  int64_t wait_max_ns = 0;
};

enum class StageRole : uint8_t {
  kRead,
  kRegroup,
  kZip,
  kNative,  // Batches through functions of this process, on native threads.
  kWork,    // Batches through worker processes.
  kWrite,
  kCollect,
};

struct StageLimits {
  std::string name;
  StageRole role = StageRole::kRead;
  // Whose blocks come in, in this order; each stage but the last is the input of one. Empty: the
  // stage before. Several for kRegroup and kZip only, each behind the stages that lead to it.
  std::vector<StageIndex> inputs;
  int64_t batch_rows = 0;       // kNative, kWork: rows a batch; 0: a block is a batch.
  int64_t batch_rows_max = 0;   // kNative, kWork, batch_rows == 0: cut larger blocks; 0: never.
  bool batch_in_chunk = true;   // kNative, kWork: a batch never spans two chunks.
  bool only_filters = false;    // See "Filtered rows".
  bool grows_batches = false;   // kWork: batches grow from few rows, see BatchSize.
  int64_t regroup_rows = 0;     // kRegroup: rows a block; 0: use regroup_blocks.
  int64_t regroup_blocks = 0;   // kRegroup: this many blocks, once the rows are all known; with
                                // neither, blocks pass as they are.
  int64_t rows_known = -1;      // kRegroup with blocks: total input rows, if known beforehand.
  int64_t window_rows = 0;      // kRegroup: see "Windows".
  StageIndex restored_by = -1;  // kRegroup with window_rows: a later kRegroup stage without any.
  std::optional<int64_t> row_limit;  // Rows of output let through, in order.
  int slots = 1;  // All but kWork and kCollect: tasks at once (native threads bound them too).
  // kWork.
  int workers = 0;          // At most.
  int workers_min = 0;      // 0: as workers.
  int workers_initial = 0;  // 0: as workers.
  int in_flight_per_worker = 2;
  std::vector<double> needs;  // Of one worker, by DispatcherLimits::resources; missing: none.
  int max_restarts = -1;      // -1: no limit.
  std::vector<RetryBudget> retries;    // By Cause; missing: none.
  bool isolates_failures = false;      // See "Failures", as for what follows.
  int64_t failed_rows_max = -1;        // -1: no limit.
  int64_t failed_batches_max = -1;     // With rows that failed; -1: no limit.
  double failed_share_max = 1;         // Of the stage's rows.
  int max_build_tries = 1;             // In a row, of workers whose constructor raises,
  int max_build_deaths = 3;            // of those that die while they are built,
  int max_build_kills = 100;           // and of those that somebody kills then; -1: no limit.
  int64_t batch_timeout_ns = 0;        // 0: none.
  int64_t max_batches_per_worker = 0;  // 0: no limit.
  bool overlaps_successor = true;      // A worker's successor is started before it leaves.
  bool threads = false;                // The workers are threads of one process, and die with it.
  int64_t block_bytes_estimate = int64_t{1} << 20;
  int64_t rows_per_part_min = 0;  // kWrite; see Sink.
  int64_t rows_per_part_max = 0;
  int64_t bytes_per_part_min = 0;
  bool part_ends_with_block = false;  // kWrite: each block counts as a chunk of its own.
  bool commits_chunks = false;        // kWrite: see "Commits".
};

/// Says whether rows of one chunk meet those of another in the stage, see "Commits".
bool MixesChunks(const StageLimits& stage, bool preserve_order);

/// Something of which workers hold a part.
struct ResourceLimit {
  std::string name;  // As errors say it: "GPUs".
  double amount = 0;
};

struct DispatcherLimits {
  int64_t budget_bytes = 0;
  int native_threads = 1;  // Steps of native stages at once, all stages together.
  bool preserve_order = true;
  int64_t window_tasks = 1024;              // Unfinished or unconsumed tasks a stage, at most.
  int64_t splits_ahead = 1024;              // Splits listed but not started, at most.
  int64_t ahead_bytes = int64_t{64} << 20;  // Native stages pause at so much, see "Ahead".
  std::vector<ResourceLimit> resources;
  int64_t warn_after_ns = 0;       // Without an event, Warn says what the job waits for; 0: never.
  int64_t fail_after_ns = 0;       // Without an event, the job ends with kNoProgress; 0: never.
  int64_t commit_interval_ns = 0;  // From one commit's begin to the next one's, at least.
};

struct SplitSize {
  int64_t chunk = 0;
  int64_t rows = -1;
  int64_t bytes = -1;
};

/// A block as the dispatcher sees it.
struct BlockSize {
  BlockId block = 0;
  int64_t rows = 0;
  int64_t bytes = 0;
  int64_t chunk = 0;
};

// ---- Events ------------------------------------------------------------------------------------

/// More splits are known; `last` when there are no others.
struct SplitsListed {
  std::vector<SplitSize> splits;
  bool last = false;
  StageIndex stage = 0;
};
/// A step ended well. `block` is absent when it yielded nothing. Rows of 0 are allowed and are
/// dropped at once (with a DropBlock) after they were counted. `block.chunk` is for kRead to say;
/// else the chunk is that of the task's first piece. For kWrite and kCollect there is no block.
struct StepDone {
  StageIndex stage = 0;
  TaskId task = 0;
  std::optional<BlockSize> block;
  bool finished = true;
  int64_t busy_ns = 0;    // kWork: what the function took, where the worker said so.
  int64_t rows_read = 0;  // kRead: of the input, before the stage's own operators.
};
/// A step failed: the job does, or where the stage isolates failures and the functions are to
/// blame, rows of the batch do. `row`: which one of the rows that the step was given, where that is
/// known.
struct TaskFailed {
  StageIndex stage = 0;
  TaskId task = 0;
  Status status;
  bool by_functions = false;
  int64_t row = -1;
  Cause cause = kNoCause;
};
/// The worker has built its functions and takes batches.
struct WorkerUp {
  StageIndex stage = 0;
  WorkerIndex worker = 0;
};
/// The worker is gone without having been told to stop, or could not be built; `status` says why.
/// All that it had answered was told before.
struct WorkerDied {
  StageIndex stage = 0;
  WorkerIndex worker = 0;
  Status status;
  bool raised = false;      // Its constructor did, so that it could not be built.
  bool was_killed = false;  // By somebody else, not by what it did.
  Cause cause = kByCrash;
  int64_t process = -1;  // Tells which workers were threads of the same one; -1: of none.
};
/// The worker that was told to stop is gone.
struct WorkerStopped {
  StageIndex stage = 0;
  WorkerIndex worker = 0;
};
/// The worker holds more memory than its stage allows.
struct WorkerTooLarge {
  StageIndex stage = 0;
  WorkerIndex worker = 0;
};
/// Time has passed: what goes by time is looked at. At most as often as the caller likes.
struct Tick {};
/// The caller has taken an emitted block; its bytes are the caller's now.
struct BlockTaken {
  BlockId block = 0;
};
/// Something outside failed (listing, commit). Fails the job.
struct JobFailed {
  Status status;
};
/// The caller stops the job.
struct Cancel {};
/// The caller wants the job to end soon, with what it has done, see "Draining".
struct Drain {};
/// The commit asked for by CommitOutput is done.
struct OutputCommitted {};

using Event =
    std::variant<SplitsListed, StepDone, TaskFailed, WorkerUp, WorkerDied, WorkerStopped,
                 WorkerTooLarge, Tick, BlockTaken, JobFailed, Cancel, Drain, OutputCommitted>;

// ---- Actions -----------------------------------------------------------------------------------

/// Rows [offset, offset + rows) of a live block.
struct PieceRef {
  BlockId block = 0;
  int64_t offset = 0;
  int64_t rows = 0;

  bool operator==(const PieceRef&) const = default;
};

/// List up to `count_max` more splits; answered by SplitsListed or JobFailed.
struct ListSplits {
  int64_t count_max = 0;
  StageIndex stage = 0;
};
/// Open the task and run its first step. kRead: `task` is the split's index. kWork: send the
/// pieces to `worker`. kZip: a piece of each input, in their order, of equally many rows. kWrite:
/// append the piece to `part`, which is opened on first use and closed after this step if
/// `closes_part`; steps of one part are never out together and keep their order. Blocks named by
/// pieces stay live until DropBlock.
struct StartTask {
  StageIndex stage = 0;
  TaskId task = 0;
  std::vector<PieceRef> pieces;
  WorkerIndex worker = -1;
  int64_t part = -1;
  bool closes_part = false;
  bool again = false;  // kWork: it was run before. What it yielded then is wanted no more.
};
/// The functions of a stage that isolates failures fail for this row, as the last failure of the
/// task says; it goes no further. `attempts`: how often it was run, alone or among others.
struct FailRow {
  StageIndex stage = 0;
  TaskId task = 0;
  PieceRef piece;
  int64_t chunk = 0;
  int attempts = 0;
};
/// Run the next step of an open task.
struct StepTask {
  StageIndex stage = 0;
  TaskId task = 0;
};
/// Close a task early: nothing of it is wanted any more. Answered by nothing; a step of it that
/// is out still answers and is ignored (its block is dropped).
struct AbandonTask {
  StageIndex stage = 0;
  TaskId task = 0;
};
/// Start a worker in this place; a place is used again once its worker is gone.
struct StartWorker {
  StageIndex stage = 0;
  WorkerIndex worker = 0;
};
/// Let the worker finish and exit; answered by WorkerStopped: when it is gone, as somebody waits
/// for what it holds, or without `awaits_exit` at once.
struct StopWorker {
  StageIndex stage = 0;
  WorkerIndex worker = 0;
  bool awaits_exit = false;
};
/// Kill the worker, which has been busy with one step, or on its way out, for too long; answered by
/// WorkerDied or WorkerStopped.
struct KillWorker {
  StageIndex stage = 0;
  WorkerIndex worker = 0;
  int64_t busy_ns = 0;
};
/// Tell the user that nothing has happened for a while, and what the job waits for.
struct Warn {
  std::string text;
};
/// No one needs the block any more.
struct DropBlock {
  BlockId block = 0;
};
/// Hand rows of a block to the caller, in order; answered by BlockTaken. The dispatcher needs no
/// DropBlock for it.
struct EmitBlock {
  PieceRef piece;
};
/// Make the output visible: all of it, or with StageLimits::commits_chunks that of these chunks,
/// which is in these parts. `last`: the job's last. Answered by OutputCommitted or JobFailed.
struct CommitOutput {
  bool last = true;
  std::vector<int64_t> chunks;
  std::vector<int64_t> parts;
  int64_t rows_read = 0;
  int64_t rows_written = 0;
  int64_t rows_failed = 0;               // Without commits_chunks: of the whole job.
  std::optional<int64_t> rows_filtered;  // With commits_chunks, where every stage only filters.
};
/// The job has ended; the last action ever. On failure or cancellation, whatever still runs is to
/// be stopped by whoever carries out the actions.
struct Finish {
  Status status;
};

using Action =
    std::variant<ListSplits, StartTask, FailRow, StepTask, AbandonTask, StartWorker, StopWorker,
                 KillWorker, Warn, DropBlock, EmitBlock, CommitOutput, Finish>;

class Dispatcher {
 public:
  /// Invalid for limits that cannot be (no stages, a wrong order of roles, a budget below 1).
  static Result<std::unique_ptr<Dispatcher>> Make(std::vector<StageLimits> stages,
                                                  DispatcherLimits limits);
  virtual ~Dispatcher() = default;

  /// Returns the first actions. Call once, before Handle.
  virtual std::vector<Action> Start(int64_t now_ns) = 0;

  /// Takes one event and returns what is to be done now, in order. `now_ns` never goes back; it
  /// only feeds the statistics.
  virtual std::vector<Action> Handle(const Event& event, int64_t now_ns) = 0;

  /// Takes several events that came together; cheaper than one by one, same result.
  virtual std::vector<Action> HandleAll(const std::vector<Event>& events, int64_t now_ns) = 0;

  virtual Snapshot TakeSnapshot(int64_t now_ns) const = 0;

  /// Returns one line a stage on what it has, runs and waits for: for bug reports.
  virtual std::string Describe() const = 0;
};

}  // namespace penstock
