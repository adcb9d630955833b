#include "penstock/op/take.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "op/blocks.h"

namespace penstock::testing {
namespace {

TEST(Take, GathersRowsOfAllPieces) {
  const Block first = MakeBlock(R"([[1, 0, "x"], [2, 5, "y"]])");
  const Block second = MakeBlock(R"([[3, 2, null]])");
  const std::vector<Piece> pieces{{first, 0, 2}, {second, 0, 1}};
  const std::vector<int64_t> rows{2, 0, 0};
  const auto taken = TakeRows(pieces, rows);
  ASSERT_TRUE(taken.ok()) << taken.status();
  EXPECT_EQ(ColumnText(*taken, "a"), "3 1 1");
  EXPECT_EQ(ColumnText(*taken, "s"), "null x x");
}

TEST(Take, NamesTheRowsThatItGathered) {
  Block block = MakeBlock(R"([[1, 0, "x"], [2, 5, "y"], [3, 2, null]])");
  block.lineage = Lineage({.split = 7, .first_row = 10, .rows = 3});
  const std::vector<Piece> pieces{{block, 0, 3}};
  const auto taken = TakeRows(pieces, std::vector<int64_t>{2, 0, 1});
  ASSERT_TRUE(taken.ok()) << taken.status();
  EXPECT_TRUE(taken->lineage.exact());
  EXPECT_THAT(taken->lineage.ranges(),
              ::testing::ElementsAre(RowRange{7, 12, 1}, RowRange{7, 10, 2}));
}

TEST(Take, RefusesRowsThatAreNotThere) {
  const std::vector<Piece> pieces{{MakeBlock(R"([[1, 0, "x"]])"), 0, 1}};
  for (const int64_t row : {int64_t{-1}, int64_t{1}}) {
    EXPECT_TRUE(TakeRows(pieces, std::vector<int64_t>{row}).status().IsIndexError());
  }
}

TEST(Take, CountsRowsWithoutColumns) {
  Block block;
  block.batch = arrow::RecordBatch::Make(arrow::schema({}), 5, arrow::ArrayVector{});
  const std::vector<Piece> pieces{{block, 0, 5}};
  EXPECT_EQ(TakeRows(pieces, std::vector<int64_t>{4, 0})->rows(), 2);
}

}  // namespace
}  // namespace penstock::testing
