#include "penstock/exec/work_runner.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "penstock/base/error.h"
#include "penstock/base/mutex.h"
#include "penstock/exec/worker_setup.h"
#include "penstock/worker/environment.h"

namespace penstock {
namespace {

constexpr int64_t kInlineBytesMax = 256 << 10;  // Packed or unpacked without another thread.
constexpr int64_t kHeapBytesMax = 32 << 10;     // Results up to this leave their segment.
constexpr int64_t kOutputBytesMin = 64 << 10;   // The least room offered for an output.

/// A batch that a worker has, or will have once it is packed.
struct SentBatch {
  WorkerIndex worker = 0;
  Lineage lineage;
  int64_t rows = 0;
  bool stepping = true;  // A step is out; else the batch waits for the next StepTask.
  bool ended = false;    // The worker said so while no step was out: the next step tells.
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
        keeps_rows_(KeepsRows(*context.stage.functions)) {}

  void StartWorker(WorkerIndex worker) override {
    const Status started =
        work_.host.Start(work_.first_worker + worker, CommandFor(worker), setup_);
    if (!started.ok()) {
      context_.events.Post(JobFailed{started.WithMessage(
          context_.stage.name, ": cannot start a worker process: ", started.message())});
    }
  }

  void StopWorker(WorkerIndex worker) override {
    bool may_leave;
    {
      MutexLock lock(mutex_);
      stopping_[worker] = true;
      may_leave =
          ready_[worker] && std::none_of(sent_.begin(), sent_.end(), [worker](const auto& entry) {
            return entry.second.worker == worker;
          });
    }
    // What it still loads or computes nobody wants, and it may never end.
    if (may_leave) {
      work_.host.Stop(work_.first_worker + worker);
    } else {
      work_.host.Kill(work_.first_worker + worker);
    }
    context_.events.Post(WorkerStopped{context_.index, worker});
  }

  void StartTask(const penstock::StartTask& action, std::vector<Piece> pieces) override {
    SentBatch batch{.worker = action.worker, .lineage = PieceLineage(pieces)};
    for (const Piece& piece : pieces) batch.rows += piece.rows;
    {
      MutexLock lock(mutex_);
      sent_.emplace(action.task, std::move(batch));
    }
    const int64_t bytes = PieceBytes(pieces);
    if (bytes <= kInlineBytesMax) {
      Send(action.task, action.worker, pieces, bytes);
      return;
    }
    context_.pool.Submit([this, task = action.task, worker = action.worker,
                          pieces = std::move(pieces),
                          bytes]() mutable { Send(task, worker, pieces, bytes); });
  }

  void StepTask(TaskId task) override {
    WorkerIndex worker;
    int64_t bytes;
    bool ended;
    {
      MutexLock lock(mutex_);
      const auto found = sent_.find(task);
      if (found == sent_.end()) return;  // It has failed; that is on its way.
      found->second.stepping = true;
      worker = found->second.worker;
      bytes = output_bytes_;
      ended = found->second.ended;
    }
    if (ended) {
      OnDone(task);
      return;
    }
    const Status granted = Grant(task, worker, bytes);
    if (!granted.ok()) Fail(task, granted);
  }

  void EndTask(TaskId task) override {}

  void OnFrame(WorkerIndex worker, const Frame& frame, std::shared_ptr<Segment> segment) override {
    switch (frame.kind) {
      case FrameKind::kReady:
        OnReady(worker);
        return;
      case FrameKind::kOutput:
        OnOutput(frame, std::move(segment));
        return;
      case FrameKind::kDone:
        OnDone(static_cast<TaskId>(frame.batch));
        return;
      case FrameKind::kFailed:
        OnFailed(worker, frame, segment);
        return;
      default:
        return;  // The host passes on only what a worker may say.
    }
  }

  void OnExit(WorkerIndex worker, const WorkerExit& exit) override {
    {
      MutexLock lock(mutex_);
      if (stopping_[worker]) return;
    }
    context_.events.Post(WorkerDied{
        context_.index, worker,
        MakeError(ErrorKind::kWorkerDied,
                  fmt::format("{}: a worker process {} while it held {}; look at what the function "
                              "and the libraries it calls do with these rows{}{}",
                              context_.stage.name, exit.reason, HeldRows(worker),
                              exit.last_words.empty() ? "" : "\n\n", exit.last_words))});
  }

 private:
  WorkerCommand CommandFor(WorkerIndex worker) const;
  void Send(TaskId task, WorkerIndex worker, std::vector<Piece>& pieces, int64_t bytes);
  Status PackAndSend(TaskId task, WorkerIndex worker, std::vector<Piece>& pieces, int64_t bytes);
  Status Grant(TaskId task, WorkerIndex worker, int64_t bytes);
  void OnReady(WorkerIndex worker);
  void OnDone(TaskId task);
  void OnOutput(const Frame& frame, std::shared_ptr<Segment> segment);
  void TakeOutput(const Frame& frame, std::shared_ptr<Segment> segment, SentBatch batch);
  void OnFailed(WorkerIndex worker, const Frame& frame, const std::shared_ptr<Segment>& segment);
  std::string HeldRows(WorkerIndex worker);

  void Fail(TaskId task, Status status) {
    context_.events.Post(TaskFailed{context_.index, task, std::move(status)});
  }

  void Forget(TaskId task) {
    MutexLock lock(mutex_);
    sent_.erase(task);
  }

  const RunnerContext context_;
  const WorkContext work_;
  const std::string setup_;
  const bool keeps_rows_;

  Mutex mutex_;
  std::map<TaskId, SentBatch> sent_ PENSTOCK_GUARDED_BY(mutex_);
  std::map<WorkerIndex, bool> ready_ PENSTOCK_GUARDED_BY(mutex_);
  std::map<WorkerIndex, bool> stopping_ PENSTOCK_GUARDED_BY(mutex_);
  int64_t output_bytes_ PENSTOCK_GUARDED_BY(mutex_) = kOutputBytesMin;  // Room to offer.
};

WorkerCommand WorkRunnerImpl::CommandFor(WorkerIndex worker) const {
  WorkerCommand command = work_.command;
  const WorkerOptions& options = context_.stage.functions->options;
  command.pool = context_.index;
  command.pool_name = context_.stage.name;
  command.name = fmt::format("{} worker {}", context_.stage.name, worker);
  if (options.threads) command.shared = WorkerSharing::kProcess;
  if (options.shares_model) command.shared = WorkerSharing::kModel;
  command.pool_workers = context_.stage.workers;
  SetVariables(options.environment, &command.environment);
  const int share = std::max(1, work_.processors / std::max(1, context_.stage.workers));
  for (const char* const name : {"OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"}) {
    if (HasVariable(command.environment, name)) continue;
    command.environment.push_back(fmt::format("{}={}", name, share));
  }
  return command;
}

void WorkRunnerImpl::Send(TaskId task, WorkerIndex worker, std::vector<Piece>& pieces,
                          int64_t bytes) {
  const Status sent = PackAndSend(task, worker, pieces, bytes);
  if (!sent.ok()) PostFailed(context_, task, sent);
}

Status WorkRunnerImpl::PackAndSend(TaskId task, WorkerIndex worker, std::vector<Piece>& pieces,
                                   int64_t bytes) {
  PENSTOCK_TRY(const PackedBatch packed, PackPieces(pieces, work_.segments));
  pieces.clear();  // What was copied can go before the worker has answered.
  int64_t room;
  {
    MutexLock lock(mutex_);
    room = std::max(output_bytes_, keeps_rows_ ? bytes : kOutputBytesMin);
  }
  PENSTOCK_TRY(std::shared_ptr<Segment> output, work_.segments.Acquire(room));
  return work_.host.SendBatch(work_.first_worker + worker, static_cast<uint64_t>(task),
                              packed.segment(), packed.bytes(), packed.rows(), std::move(output));
}

Status WorkRunnerImpl::Grant(TaskId task, WorkerIndex worker, int64_t bytes) {
  PENSTOCK_TRY(std::shared_ptr<Segment> output, work_.segments.Acquire(bytes));
  return work_.host.SendGrant(work_.first_worker + worker, static_cast<uint64_t>(task),
                              std::move(output));
}

void WorkRunnerImpl::OnReady(WorkerIndex worker) {
  {
    MutexLock lock(mutex_);
    ready_[worker] = true;
  }
  context_.events.Post(WorkerUp{context_.index, worker});
}

// A generator may end right after an output, while that is still on its way to the dispatcher: then
// the end waits for the step that asks for more, so that it cannot overtake the output.
void WorkRunnerImpl::OnDone(TaskId task) {
  {
    MutexLock lock(mutex_);
    const auto found = sent_.find(task);
    if (found == sent_.end()) return;
    if (!found->second.stepping) {
      found->second.ended = true;
      return;
    }
    sent_.erase(found);
  }
  context_.events.Post(StepDone{.stage = context_.index, .task = task, .finished = true});
}

void WorkRunnerImpl::OnOutput(const Frame& frame, std::shared_ptr<Segment> segment) {
  const TaskId task = static_cast<TaskId>(frame.batch);
  SentBatch batch;
  {
    MutexLock lock(mutex_);
    const auto found = sent_.find(task);
    if (found == sent_.end()) return;
    batch = found->second;
    found->second.stepping = false;
    if ((frame.flags & kMore) == 0) sent_.erase(found);
    output_bytes_ = std::max(output_bytes_, frame.segment_bytes + frame.segment_bytes / 8);
  }
  if (frame.segment_bytes <= kInlineBytesMax) {
    TakeOutput(frame, std::move(segment), std::move(batch));
    return;
  }
  context_.pool.Submit(
      [this, frame, segment = std::move(segment), batch = std::move(batch)]() mutable {
        TakeOutput(frame, std::move(segment), std::move(batch));
      });
}

void WorkRunnerImpl::TakeOutput(const Frame& frame, std::shared_ptr<Segment> segment,
                                SentBatch batch) {
  const TaskId task = static_cast<TaskId>(frame.batch);
  Result<Block> unpacked = UnpackBatch(std::move(segment), kHeapBytesMax);
  if (!unpacked.ok()) {
    Fail(task, unpacked.status().WithMessage(
                   context_.stage.name, ": worker ", batch.worker,
                   " sent a batch that cannot be read: ", unpacked.status().message()));
    return;
  }
  const bool more = (frame.flags & kMore) != 0;
  Block block = unpacked.MoveValueUnsafe();
  block.lineage = std::move(batch.lineage);
  if (!keeps_rows_ || more || block.rows() != batch.rows) block.lineage.MarkInexact();
  PostTransformed(context_, task, std::move(block), /*chunk=*/0, !more);
}

void WorkRunnerImpl::OnFailed(WorkerIndex worker, const Frame& frame,
                              const std::shared_ptr<Segment>& segment) {
  std::string payload;
  if (segment != nullptr) {
    payload.assign(reinterpret_cast<const char*>(segment->data()), frame.segment_bytes);
  }
  const ErrorKind kind =
      (frame.flags & kBadReturnFlag) != 0 ? ErrorKind::kBadReturn : ErrorKind::kUserFunction;
  if ((frame.flags & kConstructor) != 0) {
    context_.events.Post(WorkerDied{
        context_.index, worker,
        MakeError(kind,
                  fmt::format("{}: raised while a worker was being built", context_.stage.name),
                  std::move(payload))});
    return;
  }
  const TaskId task = static_cast<TaskId>(frame.batch);
  const std::string rows = HeldRows(worker);
  Forget(task);
  Fail(task, MakeError(kind, fmt::format("{}: raised on {}", context_.stage.name, rows),
                       std::move(payload)));
}

std::string WorkRunnerImpl::HeldRows(WorkerIndex worker) {
  MutexLock lock(mutex_);
  for (const auto& [task, batch] : sent_) {
    if (batch.worker != worker) continue;
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
