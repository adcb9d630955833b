#include "penstock/exec/dispatcher_parts.h"

#include <algorithm>

#include "penstock/base/check.h"

namespace penstock::dispatch {

PartPlanner::PartPlanner(const StageLimits& limits, bool preserve_order)
    : rows_min_(limits.rows_per_part_min),
      bytes_min_(limits.bytes_per_part_min),
      rows_max_(limits.rows_per_part_max),
      by_chunk_(!preserve_order && rows_min_ == 0 && bytes_min_ == 0),
      named_by_chunk_(limits.commits_chunks) {}

int64_t PartPlanner::NextPart(int64_t chunk) {
  return named_by_chunk_ ? chunk << kPartBits | parts_of_chunk_[chunk]++ : next_part_++;
}

PartPlanner::Room PartPlanner::RoomFor(int64_t chunk, int64_t rows) {
  auto open = open_.find(KeyOf(chunk));
  if (open != open_.end()) {
    const Part& part = parts_.at(open->second);
    if (part.last_chunk != chunk && HasEnough(part)) {
      End(open);
      open = open_.end();
    }
  }
  if (open == open_.end()) {
    open = open_.emplace(KeyOf(chunk), NextPart(chunk)).first;
    parts_.emplace(open->second, Part{});
  }
  const int64_t taken = parts_.at(open->second).rows;
  return {open->second, rows_max_ > 0 ? std::min(rows, rows_max_ - taken) : rows};
}

void PartPlanner::Append(int64_t chunk, TaskId task, int64_t rows, int64_t bytes) {
  const auto open = open_.find(KeyOf(chunk));
  PENSTOCK_CHECK(open != open_.end());
  Part& part = parts_.at(open->second);
  part.rows += rows;
  part.bytes += bytes;
  part.last_chunk = chunk;
  part.steps.push_back(task);
  if (rows_max_ > 0 && part.rows >= rows_max_) {
    End(open);
  } else {
    Refresh(open->second);
  }
}

void PartPlanner::End(std::map<int64_t, int64_t>::iterator open) {
  const int64_t part = open->second;
  parts_.at(part).ended = true;
  open_.erase(open);
  Refresh(part);
}

void PartPlanner::EndChunk(int64_t chunk) {
  parts_of_chunk_.erase(chunk);
  const auto open = open_.find(KeyOf(chunk));
  if (open == open_.end()) return;
  const Part& part = parts_.at(open->second);
  if (by_chunk_ || (named_by_chunk_ && part.last_chunk == chunk && HasEnough(part))) End(open);
}

void PartPlanner::EndAll() {
  while (!open_.empty()) End(open_.begin());
}

bool PartPlanner::EndOldest() {
  const auto oldest = std::min_element(
      open_.begin(), open_.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
  if (oldest == open_.end()) return false;
  End(oldest);
  return true;
}

void PartPlanner::Refresh(int64_t number) {
  const Part& part = parts_.at(number);
  const size_t held = part.ended ? 0 : 1;
  if (!part.step_out && part.steps.size() > held) startable_.insert(number);
}

PartPlanner::Step PartPlanner::Start() {
  const int64_t number = *startable_.begin();
  startable_.erase(startable_.begin());
  Part& part = parts_.at(number);
  const TaskId task = part.steps.front();
  part.steps.pop_front();
  part.step_out = true;
  return {task, number, part.ended && part.steps.empty()};
}

bool PartPlanner::Done(int64_t number) {
  const auto found = parts_.find(number);
  found->second.step_out = false;
  if (found->second.ended && found->second.steps.empty()) {
    parts_.erase(found);
    return true;
  }
  Refresh(number);
  return false;
}

}  // namespace penstock::dispatch
