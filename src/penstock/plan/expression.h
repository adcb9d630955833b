#pragma once

#include <memory>
#include <string>
#include <vector>

#include <arrow/compute/expression.h>
#include <nlohmann/json_fwd.hpp>

#include "penstock/base/status.h"

namespace penstock {

/// Reads an expression from its JSON form:
///   {"column": "a"} | {"literal": 3, "type": "int64"} | {"call": "greater", "arguments": [..]}
/// `call` is the name of an Arrow compute function. Literals: null, bool, integer, float, string;
/// `type` is optional and names an Arrow type by its short name ("int64", "double", "string", ..).
/// Invalid for an unknown form or function, naming it.
Result<arrow::compute::Expression> ExpressionFromJson(const nlohmann::json& json);

/// Returns the names of the columns that an expression in JSON form reads, each once, in order.
std::vector<std::string> ColumnsOf(const nlohmann::json& json);

/// Returns the expression with columns renamed by `rename(name)`, as JSON.
nlohmann::json RenameColumns(const nlohmann::json& json,
                             const std::vector<std::pair<std::string, std::string>>& renames);

/// Returns the form that a person reads: (a > 3).
std::string ExpressionText(const nlohmann::json& json);

}  // namespace penstock
