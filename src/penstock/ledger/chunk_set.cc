#include "penstock/ledger/chunk_set.h"

#include <algorithm>
#include <iterator>

namespace penstock {

void ChunkSet::Add(ChunkRange range) {
  auto next = ranges_.upper_bound(range.first);
  if (next != ranges_.begin()) {
    const auto before = std::prev(next);
    if (before->second >= range.first - 1) {
      range = {before->first, std::max(before->second, range.last)};
      next = ranges_.erase(before);
    }
  }
  while (next != ranges_.end() && next->first <= range.last + 1) {
    range.last = std::max(range.last, next->second);
    next = ranges_.erase(next);
  }
  ranges_.emplace_hint(next, range.first, range.last);
}

bool ChunkSet::Contains(int64_t chunk) const {
  const auto next = ranges_.upper_bound(chunk);
  return next != ranges_.begin() && std::prev(next)->second >= chunk;
}

int64_t ChunkSet::size() const {
  int64_t chunks = 0;
  for (const auto& [first, last] : ranges_) chunks += last - first + 1;
  return chunks;
}

std::vector<ChunkRange> ChunkSet::Ranges() const {
  std::vector<ChunkRange> ranges;
  for (const auto& [first, last] : ranges_) ranges.push_back({first, last});
  return ranges;
}

}  // namespace penstock
