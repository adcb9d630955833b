#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "op/blocks.h"
#include "penstock/op/operators.h"

namespace penstock::testing {
namespace {

using ::testing::HasSubstr;

/// A block of `rows` rows, counted from `first_row` of split 3.
Block Numbers(int64_t first_row, int64_t rows) {
  arrow::Int64Builder builder;
  for (int64_t i = 0; i < rows; ++i) EXPECT_TRUE(builder.Append(first_row + i).ok());
  const auto schema = arrow::schema({arrow::field("n", arrow::int64())});
  Block block;
  block.batch = arrow::RecordBatch::Make(schema, rows, {builder.Finish().ValueOrDie()});
  block.lineage = Lineage(RowRange{3, first_row, rows});
  return block;
}

TEST(Sample, KeepsAboutTheShareAskedFor) {
  const auto kept = Apply(SampleOp{.seed = 5, .begin = 0, .end = 0.25}, Numbers(0, 40'000));
  ASSERT_TRUE(kept.ok()) << kept.status();
  EXPECT_NEAR(static_cast<double>(kept->rows()), 10'000, 300);
  EXPECT_EQ(kept->lineage.rows(), kept->rows());
}

TEST(Sample, ChoosesTheSameRowsHoweverTheyAreCut) {
  const SampleOp op{.seed = 9, .begin = 0, .end = 0.5};
  const std::string whole = ColumnText(*Apply(op, Numbers(0, 50)), "n");
  const std::string parts = ColumnText(*Apply(op, Numbers(0, 17)), "n") + " " +
                            ColumnText(*Apply(op, Numbers(17, 33)), "n");
  EXPECT_EQ(parts, whole);
  EXPECT_NE(ColumnText(*Apply(SampleOp{.seed = 10, .begin = 0, .end = 0.5}, Numbers(0, 50)), "n"),
            whole);
}

TEST(Sample, PartsTheRowsAmongNeighbouringIntervals) {
  const auto low = Apply(SampleOp{.seed = 1, .begin = 0, .end = 0.3}, Numbers(0, 1000));
  const auto high = Apply(SampleOp{.seed = 1, .begin = 0.3, .end = 1}, Numbers(0, 1000));
  EXPECT_EQ(low->rows() + high->rows(), 1000);
  EXPECT_EQ(Apply(SampleOp{.seed = 1, .begin = 0, .end = 0}, Numbers(0, 1000))->rows(), 0);
}

TEST(Sample, ChoosesByTheValueOfAColumn) {
  const Block block = MakeBlock(R"([[1, 0, "x"], [2, 5, "y"], [3, 2, "x"], [4, 0, null],
                                    [5, 1, "y"], [6, 1, null], [7, 1, "z"]])");
  const SampleOp op{.seed = 4, .begin = 0, .end = 0.5, .column = "s"};
  const std::string kept = ColumnText(*Apply(op, block), "s");
  const std::string dropped =
      ColumnText(*Apply(SampleOp{.seed = 4, .begin = 0.5, .end = 1, .column = "s"}, block), "s");
  for (const char* value : {"x", "y", "z", "null"}) {
    EXPECT_NE(kept.find(value) == std::string::npos, dropped.find(value) == std::string::npos);
  }
}

TEST(Sample, ChoosesIntegersAlikeWhateverTheirWidth) {
  const SampleOp op{.seed = 4, .begin = 0, .end = 0.5, .column = "n"};
  Block narrow = Numbers(0, 100);
  arrow::Int8Builder builder;
  for (int8_t i = 0; i < 100; ++i) EXPECT_TRUE(builder.Append(i).ok());
  narrow.batch = arrow::RecordBatch::Make(arrow::schema({arrow::field("n", arrow::int8())}), 100,
                                          {builder.Finish().ValueOrDie()});
  EXPECT_EQ(ColumnText(*Apply(op, narrow), "n"), ColumnText(*Apply(op, Numbers(0, 100)), "n"));
}

TEST(Sample, RefusesColumnsWithoutAHash) {
  Block block = Numbers(0, 1);
  EXPECT_TRUE(Apply(SampleOp{.end = 1, .column = "m"}, block).status().IsKeyError());
  arrow::DoubleBuilder builder;
  EXPECT_TRUE(builder.Append(0.5).ok());
  block.batch = arrow::RecordBatch::Make(arrow::schema({arrow::field("n", arrow::float64())}), 1,
                                         {builder.Finish().ValueOrDie()});
  const auto refused = Apply(SampleOp{.end = 1, .column = "n"}, block);
  EXPECT_TRUE(refused.status().IsTypeError());
  EXPECT_THAT(refused.status().message(), HasSubstr("'n' is double"));
}

TEST(Sample, IsRepeatableAboveFunctionsThatChangeTheNumberOfRows) {
  Block block = Numbers(0, 1000);
  block.lineage.MarkInexact();
  const SampleOp op{.seed = 2, .begin = 0, .end = 0.5};
  const auto kept = Apply(op, block);
  EXPECT_NEAR(static_cast<double>(kept->rows()), 500, 60);
  EXPECT_EQ(ColumnText(*Apply(op, block), "n"), ColumnText(*kept, "n"));
}

}  // namespace
}  // namespace penstock::testing
