#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "penstock/exec/dispatcher.h"

namespace penstock::dispatch {

/// Decides which chunks can be committed: those of which no more rows will be written, together
/// with all parts that hold rows of theirs, once these are closed. Where a part holds rows of
/// several chunks, or a chunk has several parts, they are committed together.
class CommitPlanner {
 public:
  /// A chunk's rows have been read.
  void Read(int64_t chunk, int64_t rows) { rows_read_[chunk] += rows; }

  /// Rows of the chunk have failed, and go nowhere.
  void Fail(int64_t chunk, int64_t rows) { rows_failed_[chunk] += rows; }

  /// Rows of the chunk were filtered.
  void Filter(int64_t chunk, int64_t rows) { rows_filtered_[chunk] += rows; }

  /// Rows of the chunk go to the part.
  void Append(int64_t chunk, int64_t part, int64_t rows);

  /// No more rows of the chunk will be written; it may have had none.
  void EndChunk(int64_t chunk);

  void ClosePart(int64_t part);

  bool has_some() const { return !next_.chunks.empty(); }

  /// Takes what can be committed now, with the rows filtered, where these are all counted.
  CommitOutput Take(bool counts_filtered);

 private:
  // Chunks and parts that are committed together.
  struct Unit {
    std::vector<int64_t> chunks;
    std::vector<int64_t> parts;
    int64_t rows = 0;
    int64_t open = 0;  // Chunks that have not ended, parts that are not closed.
  };

  int64_t UnitOf(std::unordered_map<int64_t, int64_t>& units, int64_t number,
                 std::vector<int64_t> Unit::* members);
  void Join(int64_t kept, int64_t other);
  void CloseOne(int64_t unit);

  std::unordered_map<int64_t, Unit> units_;
  std::unordered_map<int64_t, int64_t> unit_of_chunk_;
  std::unordered_map<int64_t, int64_t> unit_of_part_;
  std::unordered_map<int64_t, int64_t> rows_read_;  // By chunk.
  std::unordered_map<int64_t, int64_t> rows_failed_;
  std::unordered_map<int64_t, int64_t> rows_filtered_;
  int64_t last_unit_ = 0;
  CommitOutput next_{.last = false};
  int64_t next_filtered_ = 0;  // Of next_.
};

}  // namespace penstock::dispatch
