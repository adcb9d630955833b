#pragma once

#include <arrow/record_batch.h>

#include <cstdint>
#include <memory>

#include "penstock/block/lineage.h"

namespace penstock {

class PackedBatch;

/// What flows between stages: columns, and where their rows came from.
///
/// Value type; copies share the columns. Columns are immutable. `packed` is set when the columns
/// are views of one shared-memory segment that holds nothing else (see packed.h): such a block
/// can be handed to a worker without a copy.
struct Block {
  std::shared_ptr<arrow::RecordBatch> batch;
  Lineage lineage;
  std::shared_ptr<const PackedBatch> packed;  // Shared with the buffers that point into it.

  int64_t rows() const { return batch->num_rows(); }
};

/// Returns the bytes that the batch's buffers hold for its rows: slices count their own part.
int64_t BlockBytes(const arrow::RecordBatch& batch);

/// Returns rows [offset, offset + rows) without a copy; lineage is cut alike, `packed` is kept
/// only for the whole block.
Block SliceBlock(const Block& block, int64_t offset, int64_t rows);

}  // namespace penstock
