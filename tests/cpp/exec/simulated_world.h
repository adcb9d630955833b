#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <queue>
#include <random>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "exec/simulated_job.h"

namespace penstock {

struct SimulatedBlock {
  BlockSize size;
  StageIndex stage = 0;
  std::vector<int64_t> rows;
  std::vector<bool> used;  // By which a row goes to one task only.
  int readers = 0;         // Unfinished tasks with pieces of it.
  bool emitted = false;
};

struct SimulatedTask {
  std::vector<PieceRef> pieces;
  int64_t rows_in = 0;
  int64_t chunk = 0;
  WorkerIndex worker = -1;
  int64_t part = -1;
  bool closes_part = false;
  bool step_out = false;
  bool abandoned = false;
  int64_t reserved = 0;
  std::deque<std::vector<int64_t>> outputs;  // Rows of the blocks still to be yielded.
  std::deque<int64_t> output_chunks;
  bool empty_step_left = false;
  bool lost = false;   // Its worker died; it is to be started again.
  bool again = false;  // It was, alone.
  int deaths = 0;
  std::map<Cause, int> failures;
  int64_t not_before_ns = 0;   // Does it run again,
  int64_t waits_until_ns = 0;  // and for no other reason later than so.

  // Of a stage that isolates failures.
  std::set<std::pair<BlockId, int64_t>> rows_left;  // By block and place: not done, not left out.
  std::vector<PieceRef> range;                      // What is being run.
  std::optional<size_t> raises_at;                  // After so many outputs.
  std::optional<size_t> kills_at;
  int64_t raising_row = -1;  // In the range, the first that raises.
};

struct SimulatedWorker {
  enum class State : uint8_t { kNone, kStarting, kUp, kStopping, kGone };
  State state = State::kNone;
  int64_t life = 0;  // Tells the workers apart that have this place one after the other.
  std::deque<TaskId> tasks;
  bool stepping = false;
  bool killed = false;
  int64_t batches = 0;
};

struct SimulatedPart {
  bool step_out = false;
  bool closed = false;
  int64_t rows = 0;
  int64_t bytes = 0;
  std::vector<int64_t> chunks;  // Of its steps, without repeats in a row; or of blocks.
  std::vector<int64_t> row_ids;
};

struct BatchRecord {
  int64_t rows = 0;
  int64_t chunk = 0;
};

/// The world in which a dispatcher's actions are carried out: see simulator.h.
class SimulatedWorld {
 public:
  explicit SimulatedWorld(const SimulatedJob& job);

  void Run();

  const std::string& violation() const { return violation_; }
  int64_t events() const { return events_handled_; }
  const std::optional<Status>& finish() const { return finish_; }

 private:
  struct Due {
    int64_t at_ns = 0;
    int64_t number = 0;
    Event event;
    int64_t life = 0;  // Of the worker that it comes from.
    bool operator>(const Due& other) const {
      return at_ns != other.at_ns ? at_ns > other.at_ns : number > other.number;
    }
  };

  // Actions.
  void CarryOut(const std::vector<Action>& actions);
  void Do(const ListSplits& action);
  void Do(const StartTask& action);
  void Do(const FailRow& action);
  void Do(const StepTask& action);
  void Do(const AbandonTask& action);
  void Do(const StartWorker& action);
  void Do(const StopWorker& action);
  void Do(const KillWorker& action);
  void Do(const Warn& action) {}
  void Do(const DropBlock& action);
  void Do(const EmitBlock& action);
  void Do(const CommitOutput& action);
  void Do(const Finish& action);

  // Events, as they happen in the world.
  bool Happens(Event& event, int64_t life);
  bool StepHappens(StepDone& event, int64_t life);
  std::optional<Event> FailureInsteadOf(const StepDone& event, int64_t life);
  void PlanFailures(StageIndex stage, SimulatedTask& task);
  void TakeUpRange(const StartTask& action, SimulatedTask& task);
  void EndRange(StageIndex stage, TaskId id, SimulatedTask& task);
  void CountFailure(StageIndex stage, SimulatedTask& task, Cause cause);
  Event MakeFlaw(const StepDone& event, SimulatedTask& task);
  void LeaveWorker(StageIndex stage, SimulatedTask& task);
  bool WaitsForTime() const;
  void CheckFailures();
  void CheckDrained();
  bool MayFailByFailures() const;
  bool DeathHappens(const WorkerDied& event, int64_t life);
  void LoseTasks(StageIndex stage, SimulatedWorker& worker, Cause cause);
  void BlockAppears(StepDone& event, SimulatedTask& task);
  void TaskEnds(StageIndex stage, TaskId id);
  void ReleasePieces(SimulatedTask& task);
  void Inject();
  std::optional<Event> MakeFault();
  void Disturb();
  void Disturb(StageIndex stage, WorkerIndex worker);

  // Checks.
  void Require(bool holds, const char* rule, int64_t value = 0);
  void TakePieces(const StartTask& action, SimulatedTask& task);
  void CheckBatch(const StartTask& action, const SimulatedTask& task);
  void CheckPart(const StartTask& action, const SimulatedTask& task);
  void CheckZip(const StartTask& action, SimulatedTask& task);
  void CheckRoom(StageIndex stage, SimulatedTask& task);
  void CheckBudget();
  void CheckEnd();
  void CheckBatchesAtEnd();
  void CheckPartsAtEnd();
  void CheckCommit(const CommitOutput& action);
  void CheckCommitsAtEnd();
  void CheckRowsAtEnd();
  void CheckZipsAtEnd();
  void CheckFailure();
  void CheckSnapshot();

  void PlanOutputs(const StartTask& action, SimulatedTask& task);
  void StepOut(StageIndex stage, TaskId id, SimulatedTask& task);
  void RunWorker(StageIndex stage, WorkerIndex worker);
  void Post(int64_t delay_ns, Event event, int64_t life = 0);
  void TakeUpAgain(const StartTask& action, SimulatedTask& task);
  void GiveToWorker(const StartTask& action);
  void CheckResources();
  int64_t Random(int64_t most);
  const StageLimits& Limits(StageIndex stage) const { return job_.stages[stage].limits; }
  bool Yields(StageIndex stage) const {
    return stage + 1 < static_cast<StageIndex>(job_.stages.size());
  }
  bool Closed(StageIndex stage) const;

  const SimulatedJob& job_;
  std::mt19937_64 random_;
  std::unique_ptr<Dispatcher> dispatcher_;
  std::priority_queue<Due, std::vector<Due>, std::greater<>> due_;
  int64_t now_ns_ = 0;
  int64_t posted_ = 0;
  int64_t events_handled_ = 0;
  int64_t ticked_ns_ = -1;
  bool fault_injected_ = false;
  std::string violation_;
  std::optional<Status> finish_;
  Status fault_status_;

  std::vector<StageIndex> consumers_;
  std::vector<std::vector<int64_t>> split_base_;  // By stage: the first row of each split.
  std::vector<int64_t> splits_listed_;            // By stage.
  std::vector<int64_t> splits_started_;
  std::vector<bool> listing_out_;
  std::map<std::pair<StageIndex, size_t>, std::vector<int64_t>> zipped_;  // Rows of an input.

  std::vector<std::unordered_map<TaskId, SimulatedTask>> tasks_;
  std::vector<std::vector<SimulatedWorker>> workers_;
  int64_t lives_ = 0;
  std::vector<int> restarts_;  // By stage.
  std::vector<int> failed_builds_;
  std::vector<int> killed_builds_;
  bool may_fail_by_death_ = false;  // Some limit of tries was reached.
  bool deaths_happened_ = false;
  std::map<TaskId, int64_t> window_rows_;  // Of the window stage's tasks.
  std::vector<TaskId> next_task_;
  std::set<std::pair<StageIndex, TaskId>> ended_together_;      // By the events now handled.
  std::set<std::pair<StageIndex, WorkerIndex>> died_together_;  // Likewise.
  std::vector<std::map<TaskId, BatchRecord>> batches_;
  std::vector<bool> closed_early_;
  std::vector<int64_t> rows_entered_;
  std::vector<int64_t> rows_yielded_;
  std::unordered_map<BlockId, SimulatedBlock> blocks_;
  BlockId next_block_ = 100;
  int native_steps_ = 0;
  int steps_ = 0;

  int64_t live_bytes_ = 0;
  int64_t reserved_bytes_ = 0;
  int64_t surprise_bytes_ = 0;
  std::vector<int64_t> largest_;
  std::vector<bool> learned_;

  std::map<int64_t, SimulatedPart> parts_;
  std::vector<int64_t> delivered_;
  bool commit_asked_ = false;  // The last one.
  bool commit_out_ = false;
  std::map<int64_t, int64_t> chunk_of_row_;
  std::set<int64_t> committed_chunks_;
  std::set<int64_t> committed_parts_;
  int64_t rows_read_ = 0;  // As the commits say.
  int64_t rows_written_ = 0;
  int64_t rows_filtered_ = 0;
  int64_t rows_failed_ = 0;
  std::vector<std::vector<int64_t>> failed_;      // By stage: the rows left out.
  std::vector<std::set<TaskId>> failed_batches_;  // By stage.
  bool failed_by_chance_ = false;                 // Some of them: two deaths hit it.
};

}  // namespace penstock
