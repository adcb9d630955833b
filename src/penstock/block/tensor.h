#pragma once

#include <arrow/type.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "penstock/base/status.h"
#include "penstock/block/layout.h"

namespace penstock {

/// Returns Arrow's canonical fixed-shape tensor type: row-major, one `shape` a row.
Result<std::shared_ptr<arrow::DataType>> TensorType(const std::shared_ptr<arrow::DataType>& values,
                                                    const std::vector<int64_t>& shape);

/// A tensor column's parts; `values` is null for types that are not row-major tensors.
struct TensorParts {
  std::shared_ptr<arrow::DataType> values;
  std::vector<int64_t> shape;
};
TensorParts TensorPartsOf(const arrow::DataType& type);

/// Maps between Arrow types and the plain kinds of layout.h; kOther for all that has none, and
/// nullptr for kOther.
ColumnKind KindOf(const arrow::DataType& type);
std::shared_ptr<arrow::DataType> TypeOf(ColumnKind kind);

}  // namespace penstock
