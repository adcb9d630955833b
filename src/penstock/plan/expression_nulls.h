#pragma once

#include <arrow/compute/expression.h>
#include <arrow/type.h>

#include "penstock/base/status.h"

namespace penstock {

/// Binds a call some of whose arguments are nothing but nulls, of the type null: such is a column
/// of which a block has no value. Arrow has functions of nulls for few types; a function that has
/// none gets nulls of a type that it takes. The arguments are bound. Fails as Expression::Bind does
/// where there is no such type.
Result<arrow::compute::Expression> BindOverNulls(const arrow::compute::Expression::Call& call,
                                                 const arrow::Schema& schema);

}  // namespace penstock
