#pragma once

#include <arrow/record_batch.h>

#include <memory>
#include <span>
#include <vector>

namespace penstock {

/// Puts columns side by side in the order of the inputs. A column whose name is taken by one before
/// it gets "_1" behind its name, or the first of "_2", "_3", … that is free.
std::shared_ptr<arrow::Schema> ZipSchemas(std::span<const std::shared_ptr<arrow::Schema>> inputs);

/// Does the same with batches of equally many rows; their columns are shared, not copied.
std::shared_ptr<arrow::RecordBatch> ZipBatches(
    std::span<const std::shared_ptr<arrow::RecordBatch>> inputs);

}  // namespace penstock
