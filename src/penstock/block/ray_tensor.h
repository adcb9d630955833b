#pragma once

#include <arrow/record_batch.h>

#include <memory>

#include "penstock/base/status.h"

namespace penstock {

/// Columns that Ray Data wrote as tensors come out of a file as their storage, lists, with the name
/// of Ray's type in the field's metadata. These functions make Arrow's canonical tensors of them:
///   ray.data.arrow_tensor, _v2              list<T>                        fixed_shape_tensor
///   ray.data.arrow_variable_shaped_tensor   struct<data: list, shape: list>  variable_shape_tensor
/// The shape (or the number of dimensions) is read as JSON. Some versions of Ray pickled it: that
/// is never decoded, and such columns stay what they are stored as.
///
/// Source: ray 2.60, data/_internal/tensor_extensions/arrow.py.
std::shared_ptr<arrow::Schema> WithCanonicalTensors(const std::shared_ptr<arrow::Schema>& stored);

/// Does the same with a batch. kCorruptData naming the column where its lists do not fit the shape.
Result<std::shared_ptr<arrow::RecordBatch>> WithCanonicalTensors(
    const std::shared_ptr<arrow::RecordBatch>& stored);

}  // namespace penstock
