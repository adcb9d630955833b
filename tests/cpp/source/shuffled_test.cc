#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "source/source_testing.h"

namespace penstock::testing {
namespace {

ReadOp RangeOf(int64_t count, int64_t splits, std::optional<int64_t> order_seed) {
  ReadOp read{.kind = "range", .options = {{"count", count}}};
  read.splits = splits;
  read.order_seed = order_seed;
  return read;
}

std::vector<std::string> NamesOf(const std::vector<Split>& splits) {
  std::vector<std::string> names;
  for (const Split& split : splits) names.push_back(split.name);
  return names;
}

std::vector<Split> SplitsOf(const ReadOp& read, int64_t count_max = 1000) {
  const auto source = MakeSource(read, ReadLimits{}, 2).ValueOrDie();
  return AllSplits(*source, count_max).ValueOrDie();
}

TEST(Shuffled, PermutesSplitsAndNumbersThemAnew) {
  const auto shuffled = SplitsOf(RangeOf(1000, 50, 7));
  EXPECT_THAT(NamesOf(shuffled),
              ::testing::UnorderedElementsAreArray(NamesOf(SplitsOf(RangeOf(1000, 50, {})))));
  EXPECT_NE(NamesOf(shuffled), NamesOf(SplitsOf(RangeOf(1000, 50, {}))));
  for (size_t i = 0; i < shuffled.size(); ++i) {
    EXPECT_EQ(shuffled[i].index, static_cast<int64_t>(i));
  }
}

TEST(Shuffled, OrderFollowsFromTheSeedAlone) {
  EXPECT_EQ(NamesOf(SplitsOf(RangeOf(1000, 50, 7))), NamesOf(SplitsOf(RangeOf(1000, 50, 7), 3)));
  EXPECT_NE(NamesOf(SplitsOf(RangeOf(1000, 50, 7))), NamesOf(SplitsOf(RangeOf(1000, 50, 8))));
}

TEST(Shuffled, ReadsEveryRowOnce) {
  const auto table = ReadAll(RangeOf(1000, 50, 7)).ValueOrDie();
  std::set<int64_t> seen;
  for (const auto& chunk : table->column(0)->chunks()) {
    const auto& ids = dynamic_cast<const arrow::Int64Array&>(*chunk);
    for (int64_t i = 0; i < ids.length(); ++i) seen.insert(ids.Value(i));
  }
  EXPECT_EQ(table->num_rows(), 1000);
  EXPECT_EQ(seen.size(), 1000);
}

TEST(Shuffled, DoesNotTakeALimitForTheFirstRowsOfTheInput) {
  ReadOp read = RangeOf(1000, 50, 7);
  read.row_limit = 10;
  EXPECT_EQ(SplitsOf(read).size(), 50);
}

}  // namespace
}  // namespace penstock::testing
