#pragma once

#include <arrow/compute/registry.h>

#include <nlohmann/json_fwd.hpp>
#include <string_view>

#include "penstock/base/status.h"
#include "penstock/plan/logical.h"

namespace penstock {

/// Columns that an operator adds to a batch for the expressions that read them (op/positions.h); no
/// column of a user is called so. In JSON: {"position": "id"} and {"position": "place"}.
///   id     int64: rises with the row in the input, a different one for each
///   place  uint64: for a row of the input as good as random, and always the same
constexpr std::string_view kIdColumn = "\x1Fposition id";
constexpr std::string_view kPlaceColumn = "\x1Fposition place";

/// Returns whether an expression in JSON form reads positions.
bool ReadsPositions(const nlohmann::json& json);

/// Returns whether an expression of the operator does.
bool ReadsPositionsIn(const AssignOp& assign);
bool ReadsPositionsIn(const LogicalOp& op);

/// Adds the functions of positions.
///   row_random(place, seed)  double in [0, 1); with a null seed other numbers every time
///   row_uuid(place)          string: a random UUID (version 4), another one every time
/// Fails when they are there already.
Status RegisterPositionFunctions(arrow::compute::FunctionRegistry& registry);

}  // namespace penstock
