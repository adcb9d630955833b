#pragma once

#include <vector>

#include "penstock/source/source.h"

namespace penstock {

/// Numbers splits and groups them into chunks as they are listed: a chunk is closed when the next
/// split would take it over the limits. Depends on the splits and the limits alone.
class ChunkGrouper {
 public:
  explicit ChunkGrouper(ReadLimits limits) : limits_(limits) {}

  /// Sets `index` and `chunk` of the next splits, in order.
  void Number(std::vector<Split>& splits);

 private:
  const ReadLimits limits_;
  int64_t next_index_ = 0;
  int64_t chunk_ = 0;
  int64_t chunk_rows_ = 0;
  int64_t chunk_bytes_ = 0;
  bool chunk_empty_ = true;
};

}  // namespace penstock
