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

std::span<const Rule> Rules() {
  static const std::vector<Rule> rules = {FuseRowsRule(), PushLimitRule(), PushFilterRule(),
                                          PruneColumnsRule(), PushRepartitionRule()};
  return rules;
}

RewrittenPlan Rewrite(LogicalPlan plan, const TraitsOf& traits) {
  RewrittenPlan rewritten{std::move(plan), {}};
  std::vector<std::string>& applied = rewritten.applied;
  bool changed = true;
  for (int round = 0; changed && round < kRoundsMax; ++round) {
    changed = false;
    for (const Rule& rule : Rules()) {
      if (!rule.apply(rewritten.plan, traits)) continue;
      changed = true;
      if (std::find(applied.begin(), applied.end(), rule.name) == applied.end()) {
        applied.push_back(rule.name);
      }
    }
  }
  return rewritten;
}

}  // namespace penstock
