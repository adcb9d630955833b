#pragma once

#include <cstdint>
#include <functional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "penstock/exec/dispatcher.h"

namespace penstock::dispatch {

/// Knows how far each chunk has come where stages do not keep order: counts, a stage and a chunk,
/// the splits, waiting rows and unfinished tasks. When nothing of a chunk is left at a stage and
/// before it, the next stage is told that the chunk is complete.
class ChunkProgress {
 public:
  using OnComplete = std::function<void(StageIndex, int64_t chunk)>;

  /// `consumers`: for each stage the one that takes its blocks; -1 for the last.
  /// `on_complete(stage, chunk)`: no more rows of the chunk will enter the stage.
  ChunkProgress(std::vector<StageIndex> consumers, OnComplete on_complete)
      : consumers_(std::move(consumers)), on_complete_(std::move(on_complete)) {}

  /// All splits of the chunk have been listed by the reading `stage`.
  void Listed(StageIndex stage, int64_t chunk);
  void Add(StageIndex stage, int64_t chunk, int64_t count);
  void Remove(StageIndex stage, int64_t chunk, int64_t count);

 private:
  struct Chunk {
    bool listed = false;
    std::vector<int64_t> counts;
  };

  Chunk& ChunkOf(int64_t chunk);
  void Advance(int64_t chunk, StageIndex from);

  const std::vector<StageIndex> consumers_;
  const OnComplete on_complete_;
  std::unordered_map<int64_t, Chunk> chunks_;
};

}  // namespace penstock::dispatch
