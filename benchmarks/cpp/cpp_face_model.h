#pragma once

#include <arrow/api.h>

#include <memory>

/// A linear model over the float64 columns "x" and "y"; its result becomes the column "score".
inline arrow::Result<std::shared_ptr<arrow::RecordBatch>> Score(
    const std::shared_ptr<arrow::RecordBatch>& batch) {
  const auto& x = static_cast<const arrow::DoubleArray&>(*batch->GetColumnByName("x"));
  const auto& y = static_cast<const arrow::DoubleArray&>(*batch->GetColumnByName("y"));
  ARROW_ASSIGN_OR_RAISE(std::unique_ptr<arrow::Buffer> scores,
                        arrow::AllocateBuffer(batch->num_rows() * sizeof(double)));
  auto* const score = reinterpret_cast<double*>(scores->mutable_data());
  for (int64_t row = 0; row < batch->num_rows(); ++row) {
    score[row] = 0.75 * x.Value(row) - 0.5 * y.Value(row) + 0.125;
  }
  auto column = std::make_shared<arrow::DoubleArray>(batch->num_rows(), std::move(scores));
  return batch->AddColumn(batch->num_columns(), "score", column);
}
