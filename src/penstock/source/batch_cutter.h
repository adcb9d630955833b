#pragma once

#include <arrow/record_batch.h>

#include <cstdint>
#include <memory>

namespace penstock {

/// Cuts batches into zero-copy slices of about `block_bytes`; a slice has at least one row.
class BatchCutter {
 public:
  explicit BatchCutter(int64_t block_bytes) : block_bytes_(block_bytes) {}

  /// Takes the batch that is cut next; the one before must be used up.
  void Reset(std::shared_ptr<arrow::RecordBatch> batch);

  /// Returns the next slice, or nullptr when the batch is used up.
  std::shared_ptr<arrow::RecordBatch> Next();

 private:
  const int64_t block_bytes_;
  std::shared_ptr<arrow::RecordBatch> batch_;  // Shared with the slices.
  int64_t offset_ = 0;
  int64_t rows_per_slice_ = 0;
};

}  // namespace penstock
