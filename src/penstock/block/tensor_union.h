#pragma once

#include <arrow/array.h>

#include <memory>

#include "penstock/base/status.h"

namespace penstock {

/// Returns the type that holds the tensors of both where one of the types is a tensor and they
/// differ: tensors of several dimensions whose shapes differ are a variable_shape_tensor, vectors
/// whose lengths differ are lists. Null where the values' types or the numbers of dimensions
/// differ, or where dimensions are named or permuted.
std::shared_ptr<arrow::DataType> CommonTensorType(const std::shared_ptr<arrow::DataType>& first,
                                                  const std::shared_ptr<arrow::DataType>& other);

/// Brings tensors of one shape to a type that CommonTensorType made of theirs and another; shares
/// their values. Returns null for all other columns. Invalid beyond what 32-bit offsets reach.
Result<std::shared_ptr<arrow::Array>> BringTensors(const arrow::Array& column,
                                                   const std::shared_ptr<arrow::DataType>& type);

}  // namespace penstock
