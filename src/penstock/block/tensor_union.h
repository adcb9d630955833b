#pragma once

#include <arrow/array.h>

#include <memory>

#include "penstock/base/status.h"

namespace penstock {

/// Returns the type that holds the tensors of both where one of the types is a tensor and they
/// differ: tensors whose shapes or types of numbers differ are a variable_shape_tensor, of the type
/// that holds both kinds of numbers; vectors beside lists are lists. Null where no type holds the
/// values of both or the numbers of dimensions differ, or where dimensions are named or permuted.
std::shared_ptr<arrow::DataType> CommonTensorType(const std::shared_ptr<arrow::DataType>& first,
                                                  const std::shared_ptr<arrow::DataType>& other);

/// Brings tensors to a type that CommonTensorType made of theirs and another; shares their values
/// where those keep their type. Returns null for all other columns. Invalid beyond what 32-bit
/// offsets reach, and where a number would change.
Result<std::shared_ptr<arrow::Array>> BringTensors(const arrow::Array& column,
                                                   const std::shared_ptr<arrow::DataType>& type);

}  // namespace penstock
