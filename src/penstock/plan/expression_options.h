#pragma once

#include <arrow/compute/function_options.h>

#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "penstock/base/status.h"

namespace penstock {

/// Reads the options of an Arrow compute function from their JSON form, whose names are those of
/// Arrow's Python functions: {"pattern": "x", "ignore_case": true}. Null: the function's defaults.
/// Invalid, naming function and option, for an option that the function does not have, a value
/// that does not fit, or one that is missing; and for options of a function that takes none here.
Result<std::shared_ptr<arrow::compute::FunctionOptions>> ReadFunctionOptions(
    const std::string& function, const nlohmann::json& options);

}  // namespace penstock
