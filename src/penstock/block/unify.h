#pragma once

#include <arrow/record_batch.h>

#include <memory>

#include "penstock/base/status.h"

namespace penstock {

/// Returns the schema that rows of both can be brought to: the columns of `first` in their order,
/// then those that `other` alone has. Columns are matched by name; one that either lacks may be
/// null.
///
/// Types that differ are promoted: null to anything, integers and floats to wider ones of their
/// kind, integers to floats, text to binary, units of time to finer ones, and so inside of lists
/// and structs; tensors of one shape to those that hold any (tensor_union.h). Numbers never become
/// text. kSchemaMismatch naming the column and both types where
/// there is no such type, or where one of the schemas has two columns of one name.
Result<std::shared_ptr<arrow::Schema>> UnifySchemas(const std::shared_ptr<arrow::Schema>& first,
                                                    const std::shared_ptr<arrow::Schema>& other);

/// Brings a batch to a schema that UnifySchemas made of its own and others: columns by name, nulls
/// for those that it lacks, values cast. Columns that are right already are not copied.
/// kSchemaMismatch naming the column where a value would change, such as an integer beyond 2^53
/// among floats.
Result<std::shared_ptr<arrow::RecordBatch>> BringToSchema(
    const std::shared_ptr<arrow::RecordBatch>& batch, const std::shared_ptr<arrow::Schema>& schema);

}  // namespace penstock
