#pragma once

#include <arrow/compute/expression.h>

#include <optional>

#include "penstock/base/status.h"

namespace penstock {

/// Arrow takes a constant in a call for the smallest type that holds it: 12345 / 100.0 is a float
/// then, 100 of a column of int8 plus 100 wraps around, and whole numbers beyond 2^24 cannot be
/// compared with 0.5. This returns a call of numbers that yields what it does for constants of the
/// types that they are given with, int64 and double for instance; null where `call` does already.
///
/// Whole numbers are compared with fractions exactly, whatever their size. Where a function only
/// chooses among its arguments, such as "coalesce", a whole number stays what the columns are.
/// The arguments are bound. Fails as a function of constants alone does, by dividing by zero.
Result<std::optional<arrow::compute::Expression>> WithNumbersAsGiven(
    const arrow::compute::Expression::Call& call);

}  // namespace penstock
