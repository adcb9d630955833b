#include "penstock/source/joined_reader.h"

#include <arrow/array/util.h>
#include <arrow/record_batch.h>

#include "source/source_testing.h"

namespace penstock {
namespace {

using ::testing::ElementsAre;

TEST(RunBordersTest, PiecesOfOneSizeAreSharedOutEvenly) {
  EXPECT_THAT(RunBorders({5, 5, 5, 5, 5, 5}, 3), ElementsAre(0, 2, 4, 6));
  EXPECT_THAT(RunBorders({5, 5, 5, 5}, 1), ElementsAre(0, 4));
}

TEST(RunBordersTest, ALargePieceStandsAlone) {
  EXPECT_THAT(RunBorders({1, 1, 100, 1}, 2), ElementsAre(0, 2, 4));
  EXPECT_THAT(RunBorders({100, 1, 1, 1}, 2), ElementsAre(0, 1, 4));
}

TEST(RunBordersTest, EveryRunHasAPieceAndThereAreNoMoreRunsThanPieces) {
  EXPECT_THAT(RunBorders({100, 1, 1}, 3), ElementsAre(0, 1, 2, 3));
  EXPECT_THAT(RunBorders({1, 1, 100}, 3), ElementsAre(0, 1, 2, 3));
  EXPECT_THAT(RunBorders({1, 1}, 9), ElementsAre(0, 1, 2));
  EXPECT_THAT(RunBorders({0, 0, 0}, 2), ElementsAre(0, 1, 3));
}

/// Yields batches of so many rows each.
class Batches final : public SplitReader {
 public:
  explicit Batches(std::vector<int64_t> rows) : rows_(std::move(rows)) {}

  Result<std::shared_ptr<arrow::RecordBatch>> Next() override {
    if (next_ == rows_.size()) return nullptr;
    const int64_t rows = rows_[next_++];
    PENSTOCK_TRY(const auto column, arrow::MakeArrayFromScalar(arrow::Int64Scalar(7), rows));
    return arrow::RecordBatch::Make(arrow::schema({arrow::field("n", arrow::int64())}), rows,
                                    {column});
  }

 private:
  const std::vector<int64_t> rows_;
  size_t next_ = 0;
};

std::vector<int64_t> RowsOfBlocks(std::vector<std::vector<int64_t>> parts, int64_t rows_max,
                                  int64_t block_bytes, int* opened = nullptr) {
  std::vector<OpenPart> opens;
  for (auto& part : parts) {
    opens.push_back([part, opened]() -> Result<std::unique_ptr<SplitReader>> {
      if (opened != nullptr) ++*opened;
      return std::make_unique<Batches>(part);
    });
  }
  const auto reader = MakeJoinedReader(std::move(opens), rows_max, block_bytes);
  std::vector<int64_t> rows;
  while (const auto batch = reader->Next().ValueOrDie()) rows.push_back(batch->num_rows());
  return rows;
}

TEST(JoinedReaderTest, SmallBatchesBecomeBlocksOfTheSizeThatIsWished) {
  EXPECT_THAT(RowsOfBlocks({{1, 2}, {3}, {4}}, INT64_MAX, 1 << 20), ElementsAre(10));
  EXPECT_THAT(RowsOfBlocks({{2, 2}, {2}, {3}}, INT64_MAX, 4 * 8), ElementsAre(4, 2, 3));
}

TEST(JoinedReaderTest, PartsWithoutRowsShowTheirColumnsOnce) {
  EXPECT_THAT(RowsOfBlocks({{0}, {0}}, INT64_MAX, 100), ElementsAre(0));
  EXPECT_THAT(RowsOfBlocks({{0}, {2}, {0}}, INT64_MAX, 100), ElementsAre(2));
}

TEST(JoinedReaderTest, NoMorePartsAreOpenedThanTheRowsNeed) {
  int opened = 0;
  EXPECT_THAT(RowsOfBlocks({{2}, {2}, {2}}, 3, 100, &opened), ElementsAre(4));
  EXPECT_EQ(opened, 2);
}

}  // namespace
}  // namespace penstock
