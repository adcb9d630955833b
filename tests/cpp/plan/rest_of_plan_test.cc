#include "penstock/plan/rest_of_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "plan/plans.h"

namespace penstock::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr MachineResources kMachine{.processors = 4};

PhysicalPlan Made(const LogicalPlan& plan) { return MakePhysicalPlan(plan, kMachine).ValueOrDie(); }

Result<RestOfPlan> Rest(const LogicalPlan& plan, int first) {
  return RestFrom(Made(plan), first, Read("letters"));
}

std::vector<std::string> StageNames(const PhysicalPlan& plan) {
  std::vector<std::string> names;
  for (const Stage& stage : plan.stages) names.push_back(stage.name);
  return names;
}

FunctionsOp Map(const std::string& name) { return Function(FunctionKind::kRow, name); }

TEST(RestOfPlan, IsTheStagesFromTheGivenOneOnBehindANewRead) {
  const RestOfPlan rest =
      Rest({{Read("csv"), Map("f"), DropOp{{"a"}}, Map("g"), WriteOp{.kind = "parquet"}}}, 1)
          .ValueOrDie();
  EXPECT_THAT(StageNames(rest.plan),
              ElementsAre("Read(letters)", "Map(f)", "Map(g)", "Write(parquet)"));
  EXPECT_THAT(rest.numbers, ElementsAre(0, 1, 2, 3));
  EXPECT_THAT(Names({rest.plan.stages[1].transforms}), ElementsAre("Drop(a)"));
}

TEST(RestOfPlan, LeavesOutWhatComesBefore) {
  const RestOfPlan rest =
      Rest({{Read("csv"), LimitOp{5}, Map("f"), Map("g"), WriteOp{.kind = "parquet"}}}, 2)
          .ValueOrDie();
  EXPECT_THAT(StageNames(rest.plan), ElementsAre("Read(letters)", "Map(g)", "Write(parquet)"));
  EXPECT_THAT(rest.numbers, ElementsAre(1, 2, 3));
  EXPECT_THAT(rest.plan.stages[1].inputs, ElementsAre(0));
}

TEST(RestOfPlan, OfOneInputOfAUnionLeavesOutTheOthers) {
  const LogicalPlan other{{Read("json"), Map("g")}};
  const LogicalPlan plan{{Read("csv"), Map("f"), Combine(CombineKind::kUnion, {other}), Map("h"),
                          WriteOp{.kind = "parquet"}}};
  const RestOfPlan first = Rest(plan, 1).ValueOrDie();
  EXPECT_THAT(StageNames(first.plan),
              ElementsAre("Read(letters)", "Map(f)", "Union", "Map(h)", "Write(parquet)"));
  EXPECT_THAT(first.numbers, ElementsAre(0, 1, 4, 5, 6));
  EXPECT_THAT(first.plan.stages[2].inputs, ElementsAre(1));
  const RestOfPlan second = Rest(plan, 3).ValueOrDie();
  EXPECT_THAT(StageNames(second.plan),
              ElementsAre("Read(letters)", "Map(g)", "Union", "Map(h)", "Write(parquet)"));
  EXPECT_THAT(second.numbers, ElementsAre(2, 3, 4, 5, 6));
}

TEST(RestOfPlan, IsRefusedWhereOtherRowsDecide) {
  const Json position = Call("greater", {{{"position", "id"}}, Literal(3)});
  const std::vector<std::pair<LogicalOp, std::string>> deciding{
      {LimitOp{7}, "limit(7)"},
      {Combine(CombineKind::kZip, {{{Read("json")}}}), "zip"},
      {SampleOp{.seed = 1, .end = 0.5}, "Sample"},
      {FilterOp{position}, "Filter"},
      {AssignOp{{{"a", position}}}, "Assign"},
  };
  for (const auto& [op, named] : deciding) {
    const Status refused = Rest({{Read("csv"), Map("f"), op, WriteOp{.kind = "csv"}}}, 1).status();
    EXPECT_TRUE(refused.IsInvalid()) << named;
    EXPECT_THAT(refused.message(), HasSubstr("depends on the other rows"));
    EXPECT_THAT(refused.message(), HasSubstr(named));
  }
}

TEST(RestOfPlan, MayDrawRowsByAValueOfTheirs) {
  EXPECT_TRUE(Rest({{Read("csv"), Map("f"), SampleOp{.seed = 1, .end = 0.5, .column = "a"},
                     WriteOp{.kind = "csv"}}},
                   1)
                  .ok());
}

}  // namespace
}  // namespace penstock::testing
