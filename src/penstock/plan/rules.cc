#include "penstock/plan/rules.h"

#include <algorithm>

#include "penstock/plan/rule_list.h"

namespace penstock {

namespace {
constexpr int kRoundsMax = 100;
}  // namespace

bool OnlyColumns(const LogicalOp& op) {
  return std::holds_alternative<ProjectOp>(op) || std::holds_alternative<DropOp>(op) ||
         std::holds_alternative<RenameOp>(op);
}

bool KeepsRows(const LogicalOp& op) {
  return OnlyColumns(op) || std::holds_alternative<AssignOp>(op);
}

std::span<const Rule> Rules() {
  static const std::vector<Rule> rules = {FuseRowsRule(), PushLimitRule(), PushFilterRule(),
                                          PruneColumnsRule(), PushRepartitionRule()};
  return rules;
}

namespace {

void Note(std::vector<std::string>& applied, const std::string& rule) {
  if (std::ranges::find(applied, rule) == applied.end()) applied.push_back(rule);
}

/// Rewrites the plans that join this one; returns whether a rule changed one of them.
bool RewriteOthers(LogicalPlan& plan, const TraitsOf& traits, std::vector<std::string>& applied) {
  bool changed = false;
  for (LogicalOp& op : plan.ops) {
    auto* combine = std::get_if<CombineOp>(&op);
    if (combine == nullptr) continue;
    for (std::shared_ptr<const LogicalPlan>& other : combine->others) {
      RewrittenPlan rewritten = Rewrite(*other, traits);
      if (rewritten.applied.empty()) continue;
      changed = true;
      for (const std::string& rule : rewritten.applied) Note(applied, rule);
      other = std::make_shared<const LogicalPlan>(std::move(rewritten.plan));
    }
  }
  return changed;
}

}  // namespace

RewrittenPlan Rewrite(LogicalPlan plan, const TraitsOf& traits) {
  RewrittenPlan rewritten{std::move(plan), {}};
  bool changed = true;
  for (int round = 0; changed && round < kRoundsMax; ++round) {
    changed = false;
    for (const Rule& rule : Rules()) {
      if (!rule.apply(rewritten.plan, traits)) continue;
      changed = true;
      Note(rewritten.applied, rule.name);
    }
    changed = RewriteOthers(rewritten.plan, traits, rewritten.applied) || changed;
  }
  return rewritten;
}

}  // namespace penstock
