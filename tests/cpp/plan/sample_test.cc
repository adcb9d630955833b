#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "penstock/plan/logical.h"
#include "penstock/plan/physical.h"
#include "penstock/plan/rules.h"

namespace penstock {
namespace {

using ::testing::HasSubstr;

LogicalPlan PlanOf(std::vector<LogicalOp> above) {
  LogicalPlan plan;
  plan.ops.emplace_back(ReadOp{.kind = "parquet"});
  for (LogicalOp& op : above) plan.ops.push_back(std::move(op));
  return plan;
}

ReaderTraits Traits(const std::string& /*kind*/) { return {.projects = true, .prunes = true}; }

TEST(SamplePlan, SurvivesSerialising) {
  LogicalPlan plan = PlanOf({SampleOp{.seed = -3, .begin = 0.25, .end = 0.5, .column = "k"}});
  std::get<ReadOp>(plan.ops[0]).order_seed = 12;
  const auto json = PlanToJson(plan);
  ASSERT_TRUE(json.ok()) << json.status();
  const auto read = PlanFromJson(*json);
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(PlanText(*read), PlanText(plan));
  EXPECT_THAT(PlanText(plan), HasSubstr("Sample(0.25 to 0.5, seed=-3, by k)"));
  EXPECT_THAT(PlanText(plan), HasSubstr("order_seed=12"));
}

TEST(SamplePlan, RefusesAnIntervalOutsideOfTheUnit) {
  for (const auto& [begin, end] : {std::pair{-0.1, 0.5}, {0.0, 1.5}, {0.6, 0.5}}) {
    EXPECT_TRUE(ValidatePlan(PlanOf({SampleOp{.begin = begin, .end = end}})).IsInvalid());
  }
}

TEST(SamplePlan, LetsNeitherLimitNorFilterPass) {
  const nlohmann::json filter = {{"call", "is_valid"}, {"arguments", {{{"column", "a"}}}}};
  for (const LogicalOp& op : {LogicalOp(LimitOp{5}), LogicalOp(FilterOp{filter})}) {
    const auto rewritten = Rewrite(PlanOf({SampleOp{.end = 0.5}, op}), Traits);
    EXPECT_TRUE(std::holds_alternative<SampleOp>(rewritten.plan.ops[1]));
    EXPECT_FALSE(std::get<ReadOp>(rewritten.plan.ops[0]).row_limit);
    EXPECT_FALSE(std::get<ReadOp>(rewritten.plan.ops[0]).filter);
  }
}

TEST(SamplePlan, ReadsItsOwnColumnToo) {
  const auto rewritten =
      Rewrite(PlanOf({SampleOp{.end = 0.5, .column = "k"}, ProjectOp{{{"a", "a"}}}}), Traits);
  EXPECT_THAT(*std::get<ReadOp>(rewritten.plan.ops[0]).columns,
              ::testing::UnorderedElementsAre("a", "k"));
}

TEST(SamplePlan, DoesNotSeeRowsBeyondALimitBelow) {
  const auto physical = MakePhysicalPlan(PlanOf({LimitOp{5}, SampleOp{.end = 0.5}}), {});
  ASSERT_TRUE(physical.ok()) << physical.status();
  EXPECT_TRUE(physical->stages[0].transforms.empty());
  EXPECT_EQ(physical->stages[1].transforms.size(), 1);
}

}  // namespace
}  // namespace penstock
