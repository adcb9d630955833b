#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <unordered_map>

#include "penstock/exec/dispatcher.h"

namespace penstock::dispatch {

/// Decides which rows go into which part file, and when a part is closed.
///
/// A part ends where its chunk ends once it has `rows_per_part_min` rows and `bytes_per_part_min`
/// bytes, and whenever it has `rows_per_part_max`. The step that may turn out to be a part's last
/// is held until that is known, since it has to close the part. Steps of one part run one at a
/// time, in order; parts run side by side. Without order, chunks come mingled and each open chunk
/// has its own part (unless parts gather across chunks). With `part_ends_with_block` a block is
/// what else a chunk is: whoever calls says blocks' numbers instead of chunks'.
class PartPlanner {
 public:
  PartPlanner(const StageLimits& limits, bool preserve_order);

  struct Room {
    int64_t part = 0;
    int64_t rows = 0;
  };
  /// Returns the part that the next rows of `chunk` belong to, and how many of `rows` fit it.
  Room RoomFor(int64_t chunk, int64_t rows);

  /// Adds a step of so many rows and bytes to the part that RoomFor just returned for `chunk`.
  void Append(int64_t chunk, TaskId task, int64_t rows, int64_t bytes);

  /// No more rows of `chunk` will come. Ends the part that is open for it, as far as that may end.
  void EndChunk(int64_t chunk);
  void EndAll();

  /// Without order: ends the part that has been open for longest; false when none is open.
  bool EndOldest();

  struct Step {
    TaskId task = 0;
    int64_t part = 0;
    bool closes_part = false;
  };
  bool can_start() const { return !startable_.empty(); }

  /// Takes the next step that may run; can_start() must hold.
  Step Start();

  /// The step of the part that was out has ended. Returns whether it was the part's last.
  bool Done(int64_t part);

  /// Steps that wait to be known as a part's last or not.
  int64_t held() const { return static_cast<int64_t>(open_.size()); }
  bool empty() const { return parts_.empty(); }

 private:
  struct Part {
    int64_t rows = 0;
    int64_t bytes = 0;
    int64_t last_chunk = 0;
    bool ended = false;
    bool step_out = false;
    std::deque<TaskId> steps;
  };

  int64_t KeyOf(int64_t chunk) const { return by_chunk_ ? chunk : 0; }
  int64_t NextPart(int64_t chunk);
  void End(std::map<int64_t, int64_t>::iterator open);
  void Refresh(int64_t part);

  bool HasEnough(const Part& part) const {
    return part.rows >= rows_min_ && part.bytes >= bytes_min_;
  }

  const int64_t rows_min_;
  const int64_t bytes_min_;
  const int64_t rows_max_;
  const bool by_chunk_;
  const bool named_by_chunk_;
  int64_t next_part_ = 0;
  std::unordered_map<int64_t, int64_t> parts_of_chunk_;  // named_by_chunk_: begun, until it ends.
  std::map<int64_t, int64_t> open_;                      // Key to the part that takes its rows.
  std::map<int64_t, Part> parts_;                        // Those with steps to run.
  std::set<int64_t> startable_;
};

}  // namespace penstock::dispatch
