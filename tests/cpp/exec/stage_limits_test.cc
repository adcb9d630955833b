#include "penstock/exec/stage_limits.h"

#include <gtest/gtest.h>

namespace penstock {
namespace {

int ReadSlots(std::optional<int64_t> splits_at_once) {
  PhysicalPlan plan;
  plan.stages.push_back({.name = "Read",
                         .kind = StageKind::kRead,
                         .read = ReadOp{.kind = "range", .splits_at_once = splits_at_once}});
  plan.stages.push_back({.name = "Collect", .kind = StageKind::kCollect, .inputs = {0}});
  const std::vector<std::unique_ptr<Source>> sources(2);
  const auto limits = LimitsOf(plan, sources, nullptr, /*commits_chunks=*/false, ReadLimits{},
                               DispatcherLimits{.native_threads = 8});
  EXPECT_TRUE(limits.ok()) << limits.status().ToString();
  return limits->front().slots;
}

TEST(StageLimitsTest, NoMoreSplitsAreReadAtOnceThanAskedForOrThanThereAreThreads) {
  EXPECT_EQ(ReadSlots(std::nullopt), 8);
  EXPECT_EQ(ReadSlots(3), 3);
  EXPECT_EQ(ReadSlots(100), 8);
}

}  // namespace
}  // namespace penstock
