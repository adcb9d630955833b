#include "penstock/dataset.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <set>

#include "face_rows.h"

namespace penstock {
namespace {

using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::vector<int64_t> RowsOfBlocks(const Dataset& dataset) {
  std::vector<int64_t> rows;
  const arrow::Status status = dataset.ForEach([&rows](const Batch& batch) {
    rows.push_back(batch->num_rows());
    return arrow::Status::OK();
  });
  EXPECT_TRUE(status.ok()) << status;
  return rows;
}

arrow::Result<Batch> AsItIs(const Batch& batch) { return batch; }

TEST(DatasetTest, ColumnsAreComputedFromThoseThatWereThereBefore) {
  const Dataset dataset =
      Range(3).WithColumns({{"id", Col("id") + Lit(1)}, {"tenfold", Col("id") * Lit(10)}});
  EXPECT_THAT(dataset.Schema().ValueOrDie()->field_names(), ElementsAre("id", "tenfold"));
  EXPECT_THAT(Values(dataset, 0), ElementsAre(1, 2, 3));
  EXPECT_THAT(Values(dataset, 1), ElementsAre(0, 10, 20));
}

TEST(DatasetTest, AColumnThatCannotBeComputedIsNamed) {
  EXPECT_THAT(Range(3).WithColumns({{"a", Lit(1)}, {"a", Lit(2)}}).Count().status().message(),
              HasSubstr("named twice: 'a'"));
  EXPECT_THAT(Range(3).WithColumns({{"b", Col("nothing")}}).Collect().status().message(),
              HasSubstr("Column 'b'"));
}

TEST(DatasetTest, ASampleHasAboutItsShareAndTheSameRowsForTheSameSeed) {
  const std::vector<int64_t> rows = Values(Range(10'000).RandomSample(0.25, 7));
  EXPECT_NEAR(static_cast<double>(rows.size()), 2'500, 150);
  EXPECT_TRUE(std::ranges::is_sorted(rows));
  EXPECT_THAT(Values(Range(10'000).RandomSample(0.25, 7)), ElementsAreArray(rows));
  EXPECT_NE(Values(Range(10'000).RandomSample(0.25, 8)), rows);
}

TEST(DatasetTest, ASampleWithoutASeedIsDrawnOnce) {
  const Dataset sample = Range(10'000).RandomSample(0.5);
  EXPECT_EQ(Values(sample), Values(sample));
  EXPECT_NE(Values(sample), Values(Range(10'000).RandomSample(0.5)));
}

TEST(DatasetTest, AFractionOfMoreThanAllIsRefused) {
  EXPECT_THAT(Range(3).RandomSample(1.5).Count().status().message(),
              HasSubstr("must rise from 0 to 1, not 0 and 1.5"));
}

TEST(DatasetTest, TrainingAndTestingShareOutTheRows) {
  const auto [train, test] = Range(10'000).TrainTestSplit(0.2);
  std::vector<int64_t> rows = Values(train);
  const std::vector<int64_t> tested = Values(test);
  EXPECT_NEAR(static_cast<double>(tested.size()), 2'000, 150);
  rows.insert(rows.end(), tested.begin(), tested.end());
  std::ranges::sort(rows);
  EXPECT_THAT(rows, ElementsAreArray(Values(Range(10'000))));
}

TEST(DatasetTest, ASplitBySeedIsTheSameEachTime) {
  EXPECT_EQ(Values(Range(1'000).TrainTestSplit(0.5, {.seed = 3}).first),
            Values(Range(1'000).TrainTestSplit(0.5, {.seed = 3}).first));
  EXPECT_NE(Values(Range(1'000).TrainTestSplit(0.5, {.seed = 3}).first),
            Values(Range(1'000).TrainTestSplit(0.5, {.seed = 4}).first));
}

TEST(DatasetTest, ASplitByColumnKeepsEqualValuesTogether) {
  const Dataset grouped =
      Range(1'000).WithColumns({{"id", Col("id") - Col("id") / Lit(50) * Lit(50)}});
  const auto [train, test] = grouped.TrainTestSplit(0.5, {.by_column = "id"});
  const std::vector<int64_t> trained = Values(train);
  const std::vector<int64_t> tested = Values(test);
  const std::set<int64_t> left(trained.begin(), trained.end());
  const std::set<int64_t> right(tested.begin(), tested.end());
  EXPECT_EQ(left.size() + right.size(), 50u);
  EXPECT_THAT(right, testing::Not(IsEmpty()));
  EXPECT_EQ(Values(grouped.TrainTestSplit(0.5, {.by_column = "id"}).first), trained);
}

TEST(DatasetTest, RowsAreCutIntoSoManyBlocksOrIntoBlocksOfSoManyRows) {
  EXPECT_THAT(RowsOfBlocks(Range(10).Repartition(3)), ElementsAre(4, 3, 3));
  EXPECT_THAT(RowsOfBlocks(Range(10).RepartitionToRows(4)), ElementsAre(4, 4, 2));
  EXPECT_THAT(Range(10).RepartitionToRows(0).Count().status().message(),
              HasSubstr("rows_per_block must be at least 1"));
}

TEST(DatasetTest, PiecesOfTheInputComeInTheOrderOfTheSeed) {
  std::vector<Batch> pieces;
  for (int64_t i = 0; i < 20; ++i) {
    pieces.push_back(Range(2).WithColumns({{"id", Col("id") + Lit(10 * i)}}).Collect()->front());
  }
  const Dataset dataset = FromBatches(pieces).MapBatches(AsItIs);
  const std::vector<int64_t> rows = Values(dataset.RandomizeBlockOrder(1).ValueOrDie());
  EXPECT_NE(rows, Values(dataset));
  EXPECT_THAT(rows, testing::UnorderedElementsAreArray(Values(dataset)));
  for (size_t i = 0; i < rows.size(); i += 2) EXPECT_EQ(rows[i] + 1, rows[i + 1]);
  EXPECT_EQ(Values(dataset.RandomizeBlockOrder(1).ValueOrDie()), rows);
  EXPECT_NE(Values(dataset.RandomizeBlockOrder(2).ValueOrDie()), rows);
}

TEST(DatasetTest, WhatDependsOnTheOrderForbidsToDrawIt) {
  for (const Dataset& ordered : {Range(3).Limit(1), Range(3).RandomSample(0.5),
                                 Range(3).Union({Range(3)}), Range(3).Repartition(2)}) {
    const arrow::Status refused = ordered.RandomizeBlockOrder().status();
    EXPECT_TRUE(refused.IsNotImplemented()) << refused;
    EXPECT_THAT(refused.message(), HasSubstr("call it before Limit"));
  }
}

}  // namespace
}  // namespace penstock
