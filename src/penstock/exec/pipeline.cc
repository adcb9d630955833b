#include "penstock/exec/pipeline.h"

#include <algorithm>
#include <cstdio>
#include <unordered_map>
#include <utility>
#include <vector>

#include "penstock/base/check.h"
#include "penstock/base/devices.h"
#include "penstock/base/error.h"
#include "penstock/base/mutex.h"
#include "penstock/exec/dispatch_loop.h"
#include "penstock/exec/dispatcher.h"
#include "penstock/exec/event_queue.h"
#include "penstock/exec/native_pool.h"
#include "penstock/exec/native_runner.h"
#include "penstock/exec/open_input.h"
#include "penstock/exec/open_output.h"
#include "penstock/exec/output_queue.h"
#include "penstock/exec/pipeline_shells.h"
#include "penstock/exec/plan_facts.h"
#include "penstock/exec/read_runner.h"
#include "penstock/exec/regroup_runner.h"
#include "penstock/exec/stage_limits.h"
#include "penstock/exec/window_runners.h"
#include "penstock/exec/work_runner.h"
#include "penstock/exec/worker_directory.h"
#include "penstock/exec/write_runner.h"
#include "penstock/exec/zip_runner.h"
#include "penstock/memory/machine.h"
#include "penstock/memory/warm_pool.h"
#include "penstock/op/operators.h"
#include "penstock/plan/compute_functions.h"
#include "penstock/plan/physical.h"
#include "penstock/plan/rules.h"

namespace penstock {
namespace {

/// How long workers of a job that ended well may take to leave by themselves.
constexpr std::chrono::seconds kGraceTime{2};

/// How long nothing may happen before the user is told.
constexpr int64_t kWarnAfterNs = 60'000'000'000;

bool HasWorkers(const PhysicalPlan& plan) {
  for (const Stage& stage : plan.stages) {
    if (stage.kind == StageKind::kWork) return true;
  }
  return false;
}

bool Zips(const PhysicalPlan& plan) {
  return std::ranges::any_of(plan.stages,
                             [](const Stage& stage) { return stage.kind == StageKind::kZip; });
}

constexpr int64_t kIdleReadBytesMax = int64_t{128} << 20;

using Sources = std::vector<std::unique_ptr<Source>>;  // By stage; null for those that do not read.

Result<Sources> MakeSources(const PhysicalPlan& plan, const PipelineOptions& options) {
  Sources sources;
  for (const Stage& stage : plan.stages) {
    std::unique_ptr<Source>& source = sources.emplace_back();
    if (!stage.read) continue;
    PENSTOCK_TRY(source, OpenInput(*stage.read, options.read, options.processors));
  }
  return sources;
}

PipelineOptions WithDefaults(PipelineOptions options) {
  if (options.processors <= 0) options.processors = MachineProcessors();
  if (options.gpus < 0) options.gpus = static_cast<double>(MachineGpus().size());
  if (options.memory_bytes <= 0) options.memory_bytes = MachineMemoryBytes();
  if (options.budget_bytes <= 0) options.budget_bytes = DefaultBudgetBytes();
  // No stage's share of the budget may be less than a few blocks.
  options.read.block_bytes =
      std::max<int64_t>(std::min(options.read.block_bytes, options.budget_bytes / 16), 1 << 10);
  return options;
}

MachineResources ResourcesOf(const PipelineOptions& options) {
  return {.processors = options.processors,
          .gpus = options.gpus,
          .memory_bytes = options.memory_bytes,
          .others = options.resources};
}

/// Names as many devices as the job counts, which may be more than this machine has.
std::vector<std::string> DeviceNames(double gpus) {
  std::vector<std::string> names = MachineGpus();
  for (size_t next = names.size(); static_cast<double>(next) < gpus; ++next) {
    names.push_back(std::to_string(next));
  }
  return names;
}

class PipelineImpl final : public Pipeline, public ActionHands {
 public:
  PipelineImpl(PhysicalPlan plan, PipelineOptions options, std::optional<RetriedRows> retried)
      : plan_(std::move(plan)),
        options_(std::move(options)),
        retried_(std::move(retried)),
        segments_(SegmentPool::Make(options_.budget_bytes / 4)),
        devices_(DeviceNames(options_.gpus)) {
    WarmPool::Shared().AllowIdle(std::min(options_.budget_bytes / 16, kIdleReadBytesMax));
  }

  ~PipelineImpl() override {
    Cancel();
    if (loop_ != nullptr) loop_->Join();
    WaitForStoppedWorkers();
    if (pool_ != nullptr) pool_->Close();
    for (const auto& memory : fatal_rows_) {
      if (memory != nullptr) memory->Write();
    }
    host_.reset();  // Kills and reaps what is left; no event of it follows.
    if (writer_ != nullptr) writer_->AbortUnlessCommitted();
    WarmPool::Shared().AllowIdle(0);
  }

  Status Begin(Sources sources, JobOutput output);

  Result<NextResult> Next(std::chrono::nanoseconds timeout) override {
    OutputQueue::Popped popped = output_.Pop(timeout);
    switch (popped.state) {
      case OutputQueue::Popped::State::kTimeout:
        return NextResult{};
      case OutputQueue::Popped::State::kFinished:
        if (!popped.status.ok()) return popped.status;
        return NextResult{.state = NextState::kEnd, .block = std::nullopt};
      case OutputQueue::Popped::State::kBlock:
        PostTaken(popped.id);
        return NextResult{.state = NextState::kBlock, .block = std::move(popped.block)};
    }
    return NextResult{};
  }

  void Cancel() override { events_.Post(penstock::Cancel{}); }
  void Drain() override { events_.Post(penstock::Drain{}); }

  Snapshot TakeSnapshot() const override {
    {
      MutexLock lock(mutex_);
      if (final_snapshot_) return *final_snapshot_;
    }
    return Look();
  }

 private:
  Snapshot Look() const {
    Snapshot snapshot = loop_->TakeSnapshot();
    if (host_ != nullptr) snapshot.worker_starts = host_->LaunchSummary();
    return snapshot;
  }

  Status MakeTransforms(const Sources& sources);
  Status MakeHost();
  Status MakeRunners(Sources sources, JobOutput output);
  void RecallFatalRows(JobLedger& ledger);
  void WaitForStoppedWorkers();
  void PostTaken(BlockId block);
  std::vector<Piece> TakePieces(const std::vector<PieceRef>& refs) const;

  void Receive(PostedEvent* posted) override;
  void CarryOut(const Action& action) override {
    std::visit([this](const auto& known) { Do(known); }, action);
  }
  void Pause() override { output_.Announce(); }

  // One overload for each action.
  void Do(const ListSplits& action) { readers_[action.stage]->ListSplits(action.count_max); }
  void Do(const StartTask& action) {
    runners_[action.stage]->StartTask(action, TakePieces(action.pieces));
  }
  void Do(const FailRow& action);
  void Do(const StepTask& action) { runners_[action.stage]->StepTask(action.task); }
  void Do(const AbandonTask& action) { runners_[action.stage]->EndTask(action.task); }
  void Do(const StartWorker& action) {
    {
      MutexLock lock(mutex_);
      ++workers_started_;
    }
    runners_[action.stage]->StartWorker(action.worker);
  }
  void Do(const StopWorker& action) { runners_[action.stage]->StopWorker(action); }
  void Do(const KillWorker& action) {
    workers_of_[action.stage]->KillWorker(action.worker, action.busy_ns);
  }
  void Do(const Warn& action) { std::fprintf(stderr, "penstock: %s\n", action.text.c_str()); }
  void Do(const DropBlock& action) { blocks_.erase(action.block); }
  void Do(const EmitBlock& action) {
    const auto found = blocks_.find(action.piece.block);
    PENSTOCK_CHECK(found != blocks_.end());
    output_.Push(action.piece.block,
                 SliceBlock(found->second, action.piece.offset, action.piece.rows));
    blocks_.erase(found);
  }
  void Do(const CommitOutput& action) { writer_->Commit(action); }
  void Do(const Finish& action);
  void TellOfFailures() const;

  const PhysicalPlan plan_;
  const PipelineOptions options_;
  const std::optional<RetriedRows> retried_;
  const std::shared_ptr<SegmentPool> segments_;  // Blocks that the caller holds outlive us.
  EventQueue events_;
  OutputQueue output_;
  std::vector<TransformChain> transforms_;
  SplitNames split_names_;
  std::unique_ptr<WorkerHost> host_;
  std::unique_ptr<NativePool> pool_;
  std::vector<std::unique_ptr<StageRunner>> runners_;        // Collect stages have none.
  std::vector<std::unique_ptr<FatalRowMemory>> fatal_rows_;  // By stage, or null.
  std::vector<ReadRunner*> readers_;                         // Of runners_, or null.
  WriteRunner* writer_ = nullptr;                            // One of runners_, or null.
  std::vector<WorkRunner*> workers_of_;                      // Of runners_, or null.
  WorkerDirectory directory_;
  Devices devices_;
  ChunkSet done_;                              // By earlier runs.
  std::unordered_map<BlockId, Block> blocks_;  // Within a turn of the loop.
  std::unique_ptr<DispatchLoop> loop_;

  mutable Mutex mutex_;
  std::optional<Snapshot> final_snapshot_ PENSTOCK_GUARDED_BY(mutex_);
  int workers_started_ PENSTOCK_GUARDED_BY(mutex_) = 0;
  int workers_gone_ PENSTOCK_GUARDED_BY(mutex_) = 0;
  bool ended_well_ PENSTOCK_GUARDED_BY(mutex_) = false;
  ConditionVariable worker_gone_;
};

Status PipelineImpl::Begin(Sources sources, JobOutput output) {
  const int native_threads = options_.processors;
  DispatcherLimits job_limits;
  job_limits.budget_bytes = options_.budget_bytes;
  job_limits.native_threads = native_threads;
  job_limits.preserve_order = options_.preserve_order || Zips(plan_);
  job_limits.resources = LimitsOf(ResourcesOf(options_));
  job_limits.fail_after_ns = options_.no_progress_timeout_ms * 1'000'000;
  job_limits.warn_after_ns = kWarnAfterNs;
  job_limits.commit_interval_ns = options_.commit_interval_ms * 1'000'000;
  const bool commits_chunks = output.ledger != nullptr && !retried_;
  PENSTOCK_TRY(
      std::vector<StageLimits> limits,
      LimitsOf(plan_, sources, output.sink.get(), commits_chunks, options_.read, job_limits));
  output.commits_chunks = limits.back().commits_chunks;
  PENSTOCK_TRY(auto dispatcher, Dispatcher::Make(std::move(limits), job_limits));
  loop_ = std::make_unique<DispatchLoop>(events_, std::move(dispatcher), *this);
  PENSTOCK_RETURN_NOT_OK(MakeTransforms(sources));
  pool_ = std::make_unique<NativePool>(native_threads);
  if (HasWorkers(plan_)) PENSTOCK_RETURN_NOT_OK(MakeHost());
  PENSTOCK_RETURN_NOT_OK(MakeRunners(std::move(sources), std::move(output)));
  loop_->Start();
  return Status::OK();
}

Status PipelineImpl::MakeTransforms(const Sources& sources) {
  std::vector<Source*> inputs;
  for (const std::unique_ptr<Source>& source : sources) inputs.push_back(source.get());
  for (size_t i = 0; i < plan_.stages.size(); ++i) {
    PENSTOCK_TRY(TransformChain chain, TransformChain::Make(plan_.stages[i].transforms));
    transforms_.push_back(std::move(chain));
    PENSTOCK_TRY(auto schema, SchemaOfUnion(plan_, i, inputs, transforms_));
    if (schema != nullptr) transforms_[i].BeginWith(MakeConform(std::move(schema)));
  }
  return Status::OK();
}

Status PipelineImpl::MakeHost() {
  if (options_.worker_command.arguments.empty()) {
    return Status::Invalid("The plan runs functions, but no worker command was given");
  }
  WorkerEvents events;
  events.on_frame = [this](WorkerId id, const Frame& frame, std::shared_ptr<Segment> segment) {
    const EventQueue::Quiet quiet(events_);
    const auto entry = directory_.Find(id);
    if (entry) entry->runner->OnFrame(entry->place, id, frame, std::move(segment));
  };
  events.on_exit = [this](WorkerId id, const WorkerExit& exit) {
    const EventQueue::Quiet quiet(events_);
    const auto entry = directory_.Find(id);
    if (entry) entry->runner->OnExit(entry->place, id, exit);
    {
      MutexLock lock(mutex_);
      ++workers_gone_;
    }
    worker_gone_.NotifyAll();
  };
  events.on_pause = [this] { loop_->TakeTurn(); };
  PENSTOCK_TRY(host_, WorkerHost::Make(segments_, std::move(events), options_.worker_lines));
  return Status::OK();
}

Status PipelineImpl::MakeRunners(Sources sources, JobOutput output) {
  fatal_rows_.resize(plan_.stages.size());
  if (output.ledger != nullptr && !retried_) {
    done_ = output.ledger->done();
    RecallFatalRows(*output.ledger);
  }
  std::vector<Source*> inputs;  // The read runners', soon.
  for (const std::unique_ptr<Source>& source : sources) inputs.push_back(source.get());
  readers_.resize(plan_.stages.size());
  workers_of_.resize(plan_.stages.size());
  const bool in_order = options_.preserve_order || Zips(plan_);
  std::shared_ptr<WindowOrders> orders;  // Of the window stage last met, for the one that restores.
  int64_t reads = 0;
  for (size_t i = 0; i < plan_.stages.size(); ++i) {
    const Stage& stage = plan_.stages[i];
    const RunnerContext context{.index = static_cast<StageIndex>(i),
                                .stage = stage,
                                .events = events_,
                                .pool = *pool_,
                                .transforms = transforms_[i],
                                .split_names = split_names_,
                                .retried = retried_ ? &*retried_ : nullptr,
                                .fatal_rows = fatal_rows_[i].get()};
    switch (stage.kind) {
      case StageKind::kRead: {
        auto runner = ReadRunner::Make(context, std::move(sources[i]), reads++, done_);
        readers_[i] = runner.get();
        runners_.push_back(std::move(runner));
        break;
      }
      case StageKind::kRegroup:
        runners_.push_back(MakeRegroupRunner(context));
        break;
      case StageKind::kWindow:
        orders = in_order ? std::make_shared<WindowOrders>() : nullptr;
        runners_.push_back(MakeWindowRunner(context, orders));
        break;
      case StageKind::kRestore:
        runners_.push_back(in_order ? MakeRestoreRunner(context, orders)
                                    : MakeRegroupRunner(context));
        break;
      case StageKind::kZip:
        runners_.push_back(MakeZipRunner(context));
        break;
      case StageKind::kNative:
        runners_.push_back(MakeNativeRunner(context));
        break;
      case StageKind::kWork: {
        auto runner = WorkRunner::Make(
            context, WorkContext{.host = *host_,
                                 .segments = *segments_,
                                 .directory = directory_,
                                 .devices = devices_,
                                 .command = options_.worker_command,
                                 .processors = std::min(options_.processors, MachineProcessors())});
        workers_of_[i] = runner.get();
        runners_.push_back(std::move(runner));
        break;
      }
      case StageKind::kWrite: {
        auto runner = WriteRunner::Make(context, std::exchange(output, {}), [this, inputs] {
          return SchemaWithoutRows(plan_, inputs, transforms_);
        });
        writer_ = runner.get();
        runners_.push_back(std::move(runner));
        break;
      }
      case StageKind::kCollect:
        runners_.push_back(nullptr);
        break;
    }
  }
  return Status::OK();
}

/// Gives the stages what earlier runs know of rows that ended their workers.
void PipelineImpl::RecallFatalRows(JobLedger& ledger) {
  const std::string job = ledger.JobDigest();
  for (size_t i = 0; i < plan_.stages.size(); ++i) {
    const Stage& stage = plan_.stages[i];
    if (!stage.functions || !stage.errors().leave_rows_out()) continue;
    fatal_rows_[i] =
        std::make_unique<FatalRowMemory>(ledger.fatal_rows(), static_cast<StageIndex>(i),
                                         FatalRowConditions(job, stage, options_.memory_bytes));
  }
}

void PipelineImpl::WaitForStoppedWorkers() {
  const auto deadline = std::chrono::steady_clock::now() + kGraceTime;
  MutexLock lock(mutex_);
  while (ended_well_ && workers_gone_ < workers_started_) {
    const auto left = deadline - std::chrono::steady_clock::now();
    if (left <= std::chrono::nanoseconds::zero()) return;
    worker_gone_.WaitFor(mutex_, left);
  }
}

/// The caller has a moment now, and would else have to wake another thread for this.
void PipelineImpl::PostTaken(BlockId block) {
  {
    const EventQueue::Quiet quiet(events_);
    events_.Post(BlockTaken{block});
  }
  loop_->TakeTurn();
}

void PipelineImpl::Receive(PostedEvent* posted) {
  const auto* const done = std::get_if<StepDone>(&posted->event);
  if (done == nullptr) return;
  if (done->block) blocks_.emplace(done->block->block, *std::move(posted->block));
  if (done->finished) runners_[done->stage]->EndTask(done->task);
}

std::vector<Piece> PipelineImpl::TakePieces(const std::vector<PieceRef>& refs) const {
  std::vector<Piece> pieces;
  pieces.reserve(refs.size());
  for (const PieceRef& ref : refs) {
    const auto found = blocks_.find(ref.block);
    PENSTOCK_CHECK(found != blocks_.end());
    pieces.push_back({.block = found->second, .offset = ref.offset, .rows = ref.rows});
  }
  return pieces;
}

void PipelineImpl::Do(const FailRow& action) {
  const auto stage = static_cast<size_t>(action.stage);
  const bool is_kept = plan_.stages[stage].errors().on_error == ErrorPolicy::kDeadLetter;
  FatalRowMemory* const memory = fatal_rows_[stage].get();
  if (writer_ == nullptr || (!is_kept && memory == nullptr)) return;
  Result<DeadLetter> letter =
      runners_[stage]->MakeLetter(action, TakePieces({action.piece}).front());
  if (!letter.ok()) return events_.Post(JobFailed{letter.status()});
  const bool is_news = letter->failure.ended_worker && letter->failure.attempts == 0;
  if (memory != nullptr && is_news) {
    memory->Note(*letter);
    pool_->Submit([memory] { memory->Write(); });
  }
  if (is_kept) writer_->AddLetter(letter.MoveValueUnsafe());
}

/// Says how many rows are lacking in the result; nothing, where none are.
void PipelineImpl::TellOfFailures() const {
  const Snapshot snapshot = TakeSnapshot();
  for (const StageSnapshot& stage : snapshot.stages) {
    if (stage.rows_failed == 0) continue;
    std::fprintf(stderr, "penstock: %s failed for %lld of %lld rows, which were left out\n",
                 stage.name.c_str(), static_cast<long long>(stage.rows_failed),
                 static_cast<long long>(stage.rows_in));
  }
}

void PipelineImpl::Do(const Finish& action) {
  {
    MutexLock lock(mutex_);
    final_snapshot_ = Look();
    ended_well_ = action.status.ok();
  }
  if (action.status.ok()) TellOfFailures();
  blocks_.clear();
  output_.Finish(action.status);
}

/// What is to be run, with what it writes to opened.
struct PlannedJob {
  PhysicalPlan plan;
  Sources sources;
  JobOutput output;
  std::optional<RetriedRows> retried;
};

/// Returns nothing where there is nothing to do.
Result<std::optional<PlannedJob>> PlanJob(const LogicalPlan& plan, PipelineOptions& options) {
  PlannedJob job;
  const RewrittenPlan rewritten = Rewrite(plan, ReaderTraitsOf);
  PENSTOCK_TRY(job.plan, MakePhysicalPlan(rewritten.plan, ResourcesOf(options)));
  options.read = ReadLimitsFor(job.plan, options.read, options.rows_per_chunk);
  PENSTOCK_TRY(job.sources, MakeSources(job.plan, options));
  if (!job.plan.stages.back().write) return job;
  const bool in_order = options.preserve_order || Zips(job.plan);
  PENSTOCK_TRY(std::optional<JobOutput> output,
               OpenOutput(plan, job.plan, job.sources, options.read, in_order));
  if (!output) return std::nullopt;
  job.output = *std::move(output);
  return job;
}

Result<std::optional<PlannedJob>> PlanRetry(const LogicalPlan& plan,
                                            const PipelineOptions& options) {
  PENSTOCK_TRY(std::optional<RetryJob> retry,
               OpenRetry(plan, *options.retry, options.read, ResourcesOf(options)));
  if (!retry) return std::nullopt;
  return PlannedJob{.plan = std::move(retry->plan),
                    .sources = std::move(retry->sources),
                    .output = std::move(retry->output),
                    .retried = std::move(retry->rows)};
}

}  // namespace

Result<std::unique_ptr<Pipeline>> Pipeline::Start(const LogicalPlan& plan,
                                                  const PipelineOptions& options) {
  PENSTOCK_RETURN_NOT_OK(ValidatePlan(plan));
  PENSTOCK_RETURN_NOT_OK(PrepareFunctions());
  PipelineOptions complete = WithDefaults(options);
  PENSTOCK_TRY(std::optional<PlannedJob> job,
               complete.retry ? PlanRetry(plan, complete) : PlanJob(plan, complete));
  if (!job) return MakeSkippedPipeline();
  auto pipeline =
      std::make_unique<PipelineImpl>(std::move(job->plan), complete, std::move(job->retried));
  PENSTOCK_RETURN_NOT_OK(pipeline->Begin(std::move(job->sources), std::move(job->output)));
  return OwnedByThisProcess(std::move(pipeline));
}

}  // namespace penstock
