#include "penstock/plan/memory_reads.h"

#include <arrow/api.h>
#include <gtest/gtest.h>

namespace penstock {
namespace {

std::shared_ptr<arrow::RecordBatch> EmptyBatch() {
  return arrow::RecordBatch::MakeEmpty(arrow::schema({arrow::field("a", arrow::int64())}))
      .ValueOrDie();
}

LogicalPlan MemoryPlan() {
  ReadOp read{.kind = "memory"};
  read.batches = {EmptyBatch()};
  return LogicalPlan{{std::move(read)}};
}

LogicalPlan UnionPlan() {
  LogicalPlan plan{{ReadOp{.kind = "range"}}};
  plan.ops.push_back(CombineOp{.others = {std::make_shared<const LogicalPlan>(MemoryPlan())}});
  return plan;
}

TEST(MemoryReadsTest, AreTakenOutOfAPlanAndPutBack) {
  LogicalPlan plan = UnionPlan();
  std::vector<MemoryBatches> memory = TakeMemory(&plan);
  ASSERT_EQ(memory.size(), 1);
  EXPECT_EQ(memory[0].size(), 1);
  EXPECT_TRUE(PlanToJson(plan).ok());
  ASSERT_TRUE(GiveMemory(std::move(memory), &plan).ok());
  const auto& combine = std::get<CombineOp>(plan.ops[1]);
  EXPECT_EQ(std::get<ReadOp>(combine.others[0]->ops[0]).batches.size(), 1);
}

TEST(MemoryReadsTest, LeaveThePlansThatOthersShareAsTheyAre) {
  const LogicalPlan plan = UnionPlan();
  LogicalPlan copy = plan;
  TakeMemory(&copy);
  const auto& combine = std::get<CombineOp>(plan.ops[1]);
  EXPECT_EQ(std::get<ReadOp>(combine.others[0]->ops[0]).batches.size(), 1);
}

TEST(MemoryReadsTest, MustBePutBackWhereTheyCameFrom) {
  LogicalPlan plan = MemoryPlan();
  TakeMemory(&plan);
  EXPECT_TRUE(GiveMemory({}, &plan).IsInvalid());
}

}  // namespace
}  // namespace penstock
