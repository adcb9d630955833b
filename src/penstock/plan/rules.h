#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "penstock/plan/logical.h"

namespace penstock {

/// What the rules may ask of readers without depending on them.
struct ReaderTraits {
  bool projects = false;       // Reads only the wanted columns; names one that is not there.
  bool filters = false;        // Applies a filter exactly: FilterOp may go.
  bool prunes = false;         // Uses a filter to skip data, inexactly: FilterOp stays.
  bool splits_freely = false;  // Rows are known and can be cut anywhere (memory, range): `splits`
                               // gives that many pieces, differing by at most one row.
};
using TraitsOf = std::function<ReaderTraits(const std::string& kind)>;

/// A rewrite that keeps the rows, their order and their columns. Returns true when it changed the
/// plan. Each lives in a file of its own under plan/rule_*.cc, where its exact condition stands.
///
/// A plan that fails for a column that is not there fails after the rewrite too. One error may
/// go: where a rename gives two columns one name, the other of the two is perhaps no longer read.
struct Rule {
  std::string name;
  std::function<bool(LogicalPlan&, const TraitsOf&)> apply;
};

/// The rules in their order:
///   fuse_rows            neighbouring row functions with equal options run in one worker
///   push_limit           limits sink below operators that keep rows one to one, merge, and tell
///                        the reader
///   push_filter          expression filters sink below projections, renames and the assignments
///                        whose columns they do not read, merge, and tell the reader
///   prune_columns        the reader reads only the columns that something above it needs
///   push_repartition     cuts become splits where the reader can cut freely
std::span<const Rule> Rules();

struct RewrittenPlan {
  LogicalPlan plan;
  std::vector<std::string> applied;  // Names of the rules that changed something.
};

/// Applies all rules, to the plan and to those that join it, until none changes anything (at most
/// 100 rounds).
RewrittenPlan Rewrite(LogicalPlan plan, const TraitsOf& traits);

}  // namespace penstock
