#pragma once

#include <arrow/compute/expression.h>

#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <utility>
#include <vector>

#include "penstock/base/status.h"

namespace penstock {

/// Reads an expression from its JSON form:
///   {"column": "a"} | {"literal": 3, "type": "int64"}
///   | {"call": "match_substring", "arguments": [..], "options": {"pattern": "x"}}
///   | {"position": "id"}
/// A position is one of expression_positions.h. `call` is the name of an Arrow compute function
/// that works row by row, of "cast", or of one of our own (expression_lists.h,
/// expression_division.h); `options` are its own (expression_options.h). Literals: null, bool,
/// integer, float, string; `type` is optional and names an Arrow type as TypeFromText reads it: the
/// value is cast to it. Bytes are base64 with the type "binary". A list and an object are literals
/// of the list or struct type that is named. Invalid for an unknown form, function, option or type,
/// a wrong number of arguments or a literal that does not fit its type, naming it. Nested at most
/// 1000 deep.
Result<arrow::compute::Expression> ExpressionFromJson(const nlohmann::json& json);

/// Binds an expression to a schema, as Arrow does it, with these differences: "add" of texts joins
/// them; "is_in" ignores values that a column's type cannot hold; constants have the types that
/// they were given (expression_numbers.h); a column of nothing but nulls does where values do
/// (expression_nulls.h); "floor_divide" and "modulo" take decimals too. Fails as Expression::Bind
/// does, and where constants alone cannot be computed.
Result<arrow::compute::Expression> BindExpression(const arrow::compute::Expression& expression,
                                                  const arrow::Schema& schema);

/// Returns the names of the columns that an expression in JSON form reads, each once, in order.
std::vector<std::string> ColumnsOf(const nlohmann::json& json);

/// Returns the expression with columns renamed by the pairs (from, to), all at once, as JSON.
nlohmann::json RenameColumns(const nlohmann::json& json,
                             const std::vector<std::pair<std::string, std::string>>& renames);

/// Returns the expression that is true where both are: and_kleene(left, right).
nlohmann::json BothOf(const nlohmann::json& left, const nlohmann::json& right);

/// Returns the parts that BothOf joined, from left to right; the expression itself when none.
std::vector<nlohmann::json> ConjunctsOf(const nlohmann::json& json);

/// Returns the form that a person reads: (a > 3).
std::string ExpressionText(const nlohmann::json& json);

}  // namespace penstock
