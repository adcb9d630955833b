#include "penstock/block/block.h"

#include <gtest/gtest.h>

#include "block/batches.h"

namespace penstock {
namespace {

TEST(BlockTest, CountsFixedWidthBytesForItsRowsAlone) {
  const auto batch = Batch({{"x", Int64s(100)}});
  EXPECT_EQ(BlockBytes(*batch), 800);
  EXPECT_EQ(BlockBytes(*batch->Slice(10, 3)), 24);
}

TEST(BlockTest, CountsTextOfItsRowsAlone) {
  const auto batch = Batch({{"x", Json(arrow::utf8(), R"(["aaaa", "b", "cc", "dddddd"])")}});
  EXPECT_EQ(BlockBytes(*batch->Slice(1, 2)), 3 + 3 * 4);
}

TEST(BlockTest, CountsValidityBits) {
  const auto batch = Batch({{"x", Json(arrow::int8(), "[1, null, 3, 4, 5, 6, 7, 8, 9]")}});
  EXPECT_EQ(BlockBytes(*batch), 9 + 2);
}

TEST(BlockTest, CountsListsAndTensorsByTheirValues) {
  const auto lists = Json(arrow::list(arrow::int32()), "[[1, 2, 3], [], [4], [5, 6]]");
  EXPECT_EQ(BlockBytes(*Batch({{"x", lists}})->Slice(2, 2)), 3 * 4 + 3 * 4);
  EXPECT_EQ(BlockBytes(*Batch({{"x", Tensors(10, {2, 3})}})->Slice(1, 2)), 2 * 6 * 8);
}

TEST(BlockTest, CountsDictionariesWhole) {
  const auto words = arrow::dictionary(arrow::int8(), arrow::utf8());
  const auto batch = Batch({{"x", Json(words, R"(["ab", "cd", "ab", "ab"])")}});
  EXPECT_EQ(BlockBytes(*batch->Slice(2, 1)), 1 + 4 + 3 * 4);
}

TEST(BlockTest, SlicesRowsAndLineageAlike) {
  const Block block{Batch({{"x", Int64s(10)}}), Lineage({4, 100, 10}), nullptr};
  const Block slice = SliceBlock(block, 3, 4);
  EXPECT_TRUE(slice.batch->column(0)->Equals(Int64s(4, 3)));
  EXPECT_EQ(slice.lineage, Lineage({4, 103, 4}));
}

TEST(BlockTest, KeepsThePackedSegmentForTheWholeBlockOnly) {
  const auto pool = SegmentPool::Make(1 << 20);
  const auto packed = PackPieces(std::vector{Whole(Batch({{"x", Int64s(10)}}))}, *pool);
  const Block block = UnpackBatch(packed->segment(), 0).ValueOrDie();
  ASSERT_NE(block.packed, nullptr);
  EXPECT_EQ(SliceBlock(block, 0, 10).packed, block.packed);
  EXPECT_EQ(SliceBlock(block, 0, 9).packed, nullptr);
  EXPECT_EQ(SliceBlock(block, 2, 3).rows(), 3);
}

TEST(BlockDeathTest, AbortsOnRowsThatAreNotThere) {
  const Block block{Batch({{"x", Int64s(3)}}), {}, nullptr};
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(SliceBlock(block, 2, 2), "broken invariant");
}

}  // namespace
}  // namespace penstock
