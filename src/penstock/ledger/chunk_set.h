#pragma once

#include <cstdint>
#include <map>
#include <vector>

namespace penstock {

/// Consecutive chunks, both ends included.
struct ChunkRange {
  int64_t first = 0;
  int64_t last = 0;

  bool operator==(const ChunkRange&) const = default;
};

/// A set of chunk numbers. It takes memory for its holes alone, of which a job never has more than
/// chunks under way. Value type.
class ChunkSet {
 public:
  ChunkSet() = default;
  explicit ChunkSet(const std::vector<ChunkRange>& ranges) {
    for (const ChunkRange& range : ranges) Add(range);
  }

  void Add(ChunkRange range);
  bool Contains(int64_t chunk) const;
  bool empty() const { return ranges_.empty(); }
  int64_t size() const;

  /// Returns its ranges from the lowest on; none touch.
  std::vector<ChunkRange> Ranges() const;

  bool operator==(const ChunkSet&) const = default;

 private:
  std::map<int64_t, int64_t> ranges_;  // First to last.
};

}  // namespace penstock
