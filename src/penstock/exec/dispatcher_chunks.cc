#include "penstock/exec/dispatcher_chunks.h"

#include <algorithm>

#include "penstock/base/check.h"

namespace penstock::dispatch {

ChunkProgress::Chunk& ChunkProgress::ChunkOf(int64_t chunk) {
  Chunk& found = chunks_[chunk];
  if (found.counts.empty()) found.counts.resize(consumers_.size());
  return found;
}

void ChunkProgress::Listed(StageIndex stage, int64_t chunk) {
  ChunkOf(chunk).listed = true;
  Advance(chunk, stage);
}

void ChunkProgress::Add(StageIndex stage, int64_t chunk, int64_t count) {
  ChunkOf(chunk).counts[stage] += count;
}

void ChunkProgress::Remove(StageIndex stage, int64_t chunk, int64_t count) {
  int64_t& left = ChunkOf(chunk).counts[stage];
  left -= count;
  PENSTOCK_CHECK(left >= 0);
  if (left == 0) Advance(chunk, stage);
}

void ChunkProgress::Advance(int64_t chunk, StageIndex from) {
  const Chunk& found = ChunkOf(chunk);
  const auto none = [](int64_t count) { return count == 0; };
  if (!found.listed || !std::all_of(found.counts.begin(), found.counts.begin() + from, none))
    return;
  for (StageIndex stage = from; found.counts[stage] == 0; stage = consumers_[stage]) {
    if (consumers_[stage] < 0) {
      chunks_.erase(chunk);
      return;
    }
    on_complete_(consumers_[stage], chunk);
  }
}

}  // namespace penstock::dispatch
