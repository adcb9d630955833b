// Rows for which functions fail in the simulated world, and what becomes of them.
#include <algorithm>
#include <utility>

#include "exec/simulated_world.h"
#include "penstock/base/error.h"

namespace penstock {

/// Decides when the range that a task runs fails: after how many outputs.
void SimulatedWorld::PlanFailures(StageIndex stage, SimulatedTask& task) {
  task.raises_at.reset();
  task.kills_at.reset();
  task.raising_row = -1;
  int64_t place = 0;
  bool kills = false;
  for (const PieceRef& piece : task.range) {
    for (int64_t index = 0; index < piece.rows; ++index, ++place) {
      const int64_t row = blocks_.at(piece.block).rows[piece.offset + index];
      kills = kills || RowKills(job_, stage, row);
      if (task.raising_row < 0 && RowRaises(job_, stage, row)) task.raising_row = place;
    }
  }
  const auto some = [&] { return static_cast<size_t>(Random(task.outputs.size() - 1)); };
  if (kills) {
    task.kills_at = some();
  } else if (task.raising_row >= 0) {
    task.raises_at = some();
  }
}

/// Returns what happens in the place of a step whose task fails now.
std::optional<Event> SimulatedWorld::FailureInsteadOf(const StepDone& event, int64_t life) {
  const auto found = tasks_[event.stage].find(event.task);
  if (found == tasks_[event.stage].end() || found->second.lost) return std::nullopt;
  SimulatedTask& task = found->second;
  if (task.abandoned) return std::nullopt;
  SimulatedWorker* worker = nullptr;
  if (task.worker >= 0) worker = &workers_[event.stage][task.worker];
  if (worker != nullptr && (worker->killed || worker->life != life)) return std::nullopt;
  const int flaw_percent = job_.stages[event.stage].flaw_percent;
  if (worker != nullptr && Random(99) < flaw_percent) return MakeFlaw(event, task);
  if (task.kills_at && (*task.kills_at)-- == 0) {
    task.kills_at.reset();
    return WorkerDied{event.stage, task.worker, MakeError(ErrorKind::kWorkerDied, "killed")};
  }
  if (!task.raises_at || (*task.raises_at)-- > 0) return std::nullopt;
  task.raises_at.reset();
  LeaveWorker(event.stage, task);
  return TaskFailed{.stage = event.stage,
                    .task = event.task,
                    .status = MakeError(ErrorKind::kUserFunction, "raised"),
                    .by_functions = true,
                    .row = Random(1) == 0 ? task.raising_row : -1};
}

/// A task whose step is out has failed, and its worker, where it has one, goes on.
void SimulatedWorld::LeaveWorker(StageIndex stage, SimulatedTask& task) {
  task.step_out = false;
  task.lost = true;
  --steps_;
  reserved_bytes_ -= task.reserved;
  if (task.worker < 0) {
    --native_steps_;
    return;
  }
  SimulatedWorker& worker = workers_[stage][task.worker];
  worker.stepping = false;
  worker.tasks.pop_front();
  RunWorker(stage, std::exchange(task.worker, -1));
}

/// The range has come through.
void SimulatedWorld::EndRange(StageIndex stage, TaskId id, SimulatedTask& task) {
  for (const PieceRef& piece : task.range) {
    for (int64_t row = 0; row < piece.rows; ++row) {
      task.rows_left.erase({piece.block, piece.offset + row});
    }
  }
  if (task.rows_left.empty()) return TaskEnds(stage, id);
  task.worker = -1;
  task.lost = true;
}

void SimulatedWorld::TakeUpRange(const StartTask& action, SimulatedTask& task) {
  Require(task.lost, "a task goes on only when it has ended a range");
  Require(!action.pieces.empty(), "a range has rows", action.task);
  for (const PieceRef& piece : action.pieces) {
    for (int64_t row = 0; row < piece.rows; ++row) {
      Require(task.rows_left.contains({piece.block, piece.offset + row}),
              "a range is of the task's rows that are not done", piece.offset + row);
    }
  }
  Require(now_ns_ >= task.not_before_ns, "what runs again has waited", action.task);
  if (!violation_.empty()) return;
  task.lost = false;
  task.worker = action.worker;
  task.outputs.clear();
  task.range = action.pieces;
  PlanOutputs(action, task);
  PlanFailures(action.stage, task);
  if (action.worker >= 0) GiveToWorker(action);
  if (violation_.empty()) StepOut(action.stage, action.task, task);
}

void SimulatedWorld::Do(const FailRow& action) {
  const auto found = tasks_[action.stage].find(action.task);
  Require(found != tasks_[action.stage].end(), "a row is left out of an open task", action.task);
  if (!violation_.empty()) return;
  SimulatedTask& task = found->second;
  Require(task.lost, "a row is left out between ranges", action.task);
  Require(action.piece.rows == 1, "rows are left out one by one", action.piece.rows);
  Require(action.attempts > 0, "a row was run before it is left out");
  Require(action.chunk == task.chunk, "a row that is left out is of its task's chunk");
  Require(task.rows_left.erase({action.piece.block, action.piece.offset}) == 1,
          "a row is left out once", action.piece.offset);
  if (!violation_.empty()) return;
  const int64_t row = blocks_.at(action.piece.block).rows[action.piece.offset];
  const bool fails = RowRaises(job_, action.stage, row) || RowKills(job_, action.stage, row);
  const bool may_be_chance = job_.death_percent > 0 || job_.ticks;
  Require(fails || may_be_chance, "only rows that fail are left out", row);
  failed_by_chance_ = failed_by_chance_ || !fails;
  failed_[action.stage].push_back(row);
  failed_batches_[action.stage].insert(action.task);
  if (task.rows_left.empty()) TaskEnds(action.stage, action.task);
}

bool SimulatedWorld::MayFailByFailures() const {
  for (size_t stage = 0; stage < failed_.size(); ++stage) {
    const StageLimits& limits = Limits(static_cast<StageIndex>(stage));
    const auto rows = static_cast<int64_t>(failed_[stage].size());
    const auto batches = static_cast<int64_t>(failed_batches_[stage].size());
    if (limits.failed_rows_max >= 0 && rows > limits.failed_rows_max) return true;
    if (limits.failed_batches_max >= 0 && batches > limits.failed_batches_max) return true;
    if (limits.failed_share_max < 1 && rows > 0) return true;
  }
  return false;
}

/// Of a job that ended well.
void SimulatedWorld::CheckFailures() {
  bool cut_short = failed_by_chance_;
  for (const SimulatedStage& stage : job_.stages) {
    cut_short = cut_short || stage.limits.row_limit;
  }
  int64_t failed = 0;
  for (size_t index = 0; index < failed_.size(); ++index) {
    const auto stage = static_cast<StageIndex>(index);
    const StageLimits& limits = Limits(stage);
    const auto rows = static_cast<int64_t>(failed_[index].size());
    failed += rows;
    Require(limits.failed_rows_max < 0 || rows <= limits.failed_rows_max,
            "no more rows fail than may", rows);
    Require(cut_short || static_cast<double>(rows) <=
                             limits.failed_share_max * static_cast<double>(rows_entered_[index]),
            "no larger share of rows fails than may", rows);
    if (cut_short || !limits.isolates_failures) continue;
    std::vector<int64_t> wanted;
    for (const int64_t row : RowsOf(job_, stage - 1, false)) {
      if (RowRaises(job_, stage, row) || RowKills(job_, stage, row)) wanted.push_back(row);
    }
    std::vector<int64_t> came = failed_[index];
    std::ranges::sort(wanted);
    std::ranges::sort(came);
    Require(wanted == came, "the rows left out are those that fail", rows);
  }
  Require(!job_.Writes() || rows_failed_ == failed, "commits count the rows left out", failed);
}

}  // namespace penstock
