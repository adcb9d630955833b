#include "penstock/op/aggregate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "op/blocks.h"

namespace penstock::testing {
namespace {

using ::testing::HasSubstr;
using Kind = AggregateKind;

std::shared_ptr<arrow::RecordBatch> BatchOf(const std::shared_ptr<arrow::DataType>& type,
                                            const std::string& json) {
  auto values = arrow::json::ArrayFromJSONString(type, json).ValueOrDie();
  const auto schema = arrow::schema({arrow::field("x", type)});
  return arrow::RecordBatch::Make(schema, values->length(), {values});
}

using Batches = std::vector<std::shared_ptr<arrow::RecordBatch>>;

AggregateSpec Spec(Kind kind, bool ignore_nulls = true) {
  return {.kind = kind, .column = "x", .ignore_nulls = ignore_nulls};
}

Result<AggregateValue> Aggregated(const AggregateSpec& spec, const Batches& batches) {
  PENSTOCK_TRY(Aggregation aggregation, Aggregation::Make({spec}));
  for (const auto& batch : batches) PENSTOCK_RETURN_NOT_OK(aggregation.Add(*batch));
  PENSTOCK_TRY(const auto values, aggregation.Finish());
  return values.front();
}

std::string Text(const Result<AggregateValue>& value) {
  if (!value.ok()) return value.status().ToString();
  if (const auto* whole = std::get_if<arrow::Decimal128>(&*value)) return whole->ToIntegerString();
  if (const auto* number = std::get_if<double>(&*value)) return std::to_string(*number);
  if (std::holds_alternative<std::monostate>(*value)) return "null";
  const auto& rows = std::get<std::shared_ptr<arrow::Array>>(*value);
  std::string text;
  for (int64_t i = 0; i < rows->length(); ++i) {
    text += (i == 0 ? "" : " ") + rows->GetScalar(i).ValueOrDie()->ToString();
  }
  return text;
}

std::string Of(Kind kind, const Batches& batches, bool ignore_nulls = true) {
  return Text(Aggregated(Spec(kind, ignore_nulls), batches));
}

TEST(Aggregate, SumsIntegersBeyond64Bits) {
  const std::string most = "[9223372036854775807, 9223372036854775807, 1]";
  EXPECT_EQ(Of(Kind::kSum, {BatchOf(arrow::int64(), most), BatchOf(arrow::int64(), most)}),
            "36893488147419103230");
  EXPECT_EQ(Of(Kind::kSum, {BatchOf(arrow::uint64(), "[18446744073709551615, 1]")}),
            "18446744073709551616");
  EXPECT_EQ(Of(Kind::kSum, {BatchOf(arrow::int64(), "[-9223372036854775808, -1]")}),
            "-9223372036854775809");
}

TEST(Aggregate, SumsEveryKindOfNumber) {
  EXPECT_EQ(Of(Kind::kSum, {BatchOf(arrow::int8(), "[127, 127, -1]")}), "253");
  EXPECT_EQ(Of(Kind::kSum, {BatchOf(arrow::boolean(), "[true, false, true]")}), "2");
  EXPECT_EQ(Of(Kind::kSum, {BatchOf(arrow::float32(), "[0.5, 0.25]")}), "0.750000");
  EXPECT_EQ(Of(Kind::kSum, {BatchOf(arrow::decimal128(5, 2), R"(["1.10", "2.05"])")}), "3.15");
}

TEST(Aggregate, KeepsWhatIsSmallBesideWhatIsLarge) {
  const auto one = BatchOf(arrow::float64(), "[1.0]");
  EXPECT_EQ(Of(Kind::kSum, {BatchOf(arrow::float64(), "[1e100]"), one, one,
                            BatchOf(arrow::float64(), "[-1e100]")}),
            "2.000000");
}

TEST(Aggregate, TakesBlocksOfOtherNumbers) {
  const Batches batches{BatchOf(arrow::int64(), "[1, 2]"), BatchOf(arrow::float64(), "[0.5]"),
                        BatchOf(arrow::null(), "[null]")};
  EXPECT_EQ(Of(Kind::kSum, batches), "3.500000");
  EXPECT_EQ(Of(Kind::kMin, batches), "0.5");
  EXPECT_EQ(Of(Kind::kMax, batches), "2");
  EXPECT_EQ(Of(Kind::kCountDistinct, batches), "3");
}

TEST(Aggregate, HoldsDeviationExactFarFromZero) {
  const auto first = BatchOf(arrow::float64(), "[1000000000.0, 1000000001.0]");
  const auto second = BatchOf(arrow::float64(), "[1000000002.0]");
  EXPECT_EQ(Of(Kind::kStd, {first, second}), "1.000000");
  EXPECT_EQ(Of(Kind::kMean, {first, second}), "1000000001.000000");
}

TEST(Aggregate, HasNoDeviationOfOneValue) {
  EXPECT_EQ(Of(Kind::kStd, {BatchOf(arrow::int64(), "[3]")}), "nan");
  AggregateSpec population = Spec(Kind::kStd);
  population.ddof = 0;
  EXPECT_EQ(Text(Aggregated(population, {BatchOf(arrow::int64(), "[3]")})), "0.000000");
}

TEST(Aggregate, PassesOverNullsUnlessTheyCount) {
  const Batches batches{BatchOf(arrow::int64(), "[1, null]"), BatchOf(arrow::int64(), "[3]")};
  for (const Kind kind :
       {Kind::kSum, Kind::kMin, Kind::kMax, Kind::kMean, Kind::kStd, Kind::kAbsMax}) {
    EXPECT_NE(Of(kind, batches), "null");
    EXPECT_EQ(Of(kind, batches, /*ignore_nulls=*/false), "null");
  }
  EXPECT_EQ(Of(Kind::kCount, batches), "2");
  EXPECT_EQ(Of(Kind::kCount, batches, /*ignore_nulls=*/false), "3");
  EXPECT_EQ(Of(Kind::kUnique, batches), "1 3");
  EXPECT_EQ(Of(Kind::kUnique, batches, /*ignore_nulls=*/false), "1 null 3");
}

TEST(Aggregate, IsNullWithoutValues) {
  for (const auto& batch : {BatchOf(arrow::int64(), "[]"), BatchOf(arrow::int64(), "[null]"),
                            BatchOf(arrow::null(), "[null]")}) {
    for (const Kind kind : {Kind::kSum, Kind::kMin, Kind::kMax, Kind::kMean, Kind::kStd,
                            Kind::kAbsMax, Kind::kZeroShare}) {
      EXPECT_EQ(Of(kind, {batch}), "null");
    }
    EXPECT_EQ(Of(Kind::kCount, {batch}), "0");
    EXPECT_EQ(Of(Kind::kUnique, {batch}), "");
  }
}

TEST(Aggregate, PassesOverNanInExtremesAlone) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  arrow::DoubleBuilder builder;
  ASSERT_TRUE(builder.AppendValues({nan, 2.0, -3.0}).ok());
  const auto values = builder.Finish().ValueOrDie();
  const auto batch =
      arrow::RecordBatch::Make(arrow::schema({arrow::field("x", arrow::float64())}), 3, {values});
  EXPECT_EQ(Of(Kind::kMin, {batch}), "-3");
  EXPECT_EQ(Of(Kind::kAbsMax, {batch}), "3.000000");
  EXPECT_EQ(Of(Kind::kSum, {batch}), "nan");
  EXPECT_EQ(Of(Kind::kMax, {batch->Slice(0, 1)}), "nan");
  EXPECT_EQ(Of(Kind::kMissingShare, {batch->Slice(0, 2)}), "50.000000");
}

TEST(Aggregate, FindsExtremesOfWhateverHasAnOrder) {
  const Batches text{BatchOf(arrow::utf8(), R"(["pear", "fig"])"),
                     BatchOf(arrow::utf8(), R"(["apple"])")};
  EXPECT_EQ(Of(Kind::kMin, text), "apple");
  EXPECT_EQ(Of(Kind::kMax, text), "pear");
  EXPECT_EQ(Of(Kind::kMax, {BatchOf(arrow::date32(), "[3, 7]")}), "1970-01-08");
  EXPECT_EQ(Of(Kind::kAbsMax, {BatchOf(arrow::int64(), "[-9223372036854775808, 5]")}),
            "9223372036854775808");
}

TEST(Aggregate, NamesTheColumnThatCannotBeAggregated) {
  const auto text = BatchOf(arrow::utf8(), R"(["a"])");
  for (const Kind kind : {Kind::kSum, Kind::kMean, Kind::kStd, Kind::kAbsMax, Kind::kZeroShare}) {
    const auto value = Aggregated(Spec(kind), {text});
    EXPECT_TRUE(value.status().IsTypeError()) << Text(value);
    EXPECT_THAT(value.status().message(), HasSubstr("of column 'x', which is string"));
  }
  const auto lists = BatchOf(arrow::list(arrow::int64()), "[[1]]");
  EXPECT_TRUE(Aggregated(Spec(Kind::kMin), {lists}).status().IsTypeError());
  EXPECT_TRUE(Aggregated(Spec(Kind::kUnique), {lists}).status().IsTypeError());
  AggregateSpec missing = Spec(Kind::kSum);
  missing.column = "y";
  EXPECT_TRUE(Aggregated(missing, {text}).status().IsKeyError());
}

TEST(Aggregate, CountsValuesAcrossBlocks) {
  const Batches batches{BatchOf(arrow::utf8(), R"(["b", "a", "b"])"),
                        BatchOf(arrow::utf8(), R"(["a", null, "c"])")};
  EXPECT_EQ(Of(Kind::kUnique, batches), "b a c");
  EXPECT_EQ(Of(Kind::kCountDistinct, batches), "3");
  const auto counts = Aggregated(Spec(Kind::kValueCounts), batches);
  const auto pairs = std::get<std::shared_ptr<arrow::Array>>(*counts);
  EXPECT_EQ(dynamic_cast<const arrow::StructArray&>(*pairs).field(1)->ToString(),
            "[\n  2,\n  2,\n  1\n]");
  EXPECT_EQ(Of(Kind::kList, batches), "b a b a c");
}

TEST(Aggregate, StopsAtTheLimitOfBytes) {
  for (const Kind kind : {Kind::kUnique, Kind::kList}) {
    AggregateSpec spec = Spec(kind);
    spec.held_bytes_max = 20;
    const auto value =
        Aggregated(spec, {BatchOf(arrow::int64(), "[1, 2]"), BatchOf(arrow::int64(), "[3, 4]")});
    EXPECT_TRUE(value.status().IsCapacityError()) << Text(value);
    EXPECT_THAT(value.status().message(), HasSubstr("of column 'x'"));
  }
  AggregateSpec spec = Spec(Kind::kUnique);
  spec.held_bytes_max = 20;
  const auto same = BatchOf(arrow::int64(), "[1, 2]");
  EXPECT_EQ(Text(Aggregated(spec, {same, same, same})), "1 2");
}

TEST(Aggregate, MergesToWhatOnePassGives) {
  const Batches batches{BatchOf(arrow::int64(), "[5, null, -7]"), BatchOf(arrow::int64(), "[2, 5]"),
                        BatchOf(arrow::int64(), "[]")};
  for (int kind = 0; kind <= static_cast<int>(Kind::kZeroShare); ++kind) {
    const AggregateSpec spec = Spec(static_cast<Kind>(kind));
    Aggregation left = Aggregation::Make({spec}).ValueOrDie();
    Aggregation right = Aggregation::Make({spec}).ValueOrDie();
    ASSERT_TRUE(left.Add(*batches[0]).ok());
    ASSERT_TRUE(right.Add(*batches[1]).ok());
    ASSERT_TRUE(right.Add(*batches[2]).ok());
    ASSERT_TRUE(left.Merge(right).ok());
    EXPECT_EQ(Text(left.Finish().ValueOrDie().front()), Text(Aggregated(spec, batches)));
    EXPECT_EQ(left.rows(), 5);
  }
}

TEST(Aggregate, CountsRowsWithoutAColumn) {
  Aggregation aggregation = Aggregation::Make({AggregateSpec{}}).ValueOrDie();
  ASSERT_TRUE(aggregation.Add(*BatchOf(arrow::int64(), "[5, null]")).ok());
  EXPECT_EQ(Text(aggregation.Finish().ValueOrDie().front()), "2");
  EXPECT_TRUE(Aggregation::Make({AggregateSpec{.kind = Kind::kSum}}).status().IsInvalid());
}

}  // namespace
}  // namespace penstock::testing
