#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "penstock/plan/logical.h"
#include "penstock/plan/rules.h"

namespace penstock::testing {

using Json = nlohmann::json;

inline Json Column(const std::string& name) { return {{"column", name}}; }
inline Json Literal(Json value) { return {{"literal", std::move(value)}}; }
inline Json Call(const std::string& name, std::vector<Json> arguments) {
  return {{"call", name}, {"arguments", std::move(arguments)}};
}
inline Json Greater(const std::string& column, int64_t value) {
  return Call("greater", {Column(column), Literal(value)});
}

inline ReadOp Read(const std::string& kind = "plain") {
  ReadOp read;
  read.kind = kind;
  return read;
}

inline FunctionsOp Function(FunctionKind kind, const std::string& name, bool keeps_rows = false,
                            WorkerOptions options = {}) {
  FunctionSpec function;
  function.name = name;
  function.kind = kind;
  function.keeps_rows = keeps_rows;
  return {{function}, std::move(options)};
}

inline CombineOp Combine(CombineKind kind, const std::vector<LogicalPlan>& others) {
  CombineOp combine{.kind = kind};
  for (const LogicalPlan& other : others) {
    combine.others.push_back(std::make_shared<const LogicalPlan>(other));
  }
  return combine;
}

/// Joins names of pairs that keep their names.
inline ProjectOp Project(const std::vector<std::string>& names) {
  ProjectOp project;
  for (const std::string& name : names) project.columns.emplace_back(name, name);
  return project;
}

/// Readers of every ability, by name: "plain" has none, "all" has every one.
inline ReaderTraits Traits(const std::string& kind) {
  if (kind == "columns") return {.projects = true};
  if (kind == "exact") return {.projects = true, .filters = true};
  if (kind == "prunes") return {.projects = true, .prunes = true};
  if (kind == "cuts") return {.projects = true, .splits_freely = true};
  if (kind == "all") {
    return {.projects = true, .filters = true, .prunes = true, .splits_freely = true};
  }
  return {};
}

inline std::vector<std::string> Names(const LogicalPlan& plan) {
  std::vector<std::string> names;
  for (const LogicalOp& op : plan.ops) names.push_back(OpName(op));
  return names;
}

/// Applies one rule, once, and returns whether it says that it changed the plan.
inline bool ApplyRule(const std::string& name, LogicalPlan& plan) {
  for (const Rule& rule : Rules()) {
    if (rule.name == name) return rule.apply(plan, Traits);
  }
  ADD_FAILURE() << "no rule " << name;
  return false;
}

inline const ReadOp& ReadOf(const LogicalPlan& plan) { return std::get<ReadOp>(plan.ops[0]); }

}  // namespace penstock::testing
