// prune_columns: a reader that projects reads only what the operators above it need.
//   - What is needed is known only below a Project. Operators below it add what they name
//     themselves (a Drop's and a Rename's columns must exist, so they are still read) and rename
//     back; an Assign needs what its expressions read, and makes what it assigns; a limit and a
//     repartition add nothing; functions may look at every column.
//   - Columns that are not there stay wanted, so that the reader names them.
//   - A reader that was told its columns keeps their order, and is left alone when one that is
//     needed is not among them: the operator that needs it then fails with the columns there are.
//   - The reader's own filter keeps its columns. It may be that no column is left: then the reader
//     yields rows without columns, which can be counted.

#include <algorithm>
#include <optional>

#include "penstock/plan/expression.h"
#include "penstock/plan/overloaded.h"
#include "penstock/plan/rule_list.h"

namespace penstock {
namespace {

using Names = std::vector<std::string>;

bool Contains(const Names& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

void Add(Names& names, const std::string& name) {
  if (!Contains(names, name)) names.push_back(name);
}

void Add(Names& names, const Names& added) {
  for (const std::string& name : added) Add(names, name);
}

Names NeededByProject(const ProjectOp& project) {
  Names needed;
  for (const auto& pair : project.columns) Add(needed, pair.first);
  return needed;
}

Names NeededBelowRename(const RenameOp& rename, const Names& needed) {
  Names below;
  for (const std::string& name : needed) {
    const auto pair = std::find_if(rename.columns.begin(), rename.columns.end(),
                                   [&](const auto& candidate) { return candidate.second == name; });
    Add(below, pair != rename.columns.end() ? pair->first : name);
  }
  for (const auto& pair : rename.columns) Add(below, pair.first);
  return below;
}

Names NeededBelowAssign(const AssignOp& assign, const Names& needed) {
  Names below;
  for (const std::string& name : needed) {
    const bool assigned = std::any_of(assign.columns.begin(), assign.columns.end(),
                                      [&](const auto& pair) { return pair.first == name; });
    if (!assigned) below.push_back(name);
  }
  for (const auto& pair : assign.columns) Add(below, ColumnsOf(pair.second));
  return below;
}

/// Turns the columns that are needed above an operator into those needed below it; nullopt means
/// all.
std::optional<Names> NeededBelow(const LogicalOp& op, std::optional<Names> needed) {
  if (const auto* project = std::get_if<ProjectOp>(&op)) return NeededByProject(*project);
  if (!needed) return std::nullopt;
  return std::visit(Overloaded{
                        [&](const DropOp& drop) -> std::optional<Names> {
                          Add(*needed, drop.columns);
                          return needed;
                        },
                        [&](const RenameOp& rename) -> std::optional<Names> {
                          return NeededBelowRename(rename, *needed);
                        },
                        [&](const AssignOp& assign) -> std::optional<Names> {
                          return NeededBelowAssign(assign, *needed);
                        },
                        [&](const FilterOp& filter) -> std::optional<Names> {
                          Add(*needed, ColumnsOf(filter.expression));
                          return needed;
                        },
                        [&](const SampleOp& sample) -> std::optional<Names> {
                          if (sample.column) Add(*needed, *sample.column);
                          return needed;
                        },
                        [&](const LimitOp&) { return needed; },
                        [&](const RepartitionOp&) { return needed; },
                        [](const auto&) -> std::optional<Names> { return std::nullopt; },
                    },
                    op);
}

/// Keeps the order of the columns that the reader was told; nullopt when it was not told of all.
std::optional<Names> InToldOrder(const Names& told, const Names& needed) {
  Names ordered;
  for (const std::string& name : told) {
    if (Contains(needed, name)) ordered.push_back(name);
  }
  if (ordered.size() != needed.size()) return std::nullopt;
  return ordered;
}

bool PruneColumns(LogicalPlan& plan, const TraitsOf& traits_of) {
  auto* read = plan.ops.empty() ? nullptr : std::get_if<ReadOp>(&plan.ops[0]);
  if (read == nullptr || !traits_of(read->kind).projects) return false;
  std::optional<Names> needed;
  for (size_t i = plan.ops.size(); --i > 0;) needed = NeededBelow(plan.ops[i], std::move(needed));
  if (!needed) return false;
  if (read->filter) Add(*needed, ColumnsOf(*read->filter));
  if (read->columns) needed = InToldOrder(*read->columns, *needed);
  if (!needed || read->columns == needed) return false;
  read->columns = std::move(needed);
  return true;
}

}  // namespace

Rule PruneColumnsRule() { return {"prune_columns", PruneColumns}; }

}  // namespace penstock
