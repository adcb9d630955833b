#include <gmock/gmock.h>

#include <fstream>
#include <limits>

#include "face_rows.h"
#include "penstock/aggregates.h"

namespace penstock {
namespace {

using ::testing::HasSubstr;

/// 3, null, 1, 3
Dataset Numbers() {
  arrow::DoubleBuilder builder;
  EXPECT_TRUE(builder.AppendValues({3, 0, 1, 3}, {true, false, true, true}).ok());
  const auto schema = arrow::schema({arrow::field("x", arrow::float64())});
  const Batch batch = arrow::RecordBatch::Make(schema, 4, {builder.Finish().ValueOrDie()});
  return FromBatches({batch->Slice(0, 2), batch->Slice(2, 2)});
}

std::string Text(const arrow::Result<std::shared_ptr<arrow::Scalar>>& value) {
  return value.ok() ? value.ValueUnsafe()->ToString() : value.status().ToString();
}

TEST(DatasetAggregatesTest, ACallForEachOfTheCommonOnes) {
  EXPECT_EQ(Text(Numbers().Sum("x")), "7");
  EXPECT_EQ(Text(Numbers().Min("x")), "1");
  EXPECT_EQ(Text(Numbers().Max("x")), "3");
  EXPECT_EQ(Text(Range(5).Mean("id")), "2");
  EXPECT_EQ(Text(Range(3).Std("id")), "1");
  EXPECT_EQ(Text(FromBatches(Range(2).Collect().ValueOrDie()).Std("id", 0)), "0.5");
  EXPECT_EQ(Numbers().Unique("x").ValueOrDie()->ToString(), "[\n  3,\n  null,\n  1\n]");
}

TEST(DatasetAggregatesTest, SeveralComeInOnePassInTheOrderOfTheCalls) {
  int64_t batches = 0;
  const auto count = [&batches](const Batch& batch) -> arrow::Result<Batch> {
    ++batches;
    return batch;
  };
  const auto values =
      Numbers()
          .MapBatches(count, {.threads = 1})
          .Aggregate({{},
                      {.function = AggregateFunction::kCount, .column = "x"},
                      {.function = AggregateFunction::kAbsMax, .column = "x"},
                      {.function = AggregateFunction::kCountDistinct, .column = "x"},
                      {.function = AggregateFunction::kValueCounts, .column = "x"},
                      {.function = AggregateFunction::kList, .column = "x"},
                      {.function = AggregateFunction::kMissingShare, .column = "x"},
                      {.function = AggregateFunction::kZeroShare, .column = "x"}})
          .ValueOrDie();
  EXPECT_EQ(batches, 2);
  std::vector<std::string> texts;
  for (const auto& value : values) texts.push_back(value->ToString());
  EXPECT_THAT(texts, testing::ElementsAre("4", "3", "3", "2", HasSubstr("list<item: struct<"),
                                          HasSubstr("list<item: double>"), "25", "0"));
}

TEST(DatasetAggregatesTest, ANullThatIsNotPassedOverMakesTheSumNull) {
  const AggregateCall strict{
      .function = AggregateFunction::kSum, .column = "x", .ignore_nulls = false};
  const auto values = Numbers().Aggregate({strict}).ValueOrDie();
  EXPECT_FALSE(values.front()->is_valid);
}

TEST(DatasetAggregatesTest, ASumOfIntegersIsExactHoweverLarge) {
  const Dataset large = Range(4).WithColumns({{"id", Lit(std::numeric_limits<int64_t>::max())}});
  EXPECT_TRUE(Range(4).Sum("id").ValueOrDie()->type->Equals(*arrow::int64()));
  EXPECT_EQ(Text(large.Sum("id")), "36893488147419103228");
}

TEST(DatasetAggregatesTest, OnlyTheColumnThatIsAskedForIsRead) {
  const TemporaryFolder folder;
  const std::string out = folder.path() + "/out";
  ASSERT_TRUE(Range(9).WithColumns({{"b", Lit(1)}}).WriteParquet(out).ok());
  const std::filesystem::path path = std::filesystem::directory_iterator(out)->path();
  std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
  file.seekp(4);  // Where the first column's pages begin.
  file << std::string(16, '\xFF') << std::flush;
  EXPECT_EQ(Text(ReadParquet({out}).Sum("b")), "9");
  EXPECT_TRUE(ReadParquet({out}).Sum("id").status().IsIOError());
}

TEST(DatasetAggregatesTest, RowsAloneAreCountedFromMetadata) {
  const auto fail = [](const Batch& batch) -> arrow::Result<Batch> {
    return arrow::Status::Invalid("it was run");
  };
  const Dataset dataset = Range(7).MapBatches(fail, {.keeps_rows = true});
  EXPECT_EQ(dataset.Aggregate({{}}).ValueOrDie().front()->ToString(), "7");
}

TEST(DatasetAggregatesTest, WithoutValuesThereIsNullAndCountsAreZero) {
  const Dataset none = Range(5).Limit(0);
  EXPECT_FALSE(none.Sum("id").ValueOrDie()->is_valid);
  EXPECT_FALSE(none.Min("id").ValueOrDie()->is_valid);
  EXPECT_EQ(none.Unique("id").ValueOrDie()->length(), 0);
  EXPECT_EQ(none.Aggregate({{.column = "id"}}).ValueOrDie().front()->ToString(), "0");
}

TEST(DatasetAggregatesTest, BadCallsAreNamed) {
  EXPECT_THAT(Text(Range(3).Sum("nothing")), HasSubstr("nothing"));
  EXPECT_TRUE(Range(3).Sum("nothing").status().IsKeyError());
  const Dataset texts = Range(3).WithColumns({{"id", Lit("a")}});
  EXPECT_TRUE(texts.Mean("id").status().IsTypeError()) << texts.Mean("id").status();
  EXPECT_THAT(Range(3).Aggregate({}).status().message(), HasSubstr("at least one call"));
  const arrow::Status lacks = Range(3).Aggregate({{.function = AggregateFunction::kSum}}).status();
  EXPECT_TRUE(lacks.IsInvalid()) << lacks;
}

}  // namespace
}  // namespace penstock
