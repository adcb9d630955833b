#include <arrow/compute/exec.h>
#include <arrow/json/from_string.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "penstock/plan/expression.h"
#include "plan/plans.h"

namespace penstock::testing {
namespace {

using ::testing::HasSubstr;
namespace compute = arrow::compute;

std::shared_ptr<arrow::RecordBatch> Rows() {
  const auto type = arrow::struct_({
      arrow::field("tiny", arrow::int8()),
      arrow::field("small", arrow::int32()),
      arrow::field("whole", arrow::int64()),
      arrow::field("single", arrow::float32()),
      arrow::field("fraction", arrow::float64()),
      arrow::field("money", arrow::decimal128(9, 2)),
      arrow::field("nothing", arrow::null()),
  });
  const auto rows = arrow::json::ArrayFromJSONString(type, R"([
      [100, 1700000000, 9007199254740993, 1.5, -7.5, "-7.50", null],
      [-7, -7, -7, -7, 7.5, "7.50", null],
      [null, null, null, null, null, null, null]])");
  return arrow::RecordBatch::FromStructArray(rows.ValueOrDie()).ValueOrDie();
}

/// Returns type and values as text, or the error.
std::string Evaluate(const Json& json) {
  const auto rows = Rows();
  const auto expression = ExpressionFromJson(json);
  if (!expression.ok()) return expression.status().ToString();
  const auto bound = BindExpression(*expression, *rows->schema());
  if (!bound.ok()) return bound.status().ToString();
  const auto value = compute::ExecuteScalarExpression(*bound, compute::ExecBatch(*rows));
  if (!value.ok()) return value.status().ToString();
  std::string text = value->type()->ToString();
  if (value->is_scalar()) return text.append(" ").append(value->scalar()->ToString());
  const auto array = value->make_array();
  const Status valid = array->ValidateFull();
  if (!valid.ok()) return valid.ToString();
  for (int64_t i = 0; i < array->length(); ++i) {
    text.append(" ").append(array->GetScalar(i).ValueOrDie()->ToString());
  }
  return text;
}

std::string Of(const std::string& function, const Json& left, const Json& right) {
  return Evaluate(Call(function, {left, right}));
}

TEST(ExpressionBind, ComputesWithConstantsOfTheTypesThatTheyHave) {
  EXPECT_EQ(Of("add", Column("tiny"), Literal(100)), "int64 200 93 null");
  EXPECT_EQ(Of("multiply", Literal(1000), Column("small")), "int64 1700000000000 -7000 null");
  EXPECT_EQ(Of("divide", Column("tiny"), Literal(8.0)), "double 12.5 -0.875 null");
  EXPECT_EQ(Of("multiply", Column("single"), Literal(0.1)),
            "double 0.15000000000000002 -0.7000000000000001 null");
  EXPECT_EQ(Of("multiply", Literal(100), Literal(100)), "int64 10000");
  EXPECT_EQ(Of("multiply", Column("tiny"), Column("tiny")), "int8 16 49 null");
}

TEST(ExpressionBind, KeepsTheTypeOfColumnsWhereAConstantTakesThePlaceOfNulls) {
  EXPECT_EQ(Of("coalesce", Column("tiny"), Literal(3)), "int8 100 -7 3");
  EXPECT_THAT(Of("coalesce", Column("small"), Literal(0.5)), HasSubstr("double 1700000000 -7 0.5"));
}

TEST(ExpressionBind, ComparesWholeNumbersWithFractionsExactly) {
  const Json whole = Column("whole");
  EXPECT_EQ(Of("greater", whole, Literal(0.5)), "bool true false null");
  EXPECT_EQ(Of("less", Literal(0.5), whole), "bool true false null");
  EXPECT_EQ(Of("greater", whole, Literal(9007199254740992.0)), "bool true false null");
  EXPECT_EQ(Of("less_equal", whole, Literal(-6.5)), "bool false true null");
  EXPECT_EQ(Of("greater_equal", whole, Literal(-7.0)), "bool true true null");
  EXPECT_EQ(Of("equal", whole, Literal(-7.0)), "bool false true null");
  EXPECT_EQ(Of("equal", whole, Literal(-6.5)), "bool false false null");
  EXPECT_EQ(Of("not_equal", Literal(-6.5), whole), "bool true true null");
}

TEST(ExpressionBind, ComparesWithFractionsThatNoWholeNumberIsNearTo) {
  const Json tiny = Column("tiny");
  for (const double far : {128.0, 1e300, HUGE_VAL}) {
    EXPECT_EQ(Of("less", tiny, {{"literal", 0}, {"type", "double"}}).substr(0, 4), "bool");
    const auto above = compute::literal(far);
    for (const auto& [comparison, outcome] : std::vector<std::pair<std::string, bool>>{
             {"less", true}, {"less_equal", true}, {"greater", false}, {"equal", false}}) {
      const auto bound = BindExpression(
          compute::call(comparison, {compute::field_ref("tiny"), above}), *Rows()->schema());
      ASSERT_TRUE(bound.ok()) << bound.status();
      const auto value = compute::ExecuteScalarExpression(*bound, compute::ExecBatch(*Rows()));
      EXPECT_EQ(value->array_as<arrow::BooleanArray>()->Value(0), outcome) << comparison << far;
    }
  }
}

TEST(ExpressionBind, DividesWholeNumbersDownwardsAndExactly) {
  EXPECT_EQ(Of("floor_divide", Column("whole"), Literal(2)), "int64 4503599627370496 -4 null");
  EXPECT_EQ(Of("modulo", Column("whole"), Literal(2)), "int64 1 1 null");
  EXPECT_EQ(Of("modulo", Column("tiny"), Literal(-3)), "int64 -2 -1 null");
  EXPECT_EQ(Of("floor_divide", Literal(7), Column("tiny")), "int64 0 -1 null");
  EXPECT_EQ(Of("floor_divide", Column("whole"), Column("tiny")), "int64 90071992547409 1 null");
  const Json least = {{"literal", std::numeric_limits<int64_t>::min()}, {"type", "int64"}};
  EXPECT_EQ(Of("modulo", least, Literal(-1)), "int64 0");
  EXPECT_EQ(Of("floor_divide", least, Literal(-1)), "int64 -9223372036854775808");
  EXPECT_THAT(Of("modulo", Column("whole"), Literal(0)), HasSubstr("divide by zero"));
  EXPECT_THAT(Of("floor_divide", Literal(1), Literal(0)), HasSubstr("divide by zero"));
}

TEST(ExpressionBind, DividesFractionsAndDecimalsDownwards) {
  EXPECT_EQ(Of("floor_divide", Column("fraction"), Literal(2)), "double -4 3 null");
  EXPECT_EQ(Of("modulo", Column("fraction"), Literal(2)), "double 0.5 1.5 null");
  EXPECT_EQ(Of("floor_divide", Column("fraction"), Literal(0.0)), "double -inf inf null");
  EXPECT_THAT(Of("floor_divide", Column("money"), Literal(2)), HasSubstr("decimal128"));
  EXPECT_THAT(Of("modulo", Column("money"), Literal(2)),
              HasSubstr(" 0.50000000000000 1.50000000000000 null"));
}

TEST(ExpressionBind, TakesWholeNumbersBesideDecimals) {
  EXPECT_EQ(Of("greater", Column("money"), Literal(2)), "bool false true null");
  EXPECT_THAT(Of("multiply", Column("money"), Literal(2)), HasSubstr(" -15.00 15.00 null"));
}

TEST(ExpressionBind, TakesAColumnOfNothingButNullsForOneOfAnyType) {
  EXPECT_EQ(Of("coalesce", Column("nothing"), Literal(3)), "int64 3");
  EXPECT_EQ(Of("coalesce", Column("small"), Column("nothing")), "int32 1700000000 -7 null");
  EXPECT_EQ(Evaluate(Call("coalesce", {Column("nothing"), Column("nothing")})), "null null");
  EXPECT_EQ(Evaluate(Call("utf8_upper", {Column("nothing")})), "string null");
  EXPECT_EQ(Evaluate(Call("list_value_length", {Column("nothing")})), "int32 null");
  EXPECT_EQ(Evaluate(Call("year", {Column("nothing")})), "int64 null");
  EXPECT_EQ(Evaluate(Call("invert", {Column("nothing")})), "bool null");
}

TEST(ExpressionBind, SaysWhatArrowSaysOfOtherTypes) {
  EXPECT_THAT(Evaluate(Call("utf8_upper", {Column("whole")})), HasSubstr("int64"));
}

}  // namespace
}  // namespace penstock::testing
