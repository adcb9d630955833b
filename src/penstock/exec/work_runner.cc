#include "penstock/exec/work_runner.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "penstock/base/error.h"
#include "penstock/base/mutex.h"
#include "penstock/exec/failed_rows.h"
#include "penstock/exec/retry_rules.h"
#include "penstock/exec/worker_devices.h"
#include "penstock/exec/worker_lives.h"
#include "penstock/exec/worker_setup.h"

namespace penstock {
namespace {

constexpr int64_t kInlineBytesMax = 256 << 10;  // Packed or unpacked without another thread.
constexpr int64_t kHeapBytesMax = 32 << 10;     // Results up to this leave their segment.
constexpr int64_t kOutputBytesMin = 64 << 10;   // The least room offered for an output.

/// A batch that a worker has, or will have once it is packed.
struct SentBatch {
  WorkerIndex worker = 0;
  WorkerId life = -1;  // -1: the worker has died; the batch will be sent again.
  Lineage lineage;
  int64_t rows = 0;
  bool stepping = true;  // A step is out; else the batch waits for the next StepTask.
  bool ended = false;    // The worker said so while no step was out: the next step tells.
  std::optional<TaskFailed> failed;  // Likewise.
  int64_t rows_yielded = 0;          // By all workers that had it.
  int64_t rows_to_skip = 0;          // Of what comes next: an earlier worker yielded them.
};

bool KeepsRows(const FunctionsOp& op) {
  return std::all_of(op.functions.begin(), op.functions.end(),
                     [](const FunctionSpec& function) { return function.keeps_rows; });
}

int64_t PieceBytes(const std::vector<Piece>& pieces) {
  int64_t bytes = 0;
  for (const Piece& piece : pieces) {
    const int64_t block_rows = std::max<int64_t>(piece.block.rows(), 1);
    bytes += BlockBytes(*piece.block.batch) * piece.rows / block_rows;
  }
  return bytes;
}

Lineage PieceLineage(const std::vector<Piece>& pieces) {
  Lineage lineage;
  for (const Piece& piece : pieces) {
    lineage.Append(piece.block.lineage.Slice(piece.offset, piece.rows));
  }
  return lineage;
}

class WorkRunnerImpl final : public WorkRunner {
 public:
  WorkRunnerImpl(RunnerContext context, WorkContext work)
      : context_(context),
        work_(work),
        setup_(PackWorkerSetup(context.stage.name, *context.stage.functions)),
        keeps_rows_(KeepsRows(*context.stage.functions)),
        isolates_(context.stage.functions->options.errors.leave_rows_out()),
        retries_(isolates_ || MayRetry(context.stage.functions->options)),
        devices_(work.devices, context.stage.functions->options) {}

  void StartWorker(WorkerIndex worker) override {
    const WorkerId life = work_.directory.Add({.runner = this, .place = worker});
    lives_.Begin(worker, life);
    WorkerCommand command =
        CommandFor(work_.command, context_.stage, context_.index, worker, work_.processors);
    command.own_environment = devices_.Take(life);
    const Status started = work_.host.Start(life, command, setup_);
    if (started.ok()) return;
    devices_.Give(life);
    PostEnd(lives_.Die(
        life, {context_.index, worker,
               started.WithMessage(context_.stage.name,
                                   ": cannot start a worker process: ", started.message())}));
    work_.directory.Remove(life);
  }
  void StopWorker(const penstock::StopWorker& action) override {
    const std::optional<WorkerLives::Stopped> stopped =
        lives_.Stop(action.worker, action.awaits_exit);
    if (!stopped) return;
    bool has_batches;
    {
      MutexLock lock(mutex_);
      has_batches = std::any_of(sent_.begin(), sent_.end(), [&](const auto& entry) {
        return entry.second.life == stopped->life;
      });
    }
    // What it still loads or computes nobody wants, and it may never end. A thread without batches
    // must not take the others of its process with it.
    const bool is_thread = context_.stage.functions->options.threads;
    if (!has_batches && (stopped->is_ready || is_thread)) {
      work_.host.Stop(stopped->life);
    } else {
      work_.host.Kill(stopped->life);
    }
    if (!action.awaits_exit) context_.events.Post(WorkerStopped{context_.index, action.worker});
  }
  void KillWorker(WorkerIndex worker, int64_t busy_ns) override {
    const WorkerId life = lives_.LifeIn(worker);
    if (lives_.IsStopping(worker)) {
      return work_.host.Kill(life, {.text = "was killed because it did not leave"});
    }
    if (!HasStep(life)) return;  // What it was busy with has come meanwhile.
    const auto allowed_ms = static_cast<double>(context_.stage.functions->options.batch_timeout_ms);
    work_.host.Kill(life,
                    {.cause = ExitCause::kTimeout,
                     .text = fmt::format("was killed because it had been busy with one batch for "
                                         "{:.1f} s, where {:.1f} s are allowed (batch_timeout_s),",
                                         static_cast<double>(busy_ns) / 1e9, allowed_ms / 1e3)});
  }

  void StartTask(const penstock::StartTask& action, std::vector<Piece> pieces) override {
    const WorkerId life = lives_.LifeIn(action.worker);
    SentBatch batch{.worker = action.worker, .life = life, .lineage = PieceLineage(pieces)};
    for (const Piece& piece : pieces) batch.rows += piece.rows;
    {
      MutexLock lock(mutex_);
      SentBatch& known = sent_[action.task];
      if (!isolates_) batch.rows_yielded = batch.rows_to_skip = known.rows_yielded;
      known = std::move(batch);
    }
    const int64_t bytes = PieceBytes(pieces);
    const bool may_be_fatal =
        isolates_ && context_.fatal_rows != nullptr && context_.fatal_rows->MayHold(pieces);
    if (bytes <= kInlineBytesMax && !may_be_fatal) {
      Send(action.task, life, pieces, bytes);
      return;
    }
    context_.pool.Submit([this, task = action.task, life, pieces = std::move(pieces), bytes,
                          may_be_fatal]() mutable {
      if (!may_be_fatal || !FailUnsent(task, life, pieces)) Send(task, life, pieces, bytes);
    });
  }

  void StepTask(TaskId task) override {
    WorkerId life;
    int64_t bytes;
    bool ended;
    std::optional<TaskFailed> failed;
    {
      MutexLock lock(mutex_);
      const auto found = sent_.find(task);
      if (found == sent_.end()) return;  // It has failed; that is on its way.
      found->second.stepping = true;
      life = found->second.life;
      bytes = output_bytes_;
      ended = found->second.ended;
      failed = std::exchange(found->second.failed, std::nullopt);
      if (failed) TakeOff(found, *failed);
    }
    if (failed) return context_.events.Post(*std::move(failed));
    if (ended) {
      OnDone(task, /*busy_ns=*/0);
      return;
    }
    const Status granted = Grant(task, life, bytes);
    if (!granted.ok() && !IsDeath(granted)) Fail(task, granted);
  }

  void EndTask(TaskId task) override {
    if (isolates_) failed_rows_.Forget(task);
    MutexLock lock(mutex_);
    const auto found = sent_.find(task);
    if (found != sent_.end() && found->second.life < 0) sent_.erase(found);
  }

  void OnFrame(WorkerIndex worker, WorkerId life, const Frame& frame,
               std::shared_ptr<Segment> segment) override {
    switch (frame.kind) {
      case FrameKind::kReady:
        if (lives_.MarkReady(worker, life)) {
          context_.events.Post(WorkerUp{context_.index, worker});
        }
        return;
      case FrameKind::kOutput:
        OnOutput(frame, std::move(segment));
        return WatchSize(worker, life);
      case FrameKind::kDone:
        OnDone(static_cast<TaskId>(frame.batch), frame.busy_ns);
        return WatchSize(worker, life);
      case FrameKind::kFailed:
        OnFailed(worker, life, frame, segment);
        return;
      default:
        return;  // The host passes on only what a worker may say.
    }
  }

  void OnExit(WorkerIndex worker, WorkerId life, const WorkerExit& exit) override {
    work_.directory.Remove(life);
    devices_.Give(life);
    const std::string held = HeldRows(life);
    {
      MutexLock lock(mutex_);
      for (auto& [task, batch] : sent_) {
        if (batch.life != life) continue;
        batch.life = -1;
        if (isolates_) failed_rows_.Note(task, FailureOf(exit, "the worker " + exit.reason));
      }
    }
    WorkerDied death{context_.index, worker, MakeError(ErrorKind::kWorkerDied, Death(exit, held))};
    death.was_killed = WasKilled(exit);
    death.cause = CauseOf(exit.cause);
    if (context_.stage.functions->options.threads) death.process = exit.process;
    PostEnd(lives_.Die(life, std::move(death)));
  }

  Result<DeadLetter> MakeLetter(const FailRow& action, const Piece& row) override {
    return failed_rows_.MakeLetter(context_, action, row);
  }

 private:
  bool FailUnsent(TaskId task, WorkerId life, const std::vector<Piece>& pieces);
  void Send(TaskId task, WorkerId life, std::vector<Piece>& pieces, int64_t bytes);
  Status PackAndSend(TaskId task, WorkerId life, std::vector<Piece>& pieces, int64_t bytes);
  Status Grant(TaskId task, WorkerId life, int64_t bytes);
  void OnDone(TaskId task, int64_t busy_ns);
  void OnOutput(const Frame& frame, std::shared_ptr<Segment> segment);
  void TakeOutput(const Frame& frame, std::shared_ptr<Segment> segment, SentBatch batch,
                  int64_t skipped);
  void PostOutput(const Frame& frame, std::shared_ptr<Segment> segment, SentBatch batch,
                  int64_t skipped);
  void OnFailed(WorkerIndex worker, WorkerId life, const Frame& frame,
                const std::shared_ptr<Segment>& segment);
  Cause CauseOfFailure(ErrorKind kind, const RowFailure& failure) const;
  void TakeOff(std::map<TaskId, SentBatch>::iterator sent, const TaskFailed& failed)
      PENSTOCK_REQUIRES(mutex_);
  void WatchSize(WorkerIndex worker, WorkerId life);
  std::string Death(const WorkerExit& exit, const std::string& held) const;
  std::string HeldRows(WorkerId life);

  /// Says whether a worker that is gone is all that went wrong: its death is told of elsewhere.
  static bool IsDeath(const Status& status) {
    const ErrorDetail* const detail = DetailOf(status);
    return detail != nullptr && detail->kind() == ErrorKind::kWorkerDied;
  }
  void PostEnd(std::optional<Event> end) {
    if (end) context_.events.Post(*std::move(end));
  }

  bool HasStep(WorkerId life) {
    MutexLock lock(mutex_);
    return std::any_of(sent_.begin(), sent_.end(), [life](const auto& entry) {
      return entry.second.life == life && entry.second.stepping;
    });
  }
  void Fail(TaskId task, Status status) {
    context_.events.Post(TaskFailed{context_.index, task, std::move(status)});
  }

  void FailForFewerRows(TaskId task) {
    Fail(task, Status::Invalid(context_.stage.name,
                               ": a batch was run again after it had failed, and yielded fewer "
                               "rows than before; what yields several batches must yield the same "
                               "each time, or all retries be 0 (max_task_retries, retries)"));
  }

  const RunnerContext context_;
  const WorkContext work_;
  const std::string setup_;
  const bool keeps_rows_;
  const bool isolates_;  // Rows that fail are looked for.
  const bool retries_;   // So inputs must stay as they are.
  WorkerLives lives_;
  WorkerDevices devices_;
  FailedRows failed_rows_;

  Mutex mutex_;
  std::map<TaskId, SentBatch> sent_ PENSTOCK_GUARDED_BY(mutex_);
  int64_t output_bytes_ PENSTOCK_GUARDED_BY(mutex_) = kOutputBytesMin;  // Room to offer.
};

/// Fails a batch in a worker's place where it holds a row that ended its worker in an earlier run.
bool WorkRunnerImpl::FailUnsent(TaskId task, WorkerId life, const std::vector<Piece>& pieces) {
  const Result<std::optional<FatalRowMemory::Found>> found = context_.fatal_rows->Find(pieces);
  if (!found.ok() || !*found) return false;
  const FatalRow& row = (*found)->row;
  const std::string what = fmt::format("{}: {} with this row, as an earlier run has found",
                                       context_.stage.name, row.message);
  MutexLock lock(mutex_);
  const auto sent = sent_.find(task);
  if (sent == sent_.end() || sent->second.life != life) return true;  // Its death is told of.
  failed_rows_.Note(task, FailureOf(row));
  sent_.erase(sent);
  context_.events.Post(TaskFailed{.stage = context_.index,
                                  .task = task,
                                  .status = MakeError(ErrorKind::kWorkerDied, what),
                                  .by_functions = true,
                                  .row = (*found)->place});
  return true;
}

void WorkRunnerImpl::Send(TaskId task, WorkerId life, std::vector<Piece>& pieces, int64_t bytes) {
  const Status sent = PackAndSend(task, life, pieces, bytes);
  if (!sent.ok() && !IsDeath(sent)) PostFailed(context_, task, sent);
}

Status WorkRunnerImpl::PackAndSend(TaskId task, WorkerId life, std::vector<Piece>& pieces,
                                   int64_t bytes) {
  PENSTOCK_TRY(const PackedBatch packed, PackPieces(pieces, work_.segments));
  const std::shared_ptr<const PackedBatch>& first = pieces.front().block.packed;
  const bool is_handed_on = first != nullptr && first->segment() == packed.segment();
  pieces.clear();  // What was copied can go before the worker has answered.
  int64_t room;
  {
    MutexLock lock(mutex_);
    room = std::max(output_bytes_, keeps_rows_ ? bytes : kOutputBytesMin);
  }
  PENSTOCK_TRY(std::shared_ptr<Segment> output, work_.segments.Acquire(room));
  return work_.host.SendBatch(life, static_cast<uint64_t>(task), packed.segment(), packed.bytes(),
                              packed.rows(), std::move(output), is_handed_on && retries_);
}

Status WorkRunnerImpl::Grant(TaskId task, WorkerId life, int64_t bytes) {
  PENSTOCK_TRY(std::shared_ptr<Segment> output, work_.segments.Acquire(bytes));
  return work_.host.SendGrant(life, static_cast<uint64_t>(task), std::move(output));
}

// A generator may end right after an output, while that is still on its way to the dispatcher: then
// the end waits for the step that asks for more, so that it cannot overtake the output.
void WorkRunnerImpl::OnDone(TaskId task, int64_t busy_ns) {
  bool yields_less;
  {
    MutexLock lock(mutex_);
    const auto found = sent_.find(task);
    if (found == sent_.end() || found->second.life < 0) return;
    if (!found->second.stepping) {
      found->second.ended = true;
      return;
    }
    yields_less = found->second.rows_to_skip > 0;
    sent_.erase(found);
  }
  if (yields_less) return FailForFewerRows(task);
  context_.events.Post(
      StepDone{.stage = context_.index, .task = task, .finished = true, .busy_ns = busy_ns});
}

void WorkRunnerImpl::OnOutput(const Frame& frame, std::shared_ptr<Segment> segment) {
  const TaskId task = static_cast<TaskId>(frame.batch);
  const bool more = (frame.flags & kMore) != 0;
  SentBatch batch;
  int64_t skipped;
  {
    MutexLock lock(mutex_);
    const auto found = sent_.find(task);
    if (found == sent_.end() || found->second.life < 0) return;
    SentBatch& known = found->second;
    known.stepping = false;
    skipped = std::min(known.rows_to_skip, frame.rows);
    known.rows_to_skip -= skipped;
    known.rows_yielded += frame.rows - skipped;
    batch = known;
    if (!more) sent_.erase(found);
    output_bytes_ = std::max(output_bytes_, frame.segment_bytes + frame.segment_bytes / 8);
  }
  lives_.BeginAnswer(batch.worker);
  if (frame.segment_bytes <= kInlineBytesMax) {
    TakeOutput(frame, std::move(segment), std::move(batch), skipped);
    return;
  }
  context_.pool.Submit(
      [this, frame, segment = std::move(segment), batch = std::move(batch), skipped]() mutable {
        TakeOutput(frame, std::move(segment), std::move(batch), skipped);
      });
}

void WorkRunnerImpl::TakeOutput(const Frame& frame, std::shared_ptr<Segment> segment,
                                SentBatch batch, int64_t skipped) {
  const WorkerIndex worker = batch.worker;
  const WorkerId life = batch.life;
  PostOutput(frame, std::move(segment), std::move(batch), skipped);
  PostEnd(lives_.EndAnswer(worker, life));
}

void WorkRunnerImpl::PostOutput(const Frame& frame, std::shared_ptr<Segment> segment,
                                SentBatch batch, int64_t skipped) {
  const TaskId task = static_cast<TaskId>(frame.batch);
  const bool more = (frame.flags & kMore) != 0;
  if (!more && batch.rows_to_skip > 0) return FailForFewerRows(task);
  if (skipped > 0 && skipped == frame.rows) {
    context_.events.Post(StepDone{
        .stage = context_.index, .task = task, .finished = !more, .busy_ns = frame.busy_ns});
    return;
  }
  Result<Block> unpacked = UnpackBatch(std::move(segment), kHeapBytesMax);
  if (!unpacked.ok()) {
    Fail(task, unpacked.status().WithMessage(
                   context_.stage.name, ": worker ", batch.worker,
                   " sent a batch that cannot be read: ", unpacked.status().message()));
    return;
  }
  Block block = unpacked.MoveValueUnsafe();
  if (skipped > 0) block = SliceBlock(block, skipped, block.rows() - skipped);
  block.lineage = std::move(batch.lineage);
  const bool is_whole = !more && block.rows() == batch.rows;
  if (!keeps_rows_ || !is_whole) block.lineage.MarkInexact();
  PostTransformed(context_, task, std::move(block),
                  {.chunk = 0, .finished = !more, .busy_ns = frame.busy_ns});
}

void WorkRunnerImpl::OnFailed(WorkerIndex worker, WorkerId life, const Frame& frame,
                              const std::shared_ptr<Segment>& segment) {
  std::string payload;
  if (segment != nullptr) {
    payload.assign(reinterpret_cast<const char*>(segment->data()), frame.segment_bytes);
  }
  const ErrorKind kind =
      (frame.flags & kBadReturnFlag) != 0 ? ErrorKind::kBadReturn : ErrorKind::kUserFunction;
  if ((frame.flags & kConstructor) != 0) {
    WorkerDied death{
        context_.index, worker,
        MakeError(kind,
                  fmt::format("{}: raised while a worker was being built", context_.stage.name),
                  std::move(payload))};
    death.raised = true;
    lives_.Foretell(life, std::move(death));
    return work_.host.Kill(life);  // It has nothing more to do.
  }
  const TaskId task = static_cast<TaskId>(frame.batch);
  RowFailure failure = FailureOf(kind, payload);
  const Cause cause = CauseOfFailure(kind, failure);
  TaskFailed failed{.stage = context_.index,
                    .task = task,
                    .status = MakeError(
                        kind, fmt::format("{}: raised on {}", context_.stage.name, HeldRows(life)),
                        std::move(payload)),
                    .by_functions = true,
                    .row = failure.row,
                    .cause = cause};
  {
    MutexLock lock(mutex_);
    const auto found = sent_.find(task);
    if (found == sent_.end()) return;
    if (isolates_) failed_rows_.Note(task, std::move(failure));
    // It must not overtake an output that is still on its way to the dispatcher.
    if ((isolates_ || cause != kNoCause) && !found->second.stepping) {
      found->second.failed = std::move(failed);
      return;
    }
    TakeOff(found, failed);
  }
  context_.events.Post(std::move(failed));
}

Cause WorkRunnerImpl::CauseOfFailure(ErrorKind kind, const RowFailure& failure) const {
  if (kind != ErrorKind::kUserFunction) return kNoCause;
  return CauseOf(failure.classes, context_.stage.functions->options.retries);
}

/// The worker is done with a batch that failed. What it had yielded is known until it runs again.
void WorkRunnerImpl::TakeOff(std::map<TaskId, SentBatch>::iterator sent, const TaskFailed& failed) {
  if (isolates_ || failed.cause == kNoCause) {
    sent_.erase(sent);
  } else {
    sent->second.life = -1;
  }
}

void WorkRunnerImpl::WatchSize(WorkerIndex worker, WorkerId life) {
  const int64_t bytes_max = context_.stage.functions->options.max_worker_bytes;
  if (bytes_max == 0 || work_.host.ResidentBytes(life).value_or(0) <= bytes_max) return;
  context_.events.Post(WorkerTooLarge{context_.index, worker});
}

std::string WorkRunnerImpl::Death(const WorkerExit& exit, const std::string& held) const {
  return fmt::format(
      "{}: a worker process {} while it held {}; look at what the function and the "
      "libraries it calls do with these rows{}{}",
      context_.stage.name, exit.reason, held, exit.last_words.empty() ? "" : "\n\n",
      exit.last_words);
}

/// Names the first batch that the worker has not answered.
std::string WorkRunnerImpl::HeldRows(WorkerId life) {
  MutexLock lock(mutex_);
  for (const auto& [task, batch] : sent_) {
    if (batch.life != life) continue;
    const std::vector<RowRange>& ranges = batch.lineage.ranges();
    if (ranges.empty()) return fmt::format("batch {} ({} rows)", task, batch.rows);
    return fmt::format("batch {} ({} rows, the first being row {} of {})", task, batch.rows,
                       ranges.front().first_row, context_.split_names.NameOf(ranges.front().split));
  }
  return "no batch";
}

}  // namespace

std::unique_ptr<WorkRunner> WorkRunner::Make(RunnerContext context, WorkContext work) {
  return std::make_unique<WorkRunnerImpl>(context, work);
}

}  // namespace penstock
