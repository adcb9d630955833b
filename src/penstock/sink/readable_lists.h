#pragma once

#include <arrow/record_batch.h>

#include <memory>

namespace penstock {

/// Arrow writes Parquet files that it cannot read itself: with nulls among lists of a fixed size,
/// tensors among them, or above such lists in a struct, or with lists of size 0. Such columns are
/// written as lists of any size. Tensors keep their type's name and shape in the field's metadata,
/// by Ray's names, and are tensors again when Penstock or Ray reads them (block/ray_tensor.h).
///
/// Returns the batch's schema with such columns' types replaced where the batch has what cannot be
/// read.
std::shared_ptr<arrow::Schema> ReadableSchema(const arrow::RecordBatch& batch);

}  // namespace penstock
