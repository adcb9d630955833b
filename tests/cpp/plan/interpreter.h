#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "penstock/base/status.h"
#include "penstock/plan/logical.h"
#include "penstock/plan/physical.h"
#include "penstock/plan/rules.h"

namespace penstock::testing {

/// A small table of integers and nulls, cut into blocks: what the reference interpreter computes
/// on, without any code of the engine.
using Value = std::optional<int64_t>;
using Row = std::vector<Value>;
struct Table {
  std::vector<std::string> columns;
  std::vector<std::vector<Row>> blocks;

  std::vector<Row> rows() const;
};

/// Runs a plan in the plainest way. Readers do the least that they promise: they apply a row limit
/// first of all, and yield one block where no splits are wanted.
///
/// Functions are known by name:
///   "add" (row)       adds 1 to every value
///   "sum" (row)       appends a column with the sum of all others
///   "twice" (flat)    every row twice, every third one not at all
///   "odd" (filter)    rows whose sum is odd
///   "negate" (batch)  negates every value, keeping rows
///   "behead" (batch)  loses the first row of its block
Result<Table> Interpret(const LogicalPlan& plan, const Table& input, const TraitsOf& traits);

/// Runs the stages in the same way.
Result<Table> Interpret(const PhysicalPlan& plan, const Table& input, const TraitsOf& traits);

}  // namespace penstock::testing
