#pragma once

#include <cstdint>
#include <optional>

#include "penstock/plan/logical.h"

namespace penstock {

/// Returns the plan with its read's splits in an order drawn from the seed. Nullopt where an
/// operator's result depends on the order of the rows or on their position.
std::optional<LogicalPlan> WithSplitOrder(const LogicalPlan& plan, int64_t seed);

}  // namespace penstock
