// push_filter: a FilterOp
//   - sinks below Project, Drop and Rename when every column that it reads is there below them;
//     its columns are renamed back. A filter on a column that they take away stays, and fails;
//   - sinks below Assign when it reads none of the columns that are assigned, and none of them
//     follows from the rows' positions: a reader that skips data counts them anew;
//   - never sinks below a function, a limit, a sample, a repartition or a union: inputs may lack
//     its columns, or have other types of them;
//   - merges with a FilterOp below it: and_kleene(lower, upper). The filter's transform lets the
//     upper part fail only for rows that the lower part keeps, as before;
//   - just above the reader, tells it: where the reader filters exactly, the FilterOp goes; where
//   it
//     only skips data, the FilterOp stays. Neither when the reader has a row limit, which it may
//     apply before the filter, or was told to read columns without those that the filter needs.

#include <algorithm>
#include <optional>

#include "penstock/plan/expression.h"
#include "penstock/plan/expression_positions.h"
#include "penstock/plan/rule_list.h"

namespace penstock {
namespace {

using Json = nlohmann::json;
using Pairs = std::vector<std::pair<std::string, std::string>>;

template <typename Values, typename Value>
bool Contains(const Values& values, const Value& value) {
  return std::find(values.begin(), values.end(), value) != values.end();
}

/// Returns the name below the operator of a column above it; nullopt when there is none.
std::optional<std::string> NameBelow(const LogicalOp& op, const std::string& name) {
  if (const auto* drop = std::get_if<DropOp>(&op)) {
    if (Contains(drop->columns, name)) return std::nullopt;
    return name;
  }
  const auto* project = std::get_if<ProjectOp>(&op);
  const auto* rename = std::get_if<RenameOp>(&op);
  const Pairs& pairs = project != nullptr ? project->columns : rename->columns;
  for (const auto& [from, to] : pairs) {
    if (to == name) return from;
  }
  const bool renamed_away =
      std::any_of(pairs.begin(), pairs.end(), [&](const auto& pair) { return pair.first == name; });
  if (project != nullptr || renamed_away) return std::nullopt;
  return name;
}

std::optional<Json> FilterBelowAssign(const AssignOp& assign, const Json& expression) {
  if (ReadsPositionsIn(assign)) return std::nullopt;
  const std::vector<std::string> read = ColumnsOf(expression);
  const bool apart = std::none_of(assign.columns.begin(), assign.columns.end(),
                                  [&](const auto& pair) { return Contains(read, pair.first); });
  if (!apart) return std::nullopt;
  return expression;
}

/// Returns the filter as it reads below the operator; nullopt when it must stay above.
std::optional<Json> FilterBelow(const LogicalOp& op, const Json& expression) {
  if (const auto* assign = std::get_if<AssignOp>(&op))
    return FilterBelowAssign(*assign, expression);
  if (!OnlyColumns(op)) return std::nullopt;
  Pairs renames;
  for (const std::string& column : ColumnsOf(expression)) {
    const std::optional<std::string> below = NameBelow(op, column);
    if (!below) return std::nullopt;
    renames.emplace_back(column, *below);
  }
  return RenameColumns(expression, renames);
}

/// Returns the filter that has all parts of both, each once.
Json Joined(const std::optional<Json>& known, const Json& added) {
  if (!known) return added;
  Json joined = *known;
  const std::vector<Json> parts = ConjunctsOf(*known);
  for (const Json& part : ConjunctsOf(added)) {
    if (!Contains(parts, part)) joined = BothOf(joined, part);
  }
  return joined;
}

bool ReadsColumns(const ReadOp& read, const Json& expression) {
  if (!read.columns) return true;
  const std::vector<std::string> wanted = ColumnsOf(expression);
  return std::all_of(wanted.begin(), wanted.end(),
                     [&](const std::string& name) { return Contains(*read.columns, name); });
}

bool TellReader(LogicalPlan& plan, const TraitsOf& traits_of) {
  auto* read = std::get_if<ReadOp>(&plan.ops[0]);
  const Json& expression = std::get<FilterOp>(plan.ops[1]).expression;
  if (read == nullptr || read->row_limit || !ReadsColumns(*read, expression)) return false;
  const ReaderTraits traits = traits_of(read->kind);
  if (!traits.filters && !traits.prunes) return false;
  Json joined = Joined(read->filter, expression);
  const bool changed = !read->filter || *read->filter != joined;
  read->filter = std::move(joined);
  if (!traits.filters) return changed;
  plan.ops.erase(plan.ops.begin() + 1);
  return true;
}

bool PushFilter(LogicalPlan& plan, const TraitsOf& traits) {
  bool changed = false;
  for (size_t i = 1; i < plan.ops.size();) {
    auto* filter = std::get_if<FilterOp>(&plan.ops[i]);
    if (filter == nullptr) {
      ++i;
    } else if (auto* below = std::get_if<FilterOp>(&plan.ops[i - 1])) {
      below->expression = BothOf(below->expression, filter->expression);
      plan.ops.erase(plan.ops.begin() + static_cast<ptrdiff_t>(i));
      changed = true;
      --i;
    } else if (auto sunk = FilterBelow(plan.ops[i - 1], filter->expression)) {
      filter->expression = *std::move(sunk);
      std::swap(plan.ops[i - 1], plan.ops[i]);
      changed = true;
      --i;
    } else {
      if (i == 1) changed |= TellReader(plan, traits);
      ++i;
    }
  }
  return changed;
}

}  // namespace

Rule PushFilterRule() { return {"push_filter", PushFilter}; }

}  // namespace penstock
