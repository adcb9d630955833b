#include "penstock/exec/dispatcher_commits.h"

#include <utility>

#include "penstock/base/check.h"

namespace penstock::dispatch {

void CommitPlanner::Append(int64_t chunk, int64_t part, int64_t rows) {
  const int64_t of_chunk = UnitOf(unit_of_chunk_, chunk, &Unit::chunks);
  const int64_t of_part = UnitOf(unit_of_part_, part, &Unit::parts);
  if (of_chunk != of_part) Join(of_part, of_chunk);
  units_.at(of_part).rows += rows;
}

/// Returns the unit that a chunk or a part is of: a new one where it is of none yet.
int64_t CommitPlanner::UnitOf(std::unordered_map<int64_t, int64_t>& units, int64_t number,
                              std::vector<int64_t> Unit::* members) {
  const auto [found, is_new] = units.try_emplace(number, last_unit_ + 1);
  if (is_new) {
    Unit& unit = units_[++last_unit_];
    (unit.*members).push_back(number);
    unit.open = 1;
  }
  return found->second;
}

void CommitPlanner::Join(int64_t kept, int64_t other) {
  const Unit joined = std::move(units_.extract(other).mapped());
  Unit& unit = units_.at(kept);
  for (const int64_t chunk : joined.chunks) unit_of_chunk_[chunk] = kept;
  for (const int64_t part : joined.parts) unit_of_part_[part] = kept;
  unit.chunks.insert(unit.chunks.end(), joined.chunks.begin(), joined.chunks.end());
  unit.parts.insert(unit.parts.end(), joined.parts.begin(), joined.parts.end());
  unit.rows += joined.rows;
  unit.open += joined.open;
}

void CommitPlanner::EndChunk(int64_t chunk) {
  CloseOne(UnitOf(unit_of_chunk_, chunk, &Unit::chunks));
}

void CommitPlanner::ClosePart(int64_t part) { CloseOne(unit_of_part_.at(part)); }

void CommitPlanner::CloseOne(int64_t number) {
  Unit& unit = units_.at(number);
  PENSTOCK_CHECK(unit.open > 0);
  if (--unit.open > 0) return;
  const Unit done = std::move(units_.extract(number).mapped());
  for (const int64_t chunk : done.chunks) {
    unit_of_chunk_.erase(chunk);
    const auto read = rows_read_.extract(chunk);
    if (!read.empty()) next_.rows_read += read.mapped();
    const auto failed = rows_failed_.extract(chunk);
    if (!failed.empty()) next_.rows_failed += failed.mapped();
    const auto filtered = rows_filtered_.extract(chunk);
    if (!filtered.empty()) next_filtered_ += filtered.mapped();
  }
  for (const int64_t part : done.parts) unit_of_part_.erase(part);
  next_.chunks.insert(next_.chunks.end(), done.chunks.begin(), done.chunks.end());
  next_.parts.insert(next_.parts.end(), done.parts.begin(), done.parts.end());
  next_.rows_written += done.rows;
}

CommitOutput CommitPlanner::Take(bool counts_filtered) {
  const int64_t filtered = std::exchange(next_filtered_, 0);
  if (counts_filtered) next_.rows_filtered = filtered;
  return std::exchange(next_, CommitOutput{.last = false});
}

}  // namespace penstock::dispatch
