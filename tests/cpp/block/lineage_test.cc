#include "penstock/block/lineage.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

namespace penstock {
namespace {

using testing::ElementsAre;

/// Names every row: the property that all of lineage's work must keep.
std::vector<std::pair<int64_t, int64_t>> Rows(const Lineage& lineage) {
  std::vector<std::pair<int64_t, int64_t>> rows;
  for (const RowRange& range : lineage.ranges()) {
    for (int64_t i = 0; i < range.rows; ++i) rows.emplace_back(range.split, range.first_row + i);
  }
  return rows;
}

Lineage RandomLineage(std::mt19937& random) {
  Lineage lineage;
  for (int i = 0; i < 6; ++i) {
    lineage.Append({static_cast<int64_t>(random() % 3), static_cast<int64_t>(random() % 5),
                    static_cast<int64_t>(random() % 4)});
  }
  return lineage;
}

TEST(LineageTest, JoinsRangesThatTouch) {
  Lineage lineage({1, 0, 10});
  lineage.Append({1, 10, 5});
  lineage.Append({2, 15, 5});
  lineage.Append({2, 21, 1});
  EXPECT_THAT(lineage.ranges(),
              ElementsAre(RowRange{1, 0, 15}, RowRange{2, 15, 5}, RowRange{2, 21, 1}));
  EXPECT_EQ(lineage.rows(), 21);
}

TEST(LineageTest, LeavesOutRangesWithoutRows) {
  Lineage lineage({1, 5, 0});
  EXPECT_TRUE(lineage.ranges().empty());
  EXPECT_EQ(lineage.rows(), 0);
}

TEST(LineageTest, SlicesAcrossRanges) {
  Lineage lineage({1, 100, 3});
  lineage.Append({2, 0, 3});
  EXPECT_THAT(lineage.Slice(2, 2).ranges(), ElementsAre(RowRange{1, 102, 1}, RowRange{2, 0, 1}));
  EXPECT_EQ(lineage.Slice(0, 6), lineage);
  EXPECT_EQ(lineage.Slice(3, 0), Lineage());
}

TEST(LineageTest, NamesTheSameRowsHoweverItIsCutAndJoined) {
  std::mt19937 random(7);
  for (int round = 0; round < 500; ++round) {
    const Lineage whole = RandomLineage(random);
    const auto rows = Rows(whole);
    const auto size = static_cast<int64_t>(rows.size());
    const int64_t first = static_cast<int64_t>(random()) % (size + 1);
    const int64_t count = static_cast<int64_t>(random()) % (size - first + 1);
    EXPECT_EQ(Rows(whole.Slice(first, count)),
              std::vector(rows.begin() + first, rows.begin() + first + count));
    Lineage joined = whole.Slice(0, first);
    joined.Append(whole.Slice(first, size - first));
    EXPECT_EQ(joined, whole);
  }
}

TEST(LineageTest, AppendsItself) {
  Lineage lineage({1, 0, 2});
  lineage.Append({3, 0, 2});
  lineage.Append(lineage);
  EXPECT_EQ(lineage.ranges().size(), 4U);
}

TEST(LineageTest, BecomesInexactThroughWhatIsAppended) {
  Lineage inexact({1, 0, 4});
  inexact.MarkInexact();
  Lineage lineage({0, 0, 4});
  lineage.Append(inexact);
  EXPECT_FALSE(lineage.exact());
  EXPECT_TRUE(Lineage().exact());
}

TEST(LineageTest, StaysTheSameWhenInexactPiecesAreJoinedAgain) {
  Lineage inexact({1, 0, 4});
  inexact.MarkInexact();
  EXPECT_EQ(inexact.Slice(100, 7), inexact);
  Lineage joined;
  for (int i = 0; i < 10; ++i) joined.Append(inexact.Slice(i, 1));
  EXPECT_EQ(joined, inexact);
}

TEST(LineageTest, KeepsRepeatedRowsApartWhileExact) {
  Lineage lineage({1, 0, 4});
  lineage.Append({1, 0, 4});
  EXPECT_EQ(lineage.rows(), 8);
}

TEST(LineageTest, KnowsNothingOfSlicesWhenItIsEmpty) {
  EXPECT_EQ(Lineage().Slice(3, 5), Lineage());
}

TEST(LineageDeathTest, AbortsOnRowsThatAreNotThere) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(Lineage({1, 0, 4}).Slice(2, 3), "broken invariant");
}

}  // namespace
}  // namespace penstock
