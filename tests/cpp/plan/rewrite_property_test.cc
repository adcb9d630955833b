#include <fmt/format.h>
#include <gtest/gtest.h>

#include <array>
#include <random>

#include "penstock/plan/expression.h"
#include "plan/interpreter.h"
#include "plan/plans.h"

namespace penstock::testing {
namespace {

constexpr int kPlans = 5000;

/// Draws plans that mostly run: it follows which columns there are, and now and then names one
/// that is not.
class PlanMaker {
 public:
  explicit PlanMaker(uint32_t seed) : random_(seed) {}

  Table MakeTable() {
    Table table{{"a", "b", "c"}, {{}}};
    const int rows = Draw(12);
    for (int i = 0; i < rows; ++i) {
      Row row;
      for (int column = 0; column < 3; ++column) {
        row.push_back(Draw(6) == 0 ? Value() : Value(Draw(10)));
      }
      table.blocks[0].push_back(std::move(row));
    }
    return table;
  }

  LogicalPlan MakePlan() {
    LogicalPlan plan = MakeChain(8);
    if (Draw(3) == 0) {
      plan.ops.push_back(MakeCombine(plan));
      AddOps(plan, 5);
    }
    return plan;
  }

 private:
  LogicalPlan MakeChain(size_t ops_max) {
    static constexpr std::array kKinds{"plain", "columns", "exact", "prunes", "cuts", "all"};
    columns_ = {"a", "b", "c"};
    LogicalPlan plan{{Read(kKinds[static_cast<size_t>(Draw(kKinds.size()))])}};
    AddOps(plan, ops_max);
    return plan;
  }

  void AddOps(LogicalPlan& plan, size_t ops_max) {
    for (int left = Draw(ops_max); left > 0; --left) plan.ops.push_back(MakeOp());
  }

  /// A zip is with the plan itself, so that the rows are equally many.
  CombineOp MakeCombine(const LogicalPlan& plan) {
    if (Draw(3) == 0) {
      return {.kind = CombineKind::kZip, .others = {std::make_shared<const LogicalPlan>(plan)}};
    }
    CombineOp combine;
    std::vector<std::string> columns = columns_;
    for (int left = 1 + Draw(2); left > 0; --left) {
      combine.others.push_back(std::make_shared<const LogicalPlan>(MakeChain(4)));
      for (const std::string& name : columns_) {
        if (std::ranges::find(columns, name) == columns.end()) columns.push_back(name);
      }
    }
    columns_ = std::move(columns);
    return combine;
  }

  int Draw(size_t count) {
    return std::uniform_int_distribution<int>(0, static_cast<int>(count) - 1)(random_);
  }

  std::string AnyColumn() {
    if (columns_.empty() || Draw(40) == 0) return "missing";
    return columns_[static_cast<size_t>(Draw(columns_.size()))];
  }

  LogicalOp MakeOp() {
    switch (Draw(11)) {
      case 0:
        return MakeProject();
      case 1: {
        const std::string name = AnyColumn();
        std::erase(columns_, name);
        return DropOp{{name}};
      }
      case 2:
        return MakeRename();
      case 3:
      case 4:
        return FilterOp{MakeExpression()};
      case 5:
      case 6:
        return LimitOp{Draw(10)};
      case 10:
        return MakeAssign();
      case 7:
        return Draw(2) == 0 ? RepartitionOp{1 + Draw(5), {}} : RepartitionOp{{}, 1 + Draw(5)};
      default:
        return MakeFunction();
    }
  }

  ProjectOp MakeProject() {
    ProjectOp project;
    std::vector<std::string> names;
    for (int i = Draw(4); i >= 0; --i) {
      names.push_back(Draw(2) == 0 ? NewName() : AnyColumn());
      const bool twice = std::count(names.begin(), names.end(), names.back()) > 1;
      if (twice) names.back() = NewName();
      project.columns.emplace_back(AnyColumn(), names.back());
    }
    columns_ = std::move(names);
    return project;
  }

  AssignOp MakeAssign() {
    AssignOp assign;
    for (int i = Draw(2); i >= 0; --i) {
      assign.columns.emplace_back(Draw(2) == 0 ? NewName() : AnyColumn(), MakeExpression());
    }
    if (assign.columns.front().first == assign.columns.back().first) assign.columns.resize(1);
    for (const auto& [name, expression] : assign.columns) {
      if (std::count(columns_.begin(), columns_.end(), name) == 0) columns_.push_back(name);
    }
    return assign;
  }

  RenameOp MakeRename() {
    if (columns_.size() >= 2 && Draw(2) == 0) {
      return RenameOp{{{columns_[0], columns_[1]}, {columns_[1], columns_[0]}}};
    }
    const std::string from = AnyColumn();
    const std::string to = NewName();
    std::replace(columns_.begin(), columns_.end(), from, to);
    return RenameOp{{{from, to}}};
  }

  FunctionsOp MakeFunction() {
    switch (Draw(6)) {
      case 0:
        return Function(FunctionKind::kRow, "add");
      case 1:
        columns_.push_back("sum" + std::to_string(columns_.size()));
        return Function(FunctionKind::kRow, "sum");
      case 2:
        return Function(FunctionKind::kFlatRow, "twice");
      case 3:
        return Function(FunctionKind::kFilterRow, "odd");
      case 4:
        return Function(FunctionKind::kBatches, "negate", /*keeps_rows=*/true);
      default:
        return Function(FunctionKind::kBatches, "behead");
    }
  }

  Json MakeExpression() {
    switch (Draw(4)) {
      case 0:
        return Call("less", {Column(AnyColumn()), Column(AnyColumn())});
      case 1:
        return BothOf(MakeExpression(), Greater(AnyColumn(), Draw(6)));
      case 2:
        return Call("is_null", {Call("add", {Column(AnyColumn()), Column(AnyColumn())})});
      default:
        return Greater(AnyColumn(), Draw(10));
    }
  }

  std::string NewName() { return fmt::format("n{}", names_made_++); }

  std::mt19937 random_;
  std::vector<std::string> columns_;
  int names_made_ = 0;
};

void ExpectSameRows(const Result<Table>& before, const Result<Table>& after,
                    const std::string& where) {
  ASSERT_EQ(before.ok(), after.ok()) << where << before.status() << after.status();
  if (!before.ok()) return;
  ASSERT_EQ(before->columns, after->columns) << where;
  ASSERT_EQ(before->rows(), after->rows()) << where;
}

TEST(RewriteProperty, KeepsRowsOrderAndColumnsOfAnyPlan) {
  int failing = 0;
  int rewritten_plans = 0;
  for (uint32_t seed = 0; seed < kPlans && !HasFatalFailure(); ++seed) {
    PlanMaker maker(seed);
    const Table input = maker.MakeTable();
    const LogicalPlan plan = maker.MakePlan();
    const Result<Table> before = Interpret(plan, input, Traits);
    failing += before.ok() ? 0 : 1;

    const RewrittenPlan rewritten = Rewrite(plan, Traits);
    rewritten_plans += rewritten.applied.empty() ? 0 : 1;
    const std::string where = "seed " + std::to_string(seed) + "\n" + PlanText(plan) + "\n->\n" +
                              PlanText(rewritten.plan) + "\n";
    ExpectSameRows(before, Interpret(rewritten.plan, input, Traits), where);
    ASSERT_TRUE(Rewrite(rewritten.plan, Traits).applied.empty()) << "not at rest: " << where;

    const auto stages = MakePhysicalPlan(rewritten.plan, {.processors = 2});
    ASSERT_TRUE(stages.ok()) << where << stages.status();
    ExpectSameRows(before, Interpret(*stages, input, Traits), where);
  }
  EXPECT_GT(rewritten_plans, kPlans / 2) << "the plans drawn give the rules too little to do";
  EXPECT_LT(failing, kPlans / 2) << "too many of the plans drawn fail";
}

}  // namespace
}  // namespace penstock::testing
