#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "penstock/exec/dispatcher.h"
#include "penstock/exec/dispatcher_admission.h"
#include "penstock/exec/dispatcher_blocks.h"
#include "penstock/exec/dispatcher_chunks.h"
#include "penstock/exec/dispatcher_commits.h"
#include "penstock/exec/dispatcher_resources.h"
#include "penstock/exec/dispatcher_stage.h"

namespace penstock::dispatch {

/// Refuses limits that cannot be, naming stage and field.
Status CheckLimits(const std::vector<StageLimits>& stages, const DispatcherLimits& limits);

/// The dispatcher itself. An event first changes the state (dispatcher.cc) and lets blocks flow on
/// (dispatcher_flow.cc); then what may start is started, from the last stage to the first
/// (dispatcher_start.cc), and workers come and go (dispatcher_workers.cc, dispatcher_pools.cc).
/// Batches run again as their budgets allow (dispatcher_retries.cc), rows that fail are found and
/// left out (dispatcher_failures.cc); a job may end before its input does (dispatcher_drain.cc).
/// What goes by time alone is looked at when it has passed (dispatcher_time.cc).
class StateMachine final : public Dispatcher {
 public:
  StateMachine(std::vector<StageLimits> stages, DispatcherLimits limits);

  std::vector<Action> Start(int64_t now_ns) override;
  std::vector<Action> Handle(const Event& event, int64_t now_ns) override;
  std::vector<Action> HandleAll(const std::vector<Event>& events, int64_t now_ns) override;
  Snapshot TakeSnapshot(int64_t now_ns) const override;
  std::string Describe() const override;

 private:
  void Apply(const SplitsListed& event);
  void Apply(const StepDone& event);
  void Apply(const TaskFailed& event);
  void Apply(const WorkerUp& event);
  void Apply(const WorkerDied& event);
  void Apply(const WorkerStopped& event);
  void Apply(const WorkerTooLarge& event);
  void Apply(const Tick& event);
  void Apply(const BlockTaken& event);
  void Apply(const JobFailed& event) { End(event.status); }
  void Apply(const Cancel& event);
  void Apply(const Drain& event);
  void Apply(const OutputCommitted& event);

  // Flow: what becomes of blocks, tasks and stages.
  void StepEnded(StageState& stage, Task& task);
  void NoteAnswer(StageState& stage, const Task& task, bool ended);
  void LearnBatch(StageState& stage, const Task& task, int64_t busy_ns);
  void Yield(StageState& stage, TaskId id, Task& task, const BlockSize& size);
  void Pass(StageState& stage, LiveBlock* block);
  void CountFiltered(StageState& stage, int64_t chunk, int64_t rows);
  void Release(const std::vector<Piece>& pieces);
  void Drop(LiveBlock* block);
  void EndTask(StageState& stage, Task& task);
  void LeaveWorker(StageState& stage, Task& task);
  void CloseTask(StageState& stage, Task& task);
  void TakeOffFinished(StageState& stage);
  bool AnswerAbandoned(StageState& stage, TaskId id);
  void AnswerAllAbandoned(StageState& stage, WorkerIndex worker);
  void EndInput(const StageState& stage);
  void CloseThrough(StageIndex last);
  void Close(StageState& stage);
  void AbandonTasks(StageState& stage);
  void EndInputs();

  // Failures: rows that fail are found and left out.
  void Hold(StageState& stage, TaskId id, Task& task, LiveBlock* block);
  void DropHeld(StageState& stage, TaskId id, Task& task);
  bool EndRange(StageState& stage, TaskId id, Task& task);
  static void Split(Task& task, int64_t row);
  void RunNextRange(StageState& stage, TaskId id, Task& task);
  void FailRange(StageState& stage, TaskId id, Task& task, const TaskFailed& event);
  void EndRangeByDeath(StageState& stage, TaskId id, Task& task, bool was_alone,
                       const Status& status);
  void LeaveOut(StageState& stage, TaskId id, Task& task, const Status& status);
  void JudgeFailures(const StageState& stage, const Status& status);

  // Retries.
  static bool MayRetry(const StageState& stage, Task& task, Cause cause);
  void RunAgain(StageState& stage, TaskId id, Task& task, Cause cause);
  void EndWaits(StageState& stage);
  static Status WithTries(const StageState& stage, const Task& task, const Status& status);

  // Workers: one comes, goes or dies.
  void StartOne(StageState& stage);
  void StopIdleWorkers(StageState& stage);
  void StopOne(StageState& stage, WorkerIndex worker);
  void Turn(StageState& stage, WorkerIndex index, WorkerState state);
  void SetOutgoing(StageState& stage, WorkerIndex index, bool leaves);
  void UpdateWorker(StageState& stage, WorkerIndex worker);
  Status TakeBack(StageState& stage, const WorkerDied& event);
  void TakeBackTask(StageState& stage, TaskId id, Task& task);
  void EndBuild(StageState& stage, const WorkerDied& event);
  void CountRestart(StageState& stage, const Status& status);
  static bool IsCounted(StageState& stage, const WorkerDied& event);

  // Pools: how many workers each stage has.
  void ManageWorkers();
  void RenewWorkers(StageState& stage);
  bool MakesWay(const StageState& stage) const;
  int64_t Lead(const StageState& stage) const;
  bool IsDue(const StageState& stage, const Worker& worker) const;
  void StopLeaving(StageState& stage);
  void FillPools();
  bool MayStart(const StageState& stage) const;
  bool LacksWorker(const StageState& stage) const;
  bool Starves(const StageState& stage) const;
  void StartOrMakeRoom(StageState& stage);
  void MakeRoomFor(const StageState& stage);
  void Resize(StageState& stage);
  void LetOneGo(StageState& stage);

  // Time.
  void EndLongSteps(StageState& stage);
  void EndLongStops(StageState& stage);
  void WatchProgress();
  std::string WaitsFor() const;
  void ChunkComplete(StageIndex stage, int64_t chunk);
  void EndChunkOfParts(StageState& stage, int64_t chunk);
  void CommitWhatIsDone();
  void End(Status status);
  void FinishIfDone();

  // Draining.
  bool IsGivenUp(const StageState& stage) const;
  bool GivesUp() const;
  void GiveUpReads();
  void EndDrained();

  // Start: what runs next.
  void Dispatch();
  void ListMore();
  void Fill(StageState& stage);
  void FillBatches(StageState& stage);
  void FillZip(StageState& stage);
  void FillParts(StageState& stage);
  void Emit(StageState& stage);
  bool WindowHasRoom(const StageState& stage) const;
  bool HasNew(const StageState& stage) const;
  bool HasSlot(const StageState& stage) const;
  bool IsAhead(const StageState& stage, TaskId id) const;
  bool IsWanted(const StageState& stage) const;
  bool Admits(const StageState& stage, TaskId id) const;
  bool IsFarAhead(const StageState& stage) const;
  Idle StartSteps(StageState& stage);
  void StartNew(StageState& stage);
  void StartAgain(StageState& stage);
  void SendOut(StageState& stage, StartTask start, WorkerIndex worker);
  void StepOut(StageState& stage, TaskId id, Task& task);
  void NextStep(StageState& stage, TaskId id);
  bool IsStalled() const;
  void ForceStep();
  bool ForceStepOf(StageState& stage);
  bool GatheringFillsBudget(StageIndex stage) const;
  bool FlushOneAfter(StageIndex stage);
  Status BudgetTooSmall(StageIndex before) const;
  Status HoldsTooMuch(const StageState& stage) const;
  static Status TooManyRows(const StageState& stage);
  Status UnequalRows(const StageState& stage, size_t longest) const;
  void Account(int64_t now_ns);
  void NoteSlots();
  std::vector<Action> TakeActions();

  StageState& StageOf(StageIndex stage);
  Worker& WorkerOf(StageIndex stage, WorkerIndex worker);
  bool ordered() const { return limits_.preserve_order; }
  bool commits() const { return stages_.back()->limits.commits_chunks; }
  bool follows_chunks() const { return !ordered() || commits(); }
  StageState& next(const StageState& stage) { return *stages_[stage.place.consumer]; }
  const StageState& next(const StageState& stage) const { return *stages_[stage.place.consumer]; }
  StageState& last() { return *stages_.back(); }

  const DispatcherLimits limits_;
  std::vector<std::unique_ptr<StageState>> stages_;
  BlockTable blocks_;
  Admission admission_;
  ResourceTable resources_;
  ChunkProgress chunks_;          // With follows_chunks() only.
  CommitPlanner commits_;         // With commits() only.
  bool counts_filtered_ = false;  // Every stage before the last only filters.
  int64_t committed_ns_ = 0;      // When the last commit began, or the job.
  std::unordered_map<BlockId, Piece> emitted_;
  int native_running_ = 0;
  int workers_busy_ = 0;
  int workers_changing_ = 0;  // Told to start or to stop, not answered.
  int workers_alive_ = 0;
  int listings_ = 0;  // ListSplits out.
  bool committing_ = false;
  bool last_commit_ = false;  // Of the one that is out, or was.
  bool committed_ = false;    // All.
  bool finished_ = false;
  bool draining_ = false;
  bool gives_up_ = false;  // For that, some of the input.
  int64_t started_ns_ = 0;
  int64_t now_ns_ = 0;
  int64_t progress_ns_ = 0;  // When the last event came that was no Tick.
  bool warned_ = false;      // Since then.
  int64_t rows_delivered_ = 0;
  std::vector<Action> actions_;
};

}  // namespace penstock::dispatch
