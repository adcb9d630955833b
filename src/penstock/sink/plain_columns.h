#pragma once

#include <arrow/record_batch.h>

#include <functional>
#include <memory>
#include <string>

#include "penstock/base/status.h"

namespace penstock {

/// Says what a format holds a type as: the type itself, another one, or an error without column.
using TypeChoice =
    std::function<Result<std::shared_ptr<arrow::DataType>>(const arrow::DataType& type)>;

/// Returns the schema with each column's type replaced by `choice`; Invalid naming the column where
/// that refuses it, or where two columns have one name.
Result<std::shared_ptr<arrow::Schema>> ChooseTypes(const arrow::Schema& schema,
                                                   const TypeChoice& choice);

/// Brings a batch to a schema that ChooseTypes made of its own.
Result<std::shared_ptr<arrow::RecordBatch>> CastColumns(
    const std::shared_ptr<arrow::RecordBatch>& batch, const std::shared_ptr<arrow::Schema>& schema);

}  // namespace penstock
