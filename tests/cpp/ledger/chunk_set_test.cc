#include "penstock/ledger/chunk_set.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <set>

namespace penstock {
namespace {

using ::testing::ElementsAre;

TEST(ChunkSet, JoinsRangesThatTouchOrOverlap) {
  ChunkSet set;
  set.Add({0, 1});
  set.Add({4, 5});
  set.Add({2, 2});
  EXPECT_THAT(set.Ranges(), ElementsAre(ChunkRange{0, 2}, ChunkRange{4, 5}));
  set.Add({1, 9});
  EXPECT_THAT(set.Ranges(), ElementsAre(ChunkRange{0, 9}));
  EXPECT_EQ(set.size(), 10);
}

TEST(ChunkSet, IsMadeAgainOfItsRanges) {
  const ChunkSet set({{7, 9}, {1, 3}, {4, 4}});
  EXPECT_EQ(ChunkSet(set.Ranges()), set);
}

TEST(ChunkSet, HoldsWhatASetOfNumbersHolds) {
  std::mt19937 random(11);
  for (int round = 0; round < 200; ++round) {
    ChunkSet set;
    std::set<int64_t> numbers;
    for (int i = 0; i < 12; ++i) {
      const int64_t first = random() % 40;
      const int64_t last = first + static_cast<int64_t>(random() % 5);
      set.Add({first, last});
      for (int64_t number = first; number <= last; ++number) numbers.insert(number);
    }
    EXPECT_EQ(set.size(), static_cast<int64_t>(numbers.size()));
    for (int64_t number = -1; number < 50; ++number) {
      EXPECT_EQ(set.Contains(number), numbers.contains(number)) << number;
    }
    const std::vector<ChunkRange> ranges = set.Ranges();
    for (size_t i = 1; i < ranges.size(); ++i) EXPECT_GT(ranges[i].first, ranges[i - 1].last + 1);
  }
}

}  // namespace
}  // namespace penstock
