#pragma once

#include <arrow/array.h>
#include <arrow/datum.h>

#include <memory>

#include "penstock/op/transform.h"

namespace penstock {

/// The transforms one by one; MakeTransform chooses among them.
std::unique_ptr<Transform> MakeProject(ProjectOp op);
std::unique_ptr<Transform> MakeDrop(DropOp op);
std::unique_ptr<Transform> MakeRename(RenameOp op);

/// Keeps the rows for which the expression is true; null counts as false. Lineage keeps naming
/// exactly the rows that are left. Where evaluating the parts of an and_kleene together fails,
/// they are evaluated from left to right, each for the rows that those before it left.
/// Invalid as ExpressionFromJson; Apply: Invalid for a missing column, types that do not fit, or
/// an expression that does not yield a bool.
Result<std::unique_ptr<Transform>> MakeFilter(FilterOp op);

/// Keeps the rows that SampleOp says. Where a function that may change the number of rows stands
/// below, a row's position is that of its block and the row in it. Apply: KeyError for a missing
/// column, TypeError for one of another type than SampleOp says.
std::unique_ptr<Transform> MakeSample(SampleOp op);

/// Brings blocks to a schema, or to what UnifySchemas makes of it and a block's own where that has
/// more columns or wider types: columns that a block lacks are null. Fails as those do.
std::unique_ptr<Transform> MakeConform(std::shared_ptr<arrow::Schema> schema);

/// Returns the rows for which `mask`, an array or scalar of bools, is true (null counts as false);
/// lineage alike.
Result<Block> KeepWhere(Block block, const arrow::Datum& mask);

/// Adds or replaces columns by what expressions over the input yield, row by row. A replaced column
/// keeps its place, the others follow in order. Lineage stays. Invalid as ExpressionFromJson;
/// Apply: KeyError for a missing column, otherwise what evaluating fails with, naming the column.
Result<std::unique_ptr<Transform>> MakeAssign(AssignOp op);

/// Returns the lineage of the rows where `mask` is true (null counts as false). An inexact lineage
/// returns itself, and so does one that names no rows.
Lineage FilterLineage(const Lineage& lineage, const arrow::BooleanArray& mask);

}  // namespace penstock
