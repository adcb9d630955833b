#include "penstock/source/chunks.h"

#include <algorithm>

namespace penstock {

void ChunkGrouper::Number(std::vector<Split>& splits) {
  for (Split& split : splits) {
    const bool unknown = split.rows < 0 && split.bytes < 0;
    const int64_t rows = std::max<int64_t>(split.rows, 0);
    const int64_t bytes = unknown ? limits_.chunk_bytes : std::max<int64_t>(split.bytes, 0);
    const bool fits =
        chunk_rows_ + rows <= limits_.chunk_rows && chunk_bytes_ + bytes <= limits_.chunk_bytes;
    if (!chunk_empty_ && !fits) {
      ++chunk_;
      chunk_rows_ = 0;
      chunk_bytes_ = 0;
    }
    chunk_empty_ = false;
    chunk_rows_ += rows;
    chunk_bytes_ += bytes;
    split.index = next_index_++;
    split.chunk = chunk_;
  }
}

}  // namespace penstock
