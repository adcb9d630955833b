#include <arrow/array.h>
#include <arrow/extension/fixed_shape_tensor.h>

#include <algorithm>
#include <map>

#include "source/source_testing.h"

namespace penstock {
namespace {

using testing::AllSplits;
using testing::Column;
using testing::ExpectTable;
using testing::ReadAll;
using testing::ReadSplit;
using testing::TableOf;

ReadOp Range(int64_t count) { return {.kind = "range", .options = {{"count", count}}}; }

Result<std::vector<Split>> SplitsOf(const ReadOp& read, ReadLimits limits = {}) {
  PENSTOCK_TRY(const auto source, MakeSource(read, limits, /*parallelism=*/2));
  return AllSplits(*source);
}

TEST(RangeTest, YieldsTheIntegersInOrder) {
  ExpectTable(ReadAll(Range(5)), TableOf({{"id", Column(arrow::int64(), "[0,1,2,3,4]")}}));
}

TEST(RangeTest, NoRowsStillYieldTheSchema) {
  ExpectTable(ReadAll(Range(0)), TableOf({{"id", Column(arrow::int64(), "[]")}}));
  const auto source = MakeSource(Range(0), {}, 2).ValueOrDie();
  const auto splits = AllSplits(*source).ValueOrDie();
  ASSERT_EQ(splits.size(), 1);
  EXPECT_EQ(ReadSplit(*source, splits.front())->size(), 1);
}

TEST(RangeTest, SplitsFitTheSizeOfTheJob) {
  const auto many = SplitsOf(Range(10'000'000)).ValueOrDie();
  EXPECT_GE(many.size(), 10);
  EXPECT_LE(many.size(), 40);
  EXPECT_EQ(SplitsOf(Range(1000))->size(), 4);
  EXPECT_EQ(SplitsOf(Range(1))->size(), 1);
}

TEST(RangeTest, TheWishedNumberOfSplitsIsMetToTheRow) {
  ReadOp read = Range(10);
  read.splits = 4;
  std::vector<int64_t> rows;
  for (const Split& split : *SplitsOf(read)) rows.push_back(split.rows);
  EXPECT_THAT(rows, ::testing::ElementsAre(3, 3, 2, 2));
  read.splits = 12;
  EXPECT_EQ(SplitsOf(read)->size(), 12);
}

TEST(RangeTest, BlocksStayBelowBlockBytes) {
  ReadOp read = Range(1000);
  read.splits = 1;
  const auto source = MakeSource(read, {.block_bytes = 800}, 2).ValueOrDie();
  const auto batches = ReadSplit(*source, source->NextSplits(1)->front()).ValueOrDie();
  EXPECT_EQ(batches.size(), 10);
}

TEST(RangeTest, ALimitSparesTheRowsBeyondIt) {
  ReadOp read = Range(1'000'000'000'000);
  read.row_limit = 3;
  ExpectTable(ReadAll(read), TableOf({{"id", Column(arrow::int64(), "[0,1,2]")}}));
}

TEST(RangeTest, AnyNumberOfRowsIsListedALittleAtATime) {
  constexpr int64_t kCount = 1'000'000'000'000'000'000;
  const auto source = MakeSource(Range(kCount), {}, 2).ValueOrDie();
  int64_t end = 0;
  for (int round = 0; round < 3; ++round) {
    const auto splits = source->NextSplits(2).ValueOrDie();
    ASSERT_EQ(splits.size(), 2);
    for (const Split& split : splits) {
      EXPECT_EQ(split.begin, end);
      EXPECT_LE(split.bytes, ReadLimits{}.block_bytes);
      end = split.end;
    }
  }
}

TEST(RangeTest, ALimitEndsTheSplitThatItFallsInto) {
  ReadOp read = Range(4096);
  for (const auto& [limit, count] : std::map<int64_t, size_t>{
           {0, 1}, {1, 1}, {256, 1}, {257, 2}, {4095, 16}, {4096, 16}, {5000, 16}}) {
    read.row_limit = limit;
    const auto splits = SplitsOf(read).ValueOrDie();
    EXPECT_EQ(splits.size(), count) << limit;
    EXPECT_EQ(splits.back().end, std::min<int64_t>(limit, 4096));
  }
}

TEST(RangeTest, CountsItsRowsWithoutReading) {
  const auto source = MakeSource(Range(1'000'000'000'000), {}, 2).ValueOrDie();
  EXPECT_EQ(source->CountRows().ValueOrDie(), 1'000'000'000'000);
}

TEST(RangeTest, RefusesBadOptionsByName) {
  const auto message = [](ReadOp read) { return MakeSource(read, {}, 2).status().message(); };
  EXPECT_THAT(message(Range(-1)), ::testing::HasSubstr("\"count\""));
  EXPECT_THAT(message({.kind = "range", .options = {{"count", 1}, {"stop", 2}}}),
              ::testing::HasSubstr("stop"));
  EXPECT_THAT(message({.kind = "rang"}), ::testing::HasSubstr("range_tensor"));
}

TEST(RangeTensorTest, EveryElementOfRowIIsI) {
  const ReadOp read{.kind = "range_tensor", .options = {{"count", 3}, {"shape", {2, 2}}}};
  const auto table = ReadAll(read).ValueOrDie();
  const auto& type = static_cast<const arrow::extension::FixedShapeTensorType&>(
      *table->schema()->GetFieldByName("data")->type());
  EXPECT_THAT(type.shape(), ::testing::ElementsAre(2, 2));
  const auto& column = static_cast<const arrow::ExtensionArray&>(*table->column(0)->chunk(0));
  EXPECT_TRUE(
      column.storage()->Equals(Column(type.storage_type(), "[[0,0,0,0],[1,1,1,1],[2,2,2,2]]")));
}

TEST(RangeTensorTest, LargeRowsMakeManySplits) {
  const ReadOp read{.kind = "range_tensor", .options = {{"count", 100}, {"shape", {1024, 128}}}};
  EXPECT_EQ(SplitsOf(read)->size(), 7);
}

TEST(RangeTensorTest, RefusesShapesBeyondArrowsLimit) {
  const ReadOp read{.kind = "range_tensor", .options = {{"count", 1}, {"shape", {65536, 65536}}}};
  EXPECT_THAT(MakeSource(read, {}, 2).status().message(), ::testing::HasSubstr("65536, 65536"));
}

}  // namespace
}  // namespace penstock
