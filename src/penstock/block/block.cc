#include "penstock/block/block.h"

#include "penstock/base/check.h"
#include "penstock/block/array_shape.h"

namespace penstock {

int64_t BlockBytes(const arrow::RecordBatch& batch) {
  int64_t bytes = 0;
  for (int i = 0; i < batch.num_columns(); ++i) {
    const auto column = batch.column_data(i);
    bytes += ArrayBytes(*column, column->offset, column->length);
  }
  return bytes;
}

Block SliceBlock(const Block& block, int64_t offset, int64_t rows) {
  PENSTOCK_CHECK(offset >= 0 && rows >= 0 && offset <= block.rows() - rows);
  if (offset == 0 && rows == block.rows()) return block;
  return {block.batch->Slice(offset, rows), block.lineage.Slice(offset, rows), nullptr};
}

}  // namespace penstock
