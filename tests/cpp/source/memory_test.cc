#include "source/source_testing.h"

namespace penstock {
namespace {

using testing::AllSplits;
using testing::Column;
using testing::ExpectError;
using testing::ExpectTable;
using testing::ReadAll;
using testing::ReadSplit;
using testing::TableOf;

std::shared_ptr<arrow::RecordBatch> Batch(const std::string& json) {
  return TableOf({{"a", Column(arrow::int64(), json)}})->CombineChunksToBatch().ValueOrDie();
}

ReadOp Memory(std::vector<std::shared_ptr<arrow::RecordBatch>> batches) {
  return {.kind = "memory", .batches = std::move(batches)};
}

TEST(MemoryTest, EachBatchIsASplitThatIsNotCopied) {
  const auto batch = Batch("[1,2,3]");
  const auto source = MakeSource(Memory({batch, Batch("[4]")}), {}, 2).ValueOrDie();
  const auto splits = AllSplits(*source).ValueOrDie();
  ASSERT_EQ(splits.size(), 2);
  const auto read = ReadSplit(*source, splits[0]).ValueOrDie();
  ASSERT_EQ(read.size(), 1);
  EXPECT_EQ(read[0]->column_data(0)->buffers[1], batch->column_data(0)->buffers[1]);
}

TEST(MemoryTest, TheWishedSplitsCutAndJoinBatches) {
  ReadOp read = Memory({Batch("[1,2,3,4,5]"), Batch("[]"), Batch("[6]"), Batch("[7,8]")});
  read.splits = 3;
  const auto source = MakeSource(read, {}, 2).ValueOrDie();
  std::vector<std::string> contents;
  for (const Split& split : *AllSplits(*source)) {
    const auto batches = ReadSplit(*source, split).ValueOrDie();
    ASSERT_EQ(batches.size(), 1);
    std::string text;
    for (int64_t i = 0; i < batches[0]->num_rows(); ++i) {
      text += batches[0]->column(0)->GetScalar(i).ValueOrDie()->ToString();
    }
    contents.push_back(text);
  }
  EXPECT_THAT(contents, ::testing::ElementsAre("123", "456", "78"));
}

TEST(MemoryTest, OneBatchInAThousandSplitsGivesEachARow) {
  std::string json = "[0";
  for (int i = 1; i < 1000; ++i) json += "," + std::to_string(i);
  ReadOp read = Memory({Batch(json + "]")});
  read.splits = 1000;
  const auto source = MakeSource(read, {}, 2).ValueOrDie();
  for (const Split& split : *AllSplits(*source)) EXPECT_EQ(split.rows, 1);
}

TEST(MemoryTest, LargeBatchesComeInBlocks) {
  const auto source =
      MakeSource(Memory({Batch("[1,2,3,4,5,6,7,8]")}), {.block_bytes = 24}, 2).ValueOrDie();
  const auto batches = ReadSplit(*source, source->NextSplits(1)->front()).ValueOrDie();
  EXPECT_EQ(batches.size(), 3);
}

TEST(MemoryTest, ReadsOnlyTheColumnsAskedForInTheirOrder) {
  const auto batch = TableOf({{"a", Column(arrow::int64(), "[1]")},
                              {"b", Column(arrow::utf8(), R"(["x"])")},
                              {"c", Column(arrow::boolean(), "[true]")}})
                         ->CombineChunksToBatch()
                         .ValueOrDie();
  ReadOp read = Memory({batch});
  read.columns = {"c", "a"};
  ExpectTable(ReadAll(read), TableOf({{"c", Column(arrow::boolean(), "[true]")},
                                      {"a", Column(arrow::int64(), "[1]")}}));
}

TEST(MemoryTest, DifferingBlocksAreRefusedByColumn) {
  const auto other =
      TableOf({{"a", Column(arrow::utf8(), R"(["x"])")}})->CombineChunksToBatch().ValueOrDie();
  ExpectError(MakeSource(Memory({Batch("[1]"), other}), {}, 2).status(), ErrorKind::kSchemaMismatch,
              {"Column 'a' is int64", "string"});
}

TEST(MemoryTest, NothingAtAllHasNoSplits) {
  const auto source = MakeSource(Memory({}), {}, 2).ValueOrDie();
  EXPECT_TRUE(AllSplits(*source)->empty());
  EXPECT_EQ(source->CountRows().ValueOrDie(), 0);
}

TEST(MemoryTest, ALimitStopsEarly) {
  ReadOp read = Memory({Batch("[1,2]"), Batch("[3,4]"), Batch("[5,6]")});
  read.row_limit = 3;
  ExpectTable(ReadAll(read), TableOf({{"a", Column(arrow::int64(), "[1,2,3]")}}));
}

}  // namespace
}  // namespace penstock
