#pragma once

#include <arrow/record_batch.h>

#include <cstdint>
#include <memory>
#include <span>

#include "penstock/base/status.h"
#include "penstock/block/block.h"
#include "penstock/memory/segment.h"

namespace penstock {

/// A batch that lies in one segment by layout.h, ready to be mapped by a worker.
class PackedBatch {
 public:
  PackedBatch(std::shared_ptr<Segment> segment, int64_t bytes, int64_t rows)
      : segment_(std::move(segment)), bytes_(bytes), rows_(rows) {}

  const std::shared_ptr<Segment>& segment() const { return segment_; }
  int64_t bytes() const { return bytes_; }
  int64_t rows() const { return rows_; }

 private:
  const std::shared_ptr<Segment> segment_;  // Shared with the Arrow buffers that view it.
  const int64_t bytes_;
  const int64_t rows_;
};

/// Rows [offset, offset + rows) of a block.
struct Piece {
  Block block;
  int64_t offset = 0;
  int64_t rows = 0;
};

/// Copies the pieces, one after the other, into a segment: one copy, whatever the number of
/// pieces. A single piece that is a whole packed block is returned as it is, without a copy.
///
/// All pieces must have equal column names and types (metadata apart); a column that holds nothing
/// but nulls in some pieces takes the type that it has in the others. Else SchemaMismatch, naming
/// the first column that differs and both types. Text, binary and lists that are too much for
/// 32-bit offsets become their large types (widen.h). Metadata of schema and fields is the first
/// piece's. At least one piece. Threads: any.
Result<PackedBatch> PackPieces(std::span<const Piece> pieces, SegmentPool& pool);

/// Joins pieces into one block on the heap, without a copy where there is a single piece; for
/// native stages that cut rows anew. Lineage is joined alike.
Result<Block> ConcatenatePieces(std::span<const Piece> pieces);

/// Wraps the packed batch at the start of `segment` as Arrow columns, without a copy.
///
/// The segment's content is not trusted: every offset, length, count and type is checked against
/// the segment before use, and the columns are validated (ValidateFull), so that a worker that
/// scribbles over its memory yields a Status, never a fault. It may do so at any time: what leads
/// to other bytes (the entries, validity, offsets, indices, views) is copied before it is checked;
/// the values alone stay in place. Batches of at most
/// `copy_bytes_max` are copied to the heap, which frees the segment at once; Block.packed is set
/// otherwise. Lineage is left empty.
Result<Block> UnpackBatch(std::shared_ptr<Segment> segment, int64_t copy_bytes_max);

}  // namespace penstock
