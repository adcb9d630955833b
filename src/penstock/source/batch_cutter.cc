#include "penstock/source/batch_cutter.h"

#include <algorithm>

#include "penstock/block/block.h"

namespace penstock {

void BatchCutter::Reset(std::shared_ptr<arrow::RecordBatch> batch) {
  batch_ = std::move(batch);
  offset_ = 0;
  const int64_t slices = (BlockBytes(*batch_) + block_bytes_ - 1) / block_bytes_;
  rows_per_slice_ = batch_->num_rows() / std::max<int64_t>(slices, 1);
  if (slices > 1 && batch_->num_rows() % slices != 0) ++rows_per_slice_;
}

std::shared_ptr<arrow::RecordBatch> BatchCutter::Next() {
  if (batch_ == nullptr || offset_ == batch_->num_rows()) return nullptr;
  int64_t rows = std::min(rows_per_slice_, batch_->num_rows() - offset_);
  auto slice = batch_->Slice(offset_, rows);
  while (rows > 1 && rows < batch_->num_rows() && BlockBytes(*slice) > 2 * block_bytes_) {
    rows /= 2;
    slice = batch_->Slice(offset_, rows);
  }
  offset_ += rows;
  return slice;
}

}  // namespace penstock
