#pragma once

#include <arrow/buffer.h>
#include <arrow/compute/expression.h>

#include <memory>
#include <nlohmann/json_fwd.hpp>

#include "penstock/base/status.h"

namespace penstock {

/// Returns the JSON form (expression.h) of an expression of Arrow's own. NotImplemented, naming
/// the function, for options that have no JSON form; and for literals and columns that have none.
Result<nlohmann::json> ExpressionToJson(const arrow::compute::Expression& expression);

/// The same for an expression as Arrow serialises it, which is how pyarrow pickles one.
Result<nlohmann::json> ExpressionToJson(std::shared_ptr<arrow::Buffer> serialised);

}  // namespace penstock
