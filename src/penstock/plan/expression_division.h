#pragma once

#include <arrow/compute/expression.h>
#include <arrow/compute/registry.h>

#include <optional>

#include "penstock/base/status.h"

namespace penstock {

/// Adds the division that Arrow does not have, of two integers or floating-point numbers of any
/// types; the result has the type that Arrow's "divide" has of them.
///   floor_divide(a, b)   the largest whole number that is not above a / b
///   modulo(a, b)         what is left then: a - floor_divide(a, b) * b, with the sign of b
/// Whole numbers are exact. Invalid for a whole number divided by zero; a floating-point one gives
/// an infinity or NaN. Fails when they are there already.
Status RegisterDivisionFunctions(arrow::compute::FunctionRegistry& registry);

/// Returns a call of one of these for other types, decimals for instance, by Arrow's functions;
/// null for calls of anything else. The arguments are bound.
Result<std::optional<arrow::compute::Expression>> DivisionByFunctions(
    const arrow::compute::Expression::Call& call);

}  // namespace penstock
