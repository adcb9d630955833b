// Rows that fail are found, told of, and left out: see "Failures" in dispatcher.h.
#include <algorithm>
#include <string>
#include <utility>

#include "penstock/exec/dispatcher_machine.h"

namespace penstock::dispatch {
namespace {

/// Of rows that killed their worker, or were among such: more than one chance event takes.
constexpr int kDeathsMin = 2;

/// A share is looked at on the way when this many failures would be allowed by then.
constexpr double kFailuresForShare = 10;

std::string Percent(double share) {
  std::string text = std::to_string(share * 100);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text + " %";
}

/// Says which bound the stage's failures have passed, as an error does; "" where none is.
std::string PassedBound(const StageState& stage) {
  const StageLimits& limits = stage.limits;
  if (limits.failed_rows_max >= 0 && stage.rows_failed > limits.failed_rows_max) {
    return std::to_string(limits.failed_rows_max) + " may (max_errors)";
  }
  if (limits.failed_batches_max >= 0 && stage.batches_failed > limits.failed_batches_max) {
    return "only " + std::to_string(limits.failed_batches_max) +
           " batches may have such (max_errored_blocks)";
  }
  const double allowed = static_cast<double>(stage.rows_in) * limits.failed_share_max;
  const bool has_enough = stage.done || allowed >= kFailuresForShare;
  if (!has_enough || static_cast<double>(stage.rows_failed) <= allowed) return "";
  return Percent(limits.failed_share_max) + " may (max_errors)";
}

}  // namespace

/// Keeps what a range yields until all of it has come.
void StateMachine::Hold(StageState& stage, TaskId id, Task& task, LiveBlock* block) {
  task.held.push_back(block);
  if (IsAhead(stage, id)) admission_.AddAhead(stage.index, block->size.bytes);
}

void StateMachine::DropHeld(StageState& stage, TaskId id, Task& task) {
  for (LiveBlock* block : std::exchange(task.held, {})) {
    if (IsAhead(stage, id)) admission_.AddAhead(stage.index, -block->size.bytes);
    task.rows_told -= block->size.rows;
    Drop(block);
  }
}

/// The range has come through: what it yielded flows on. Returns whether the task goes on with
/// other rows. May close the stage, and with it the task.
bool StateMachine::EndRange(StageState& stage, TaskId id, Task& task) {
  const Range range = task.ranges.back();
  task.ranges.pop_back();
  if (range.is_first_half) task.ranges.back().fails = true;
  const bool has_more = !task.ranges.empty();
  const std::vector<LiveBlock*> held = std::exchange(task.held, {});
  if (has_more) {
    LeaveWorker(stage, task);
    RunNextRange(stage, id, task);
  }
  if (IsAhead(stage, id)) {
    task.yielded.insert(task.yielded.end(), held.begin(), held.end());
    return has_more;
  }
  for (LiveBlock* block : held) {
    if (stage.done) {
      Drop(block);
    } else {
      Pass(stage, block);
    }
  }
  return has_more;
}

/// Has the task's next rows wait for a worker.
void StateMachine::RunNextRange(StageState& stage, TaskId id, Task& task) {
  while (task.ranges.back().fails && task.ranges.back().rows > 1) Split(task, /*row=*/-1);
  task.state = TaskState::kReady;
  stage.again.insert(id);
}

/// Replaces the next range by its halves, or by the row that failed and those beside it.
void StateMachine::Split(Task& task, int64_t row) {
  const Range whole = task.ranges.back();
  task.ranges.pop_back();
  const auto push = [&](int64_t offset, int64_t rows, bool is_first_half) {
    if (rows == 0) return;
    task.ranges.push_back({.offset = whole.offset + offset,
                           .rows = rows,
                           .attempts = whole.attempts,
                           .deaths = whole.deaths,
                           .is_first_half = is_first_half});
  };
  if (row >= 0) {
    push(row + 1, whole.rows - row - 1, false);
    push(row, 1, false);
    push(0, row, false);
    return;
  }
  const int64_t half = (whole.rows + 1) / 2;
  push(half, whole.rows - half, false);
  push(0, half, true);
}

/// The functions failed for the range that a task ran; it is off its worker.
void StateMachine::FailRange(StageState& stage, TaskId id, Task& task, const TaskFailed& event) {
  const Range& range = task.ranges.back();
  if (range.rows == 1) return LeaveOut(stage, id, task, event.status);
  Split(task, event.row < range.rows ? event.row : -1);
  RunNextRange(stage, id, task);
}

/// The worker died under the range that a task ran, or was to run after that of another task.
void StateMachine::EndRangeByDeath(StageState& stage, TaskId id, Task& task, bool was_alone,
                                   const Status& status) {
  Range& range = task.ranges.back();
  ++range.deaths;
  const bool is_known = was_alone && range.deaths >= kDeathsMin;
  if (range.rows == 1 && is_known) return LeaveOut(stage, id, task, status);
  if (range.rows > 1 && was_alone) Split(task, /*row=*/-1);
  RunNextRange(stage, id, task);
}

/// Tells of a row that fails, and goes on without it.
void StateMachine::LeaveOut(StageState& stage, TaskId id, Task& task, const Status& status) {
  actions_.push_back(FailRow{.stage = stage.index,
                             .task = id,
                             .piece = task.NextPieces().front(),
                             .chunk = task.chunk,
                             .attempts = task.ranges.back().attempts});
  ++stage.rows_failed;
  if (!std::exchange(task.has_failures, true)) ++stage.batches_failed;
  ++task.rows_told;
  if (commits()) commits_.Fail(task.chunk, 1);
  task.ranges.pop_back();
  JudgeFailures(stage, status);
  if (finished_) return;
  if (!task.ranges.empty()) return RunNextRange(stage, id, task);
  task.state = TaskState::kFinished;
  ++stage.tasks_done;
  CloseTask(stage, task);
}

/// Ends the job where more rows have failed than may. `status`: of the last failure, or OK when the
/// stage is done and its share is judged.
void StateMachine::JudgeFailures(const StageState& stage, const Status& status) {
  const std::string allowed = PassedBound(stage);
  if (allowed.empty()) return;
  const std::string text = "Stage '" + stage.limits.name +
                           "': " + std::to_string(stage.rows_failed) + " rows failed, where " +
                           allowed;
  End(status.ok() ? Status::Invalid(text, "; see why in the dead letters, or allow more of them")
                  : status.WithMessage(text, "; the last one: ", status.message()));
}

}  // namespace penstock::dispatch
