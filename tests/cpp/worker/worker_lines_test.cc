#include "penstock/worker/worker_lines.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace penstock {
namespace {

TEST(WorkerLinesTest, KeepsTheOrderAndGivesEachLineOnce) {
  WorkerLines lines;
  lines.Add(StandardStream::kOutput, "one");
  lines.Add(StandardStream::kErrors, "two");
  const auto taken = lines.TakeAll();
  ASSERT_EQ(taken.size(), 2);
  EXPECT_EQ(taken[0].text, "one");
  EXPECT_EQ(taken[1].text, "two");
  EXPECT_EQ(taken[1].stream, StandardStream::kErrors);
  EXPECT_TRUE(lines.TakeAll().empty());
}

TEST(WorkerLinesTest, LeavesOutAndCountsWhatFindsNoRoom) {
  WorkerLines lines;
  for (int64_t i = 0; i < kWaitingLinesMax + 1'234; ++i) lines.Add(StandardStream::kOutput, "x");
  const auto taken = lines.TakeAll();
  EXPECT_EQ(taken.size(), kWaitingLinesMax + 1);
  EXPECT_EQ(taken.back().text, "(workers) … 1,234 lines left out: the job's caller was busy");
  lines.Add(StandardStream::kOutput, "again");
  EXPECT_EQ(lines.TakeAll().size(), 1);
}

TEST(WorkerLinesTest, HoldsNoMoreBytesThanItsLimit) {
  WorkerLines lines;
  const std::string long_line(1 << 20, 'x');
  for (int i = 0; i < 9; ++i) lines.Add(StandardStream::kOutput, long_line);
  EXPECT_EQ(lines.TakeAll().size(), kWaitingLineBytesMax / (1 << 20) + 1);
}

TEST(WorkerLinesTest, CountsInThousands) {
  EXPECT_EQ(LeftOutText(1), "… 1 line left out");
  EXPECT_EQ(LeftOutText(999), "… 999 lines left out");
  EXPECT_EQ(LeftOutText(1'234'567), "… 1,234,567 lines left out");
}

}  // namespace
}  // namespace penstock
