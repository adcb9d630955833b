#pragma once

#include <arrow/array/array_nested.h>
#include <arrow/type.h>

#include <cstdint>
#include <memory>

#include "penstock/base/status.h"

namespace penstock {

/// What counts of a type of tensors whose shapes vary (Arrow's variable_shape_tensor); `values` is
/// null for all others, and for those whose dimensions are named, permuted or partly fixed.
struct RaggedParts {
  std::shared_ptr<arrow::DataType> values;
  int dimensions = 0;
};
RaggedParts RaggedPartsOf(const arrow::DataType& type);

/// Such a column, taken apart. Any thread.
class RaggedColumn {
 public:
  /// `column` must be of a type that has RaggedParts.
  explicit RaggedColumn(const arrow::Array& column);

  bool IsNull(int64_t row) const { return rows_->IsNull(row); }
  int dimensions() const { return shapes_->list_type()->list_size(); }
  int32_t Extent(int64_t row, int dimension) const;

  /// Invalid where a row has another number of values than its shape says, which what others wrote
  /// may. To be asked before a shape is believed.
  Status Check(int64_t row) const;

  const arrow::StructArray& rows() const { return *rows_; }
  const arrow::ListArray& data() const { return *data_; }
  const std::shared_ptr<arrow::Array>& shapes() const { return shape_column_; }

 private:
  std::shared_ptr<arrow::StructArray> rows_;  // All share the column's memory.
  std::shared_ptr<arrow::ListArray> data_;
  std::shared_ptr<arrow::Array> shape_column_;
  std::shared_ptr<arrow::FixedSizeListArray> shapes_;
};

}  // namespace penstock
