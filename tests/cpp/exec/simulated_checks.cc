#include <algorithm>
#include <set>

#include "exec/simulated_world.h"
#include "penstock/base/error.h"

namespace penstock {

void SimulatedWorld::Require(bool holds, const char* rule, int64_t value) {
  if (holds || !violation_.empty()) return;
  violation_ = std::string("broken rule: ") + rule + "; value: " + std::to_string(value) +
               "\nafter events: " + std::to_string(events_handled_) + "\n" + job_.ToString() +
               dispatcher_->Describe();
}

bool SimulatedWorld::Closed(StageIndex stage) const { return closed_early_[stage]; }

void SimulatedWorld::TakePieces(const StartTask& action, SimulatedTask& task) {
  for (const PieceRef& piece : action.pieces) {
    const auto found = blocks_.find(piece.block);
    Require(found != blocks_.end(), "pieces are of live blocks", piece.block);
    if (!violation_.empty()) return;
    SimulatedBlock& block = found->second;
    Require(consumers_[block.stage] == action.stage, "pieces come from an input", block.stage);
    Require(piece.rows > 0 && piece.offset >= 0 && piece.offset + piece.rows <= block.size.rows,
            "pieces lie within their block", piece.rows);
    if (!violation_.empty()) return;
    for (int64_t row = piece.offset; row < piece.offset + piece.rows; ++row) {
      Require(!block.used[row], "a row goes to one task only", row);
      block.used[row] = true;
    }
    ++block.readers;
    task.rows_in += piece.rows;
    rows_entered_[action.stage] += piece.rows;
  }
  task.pieces = action.pieces;
  if (!action.pieces.empty()) task.chunk = blocks_.at(action.pieces.front().block).size.chunk;
}

void SimulatedWorld::CheckBatch(const StartTask& action, const SimulatedTask& task) {
  if (!violation_.empty()) return;
  const StageLimits& limits = Limits(action.stage);
  Require(task.rows_in > 0, "no batch is empty");
  batches_[action.stage][action.task] = {task.rows_in, task.chunk};
  if (limits.window_rows > 0) {
    Require(task.rows_in <= limits.window_rows, "a window has no more rows than asked for",
            task.rows_in);
    window_rows_[action.task] = task.rows_in;
    return;
  }
  const bool joins_windows =
      action.stage >= 2 && Limits(action.stage - 2).restored_by == action.stage;
  if (joins_windows) {
    Require(window_rows_.at(action.task) == task.rows_in, "a window comes back whole",
            task.rows_in);
    return;
  }
  if (limits.grows_batches) return;
  if (limits.role == StageRole::kRegroup && limits.regroup_rows + limits.regroup_blocks > 0) return;
  if (limits.batch_rows == 0) {
    Require(action.pieces.size() == 1, "a block is a batch");
    if (limits.batch_rows_max > 0) {
      Require(task.rows_in <= limits.batch_rows_max, "large blocks are cut", task.rows_in);
    }
    return;
  }
  Require(task.rows_in <= limits.batch_rows, "a batch has no more rows than asked for",
          task.rows_in);
  if (!limits.batch_in_chunk) return;
  for (const PieceRef& piece : action.pieces) {
    Require(blocks_.at(piece.block).size.chunk == task.chunk, "a batch is of one chunk");
  }
}

void SimulatedWorld::CheckZip(const StartTask& action, SimulatedTask& task) {
  if (!violation_.empty()) return;
  const std::vector<StageIndex>& inputs = Limits(action.stage).inputs;
  Require(action.pieces.size() == inputs.size(), "a zip takes a piece of each input");
  task.rows_in = action.pieces.front().rows;
  for (size_t input = 0; input < action.pieces.size() && violation_.empty(); ++input) {
    const PieceRef& piece = action.pieces[input];
    const SimulatedBlock& block = blocks_.at(piece.block);
    Require(block.stage == inputs[input], "zipped pieces are in the order of the inputs");
    Require(piece.rows == task.rows_in, "zipped pieces have equally many rows", piece.rows);
    const auto first = block.rows.begin() + piece.offset;
    std::vector<int64_t>& rows = zipped_[{action.stage, input}];
    rows.insert(rows.end(), first, first + piece.rows);
  }
}

void SimulatedWorld::CheckPart(const StartTask& action, const SimulatedTask& task) {
  if (!violation_.empty()) return;
  const StageLimits& limits = Limits(action.stage);
  Require(action.pieces.size() == 1, "a write is of one piece");
  Require(action.part >= 0, "a write names its part", action.part);
  if (!violation_.empty()) return;
  SimulatedPart& part = parts_[action.part];
  Require(!part.closed && !part.step_out, "a part is written one step at a time", action.part);
  part.step_out = true;
  part.rows += task.rows_in;
  Require(limits.rows_per_part_max == 0 || part.rows <= limits.rows_per_part_max,
          "a part has no more rows than allowed", part.rows);
  const PieceRef& piece = action.pieces.front();
  const int64_t border = limits.part_ends_with_block ? piece.block : task.chunk;
  if (part.chunks.empty() || part.chunks.back() != border) part.chunks.push_back(border);
  const SimulatedBlock& block = blocks_.at(piece.block);
  part.bytes += block.size.bytes * piece.rows / block.size.rows;
  const auto first = block.rows.begin() + piece.offset;
  part.row_ids.insert(part.row_ids.end(), first, first + piece.rows);
  for (auto row = first; row != first + piece.rows; ++row) {
    Require(!committed_chunks_.contains(chunk_of_row_.at(*row)),
            "nothing is written of a chunk that is committed", *row);
  }
}

void SimulatedWorld::CheckCommit(const CommitOutput& action) {
  rows_failed_ += action.rows_failed;
  if (!job_.stages.back().limits.commits_chunks) {
    Require(action.last && action.chunks.empty() && action.parts.empty(),
            "a commit names chunks only where they are committed one by one");
    return;
  }
  Require(action.last || !action.chunks.empty(), "a commit on the way has something to commit");
  for (const int64_t chunk : action.chunks) {
    Require(committed_chunks_.insert(chunk).second, "a chunk is committed once", chunk);
  }
  int64_t rows = 0;
  for (const int64_t number : action.parts) {
    const auto part = parts_.find(number);
    Require(part != parts_.end() && part->second.closed, "a part is closed when it is committed",
            number);
    Require(committed_parts_.insert(number).second, "a part is committed once", number);
    if (!violation_.empty()) return;
    rows += part->second.rows;
    for (const int64_t row : part->second.row_ids) {
      Require(committed_chunks_.contains(chunk_of_row_.at(row)),
              "a part is committed with all its chunks", row);
    }
  }
  Require(rows == action.rows_written, "a commit counts the rows written", action.rows_written);
  rows_read_ += action.rows_read;
  rows_written_ += action.rows_written;
  if (!action.rows_filtered) return;
  rows_filtered_ += *action.rows_filtered;
  Require(rows_read_ == rows_written_ + rows_failed_ + rows_filtered_,
          "each row that was read was written, has failed, or was filtered", rows_filtered_);
}

void SimulatedWorld::CheckCommitsAtEnd() {
  if (!job_.stages.back().limits.commits_chunks) return;
  int64_t rows = 0;
  for (size_t stage = 0; stage < job_.stages.size(); ++stage) {
    if (Limits(stage).role == StageRole::kRead) rows += rows_yielded_[stage];
    for (const SimulatedSplit& split : job_.stages[stage].splits) {
      Require(committed_chunks_.contains(split.chunk), "every chunk is committed", split.chunk);
    }
  }
  Require(committed_parts_.size() == parts_.size(), "every part is committed", parts_.size());
  Require(rows_read_ == rows, "the rows read are counted", rows_read_);
}

void SimulatedWorld::CheckResources() {
  std::vector<double> taken(job_.limits.resources.size());
  for (size_t stage = 0; stage < workers_.size(); ++stage) {
    const std::vector<double>& needs = job_.stages[stage].limits.needs;
    for (const SimulatedWorker& worker : workers_[stage]) {
      const bool is_there = worker.state != SimulatedWorker::State::kNone &&
                            worker.state != SimulatedWorker::State::kGone;
      for (size_t index = 0; is_there && index < needs.size(); ++index) {
        taken[index] += needs[index];
      }
    }
  }
  for (size_t index = 0; index < taken.size(); ++index) {
    Require(taken[index] <= job_.limits.resources[index].amount + 1e-6, "no resource is oversold",
            static_cast<int64_t>(index));
  }
}

void SimulatedWorld::CheckRoom(StageIndex stage, SimulatedTask& task) {
  task.reserved = Yields(stage) ? largest_[stage] : 0;
  reserved_bytes_ += task.reserved;
  if (!Yields(stage)) return;
  bool others_run = native_steps_ > 0;
  for (size_t other = 0; other < workers_.size(); ++other) {
    for (const SimulatedWorker& worker : workers_[other]) {
      if (worker.stepping && worker.state == SimulatedWorker::State::kUp) others_run = true;
    }
  }
  Require(!others_run || live_bytes_ + reserved_bytes_ <= job_.limits.budget_bytes,
          "a step starts within the budget, or alone", live_bytes_ + reserved_bytes_);
}

void SimulatedWorld::CheckBudget() {
  if (!violation_.empty() || finish_) return;
  const int64_t used = live_bytes_ + reserved_bytes_;
  if (used <= job_.limits.budget_bytes) surprise_bytes_ = 0;
  int64_t blocks = 0;
  for (size_t stage = 0; stage + 1 < largest_.size(); ++stage) blocks += largest_[stage];
  if (job_.Writes()) blocks += largest_[largest_.size() - 2];
  int sharing = 0;  // A task is run to its end where another stage waits for its worker's share.
  for (const SimulatedStage& stage : job_.stages) sharing += stage.limits.needs.empty() ? 0 : 1;
  Require(sharing > 1 || used <= job_.limits.budget_bytes + blocks + surprise_bytes_,
          "the budget is exceeded by at most one block a stage", used);
  if (events_handled_ % 8 == 0) CheckSnapshot();
}

void SimulatedWorld::CheckSnapshot() {
  const Snapshot snapshot = dispatcher_->TakeSnapshot(now_ns_);
  Require(snapshot.used_bytes == live_bytes_ + reserved_bytes_, "the bytes used are told rightly",
          snapshot.used_bytes - live_bytes_ - reserved_bytes_);
  for (const StageSnapshot& stage : snapshot.stages) {
    Require(stage.busy_ns >= 0 && stage.starved_ns >= 0 && stage.blocked_ns >= 0 &&
                stage.queued_bytes >= 0 && stage.queued_blocks >= 0 && stage.tasks_running >= 0,
            "no figure of a snapshot is negative");
  }
}

// ---- When the job has ended --------------------------------------------------------------------

void SimulatedWorld::CheckEnd() {
  Require(dispatcher_->Handle(Cancel{}, now_ns_).empty() &&
              dispatcher_->Handle(BlockTaken{1}, now_ns_).empty(),
          "nothing comes after Finish");
  Require(dispatcher_->TakeSnapshot(now_ns_).finished, "the snapshot says that the job ended");
  CheckZipsAtEnd();
  if (!finish_->ok()) {
    CheckFailure();
    return;
  }
  Require(blocks_.empty(), "every block was dropped or taken", blocks_.size());
  Require(reserved_bytes_ == 0, "no reservation is left", reserved_bytes_);
  for (const auto& workers : workers_) {
    for (const SimulatedWorker& worker : workers) {
      Require(worker.state == SimulatedWorker::State::kNone ||
                  worker.state == SimulatedWorker::State::kGone,
              "all workers were stopped");
    }
  }
  Require(!job_.Writes() || commit_asked_, "what was written is committed");
  CheckSnapshot();
  CheckFailures();
  CheckRowsAtEnd();
  CheckBatchesAtEnd();
  CheckPartsAtEnd();
  CheckCommitsAtEnd();
}

void SimulatedWorld::CheckFailure() {
  const ErrorDetail* ending = DetailOf(*finish_);
  if (ending != nullptr && ending->kind() == ErrorKind::kDrained) return CheckDrained();
  const bool ends_at_once =
      job_.fault != Fault::kDrain || !job_.stages.back().limits.commits_chunks;
  if (fault_injected_ && ends_at_once) {
    Require(finish_->code() == fault_status_.code(), "the job ends with the failure's status");
    return;
  }
  if (MayFailByFailures()) return;
  if (finish_->IsInvalid()) {
    Require(job_.zips_unequal_rows, finish_->ToString().c_str());
    return;
  }
  const ErrorDetail* detail = DetailOf(*finish_);
  if (detail != nullptr && detail->kind() == ErrorKind::kWorkerDied) {
    Require(may_fail_by_death_, "a job fails by deaths only when tries are used up");
    return;
  }
  Require(detail != nullptr && detail->kind() == ErrorKind::kBudgetTooSmall,
          finish_->ToString().c_str());
  Require(!job_.budget_is_ample, "an ample budget is never called too small");
  Require(live_bytes_ + reserved_bytes_ >= job_.limits.budget_bytes, "a refused budget was full",
          live_bytes_ + reserved_bytes_);
}

/// What a drained job has committed are whole chunks, with all of their rows.
void SimulatedWorld::CheckDrained() {
  Require(job_.fault == Fault::kDrain && fault_injected_, "only a job that is asked to drains");
  Require(!commit_out_, "a drained job ends when its last commit is done");
  if (failed_by_chance_) return;
  std::vector<int64_t> wanted;
  for (const int64_t row : ExpectedRows(job_, false)) {
    if (committed_chunks_.contains(chunk_of_row_.at(row))) wanted.push_back(row);
  }
  std::vector<int64_t> came;
  for (const int64_t number : committed_parts_) {
    const std::vector<int64_t>& rows = parts_.at(number).row_ids;
    came.insert(came.end(), rows.begin(), rows.end());
  }
  std::ranges::sort(wanted);
  std::ranges::sort(came);
  Require(wanted == came, "a drained job has committed all rows of its chunks", came.size());
}

void SimulatedWorld::CheckZipsAtEnd() {
  for (const auto& [key, rows] : zipped_) {
    const auto& [stage, input] = key;
    const std::vector<int64_t> all = RowsOf(job_, Limits(stage).inputs[input], true);
    Require(rows.size() <= all.size() && std::equal(rows.begin(), rows.end(), all.begin()),
            "a zip takes the rows of each input in order", rows.size());
  }
  if (!finish_->ok() || !job_.zips_unequal_rows) return;
  bool limited = false;
  for (size_t stage = 0; stage < job_.stages.size(); ++stage) {
    limited = limited || Limits(stage).row_limit;
  }
  Require(limited, "unequal inputs of a zip end the job");
}

void SimulatedWorld::CheckRowsAtEnd() {
  std::vector<int64_t> rows = delivered_;
  for (const auto& [number, part] : parts_) {
    rows.insert(rows.end(), part.row_ids.begin(), part.row_ids.end());
  }
  Require(dispatcher_->TakeSnapshot(now_ns_).rows_delivered == static_cast<int64_t>(rows.size()),
          "the rows delivered are counted");
  if (job_.limits.preserve_order && !failed_by_chance_) {
    Require(rows == ExpectedRows(job_, true), "the rows are those expected, in order", rows.size());
    return;
  }
  std::vector<int64_t> all = ExpectedRows(job_, false);
  std::sort(all.begin(), all.end());
  std::sort(rows.begin(), rows.end());
  Require(std::includes(all.begin(), all.end(), rows.begin(), rows.end()),
          "no row is made up or doubled");
  bool counts = !failed_by_chance_;
  for (size_t stage = 0; stage < job_.stages.size(); ++stage) {
    const std::optional<int64_t>& limit = Limits(stage).row_limit;
    if (!limit) continue;
    for (size_t after = stage + 1; after < job_.stages.size(); ++after) {
      counts = counts && job_.stages[after].preserves_rows();
    }
  }
  if (counts) {
    Require(rows.size() == ExpectedRows(job_, true).size(), "the right number of rows comes",
            rows.size());
  }
}

void SimulatedWorld::CheckBatchesAtEnd() {
  for (size_t stage = 0; stage < job_.stages.size(); ++stage) {
    const StageLimits& limits = Limits(stage);
    const std::map<TaskId, BatchRecord>& batches = batches_[stage];
    if (limits.role == StageRole::kRegroup && limits.regroup_blocks > 0 && !closed_early_[stage] &&
        !limits.row_limit) {
      bool cut_later = false;
      for (size_t after = stage; after < job_.stages.size(); ++after) {
        cut_later = cut_later || Limits(after).row_limit;
      }
      if (cut_later) continue;
      int64_t least = INT64_MAX;
      int64_t most = 0;
      int64_t rows = 0;
      for (const auto& [id, batch] : batches) {
        least = std::min(least, batch.rows);
        most = std::max(most, batch.rows);
        rows += batch.rows;
      }
      Require(static_cast<int64_t>(batches.size()) == std::min(rows, limits.regroup_blocks),
              "regrouping makes as many blocks as asked for", batches.size());
      Require(batches.empty() || most - least <= 1, "regrouped blocks are of even size");
      continue;
    }
    const int64_t wanted =
        limits.role == StageRole::kRegroup ? limits.regroup_rows : limits.batch_rows;
    if (wanted == 0) continue;
    if (limits.window_rows > 0) continue;
    const bool in_chunk = limits.role != StageRole::kRegroup && limits.batch_in_chunk;
    if (in_chunk && !job_.limits.preserve_order && !job_.budget_is_ample) continue;
    std::set<int64_t> partial_chunks;
    for (auto batch = batches.begin(); batch != batches.end(); ++batch) {
      if (batch->second.rows == wanted) continue;
      const auto after = std::next(batch);
      if (in_chunk && !job_.limits.preserve_order) {
        Require(partial_chunks.insert(batch->second.chunk).second,
                "a chunk has one partial batch at most");
        continue;
      }
      Require(after == batches.end() || (in_chunk && after->second.chunk != batch->second.chunk),
              "only the last batch of a chunk or of all has fewer rows", batch->second.rows);
    }
  }
}

void SimulatedWorld::CheckPartsAtEnd() {
  const StageLimits& limits = job_.stages.back().limits;
  int64_t number = 0;
  for (auto part = parts_.begin(); part != parts_.end(); ++part) {
    const SimulatedPart& one = part->second;
    if (limits.commits_chunks) {
      Require(part->first >> kPartBits == one.chunks.front(),
              "a part has the number of the chunk that it begins with", part->first);
    } else {
      Require(part->first == number++, "parts are numbered without gaps", part->first);
    }
    const auto after = std::next(part);
    if (limits.rows_per_part_min == 0 && limits.bytes_per_part_min == 0) {
      Require(one.chunks.size() == 1, "a part is of one chunk, or block");
    }
    if (!job_.limits.preserve_order || after == parts_.end()) continue;
    Require(one.rows >= limits.rows_per_part_min, "a part has at least the rows asked for",
            one.rows);
    Require(one.rows == limits.rows_per_part_max || one.bytes >= limits.bytes_per_part_min,
            "a part has at least the bytes asked for", one.bytes);
    Require(
        one.rows == limits.rows_per_part_max || one.chunks.back() != after->second.chunks.front(),
        "a part ends full or where a chunk, or block, ends", part->first);
  }
}

}  // namespace penstock
