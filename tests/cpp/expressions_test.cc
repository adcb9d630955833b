#include "penstock/expressions.h"

#include <gmock/gmock.h>

#include <cmath>
#include <limits>

#include "face_rows.h"

namespace penstock {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

TEST(ExpressionsTest, ConstantsThatAreNoFiniteNumbersAreNumbersAllTheSame) {
  EXPECT_THAT(Values(Range(3).Filter(Col("id") < Lit(kInfinity))), ElementsAre(0, 1, 2));
  EXPECT_THAT(Values(Range(3).Filter(Col("id") < Lit(-kInfinity))), IsEmpty());
  const Dataset nans = Range(1).WithColumns({{"x", Lit(std::nan(""))}});
  EXPECT_EQ(nans.Max("x").ValueOrDie()->ToString(), "nan");
}

TEST(ExpressionsTest, FunctionsTakeTheirOptions) {
  const Expression text = Call("cast", {Col("id")}, R"({"type": "string"})");
  const Expression one = Call("match_substring", {text}, R"({"pattern": "1"})");
  EXPECT_THAT(Values(Range(12).Filter(one)), ElementsAre(1, 10, 11));
}

TEST(ExpressionsTest, TextsAreJoined) {
  const Dataset joined = Range(1).WithColumns({{"id", Lit("a") + Lit("b")}});
  EXPECT_EQ(joined.Max("id").ValueOrDie()->ToString(), "ab");
}

TEST(ExpressionsTest, WhatCannotBeIsRefusedWhenItRuns) {
  const auto refused = [](const Expression& condition) {
    const arrow::Status status = Range(3).Filter(condition).Collect().status();
    EXPECT_TRUE(status.IsInvalid()) << status;
    return status.message();
  };
  EXPECT_THAT(refused(Lit("\xFF") == Lit("a")), HasSubstr("text that is not UTF-8"));
  EXPECT_THAT(refused(Col("\xFF") == Lit(1)), HasSubstr("text that is not UTF-8"));
  EXPECT_THAT(refused(Call("no such function", {Lit(1)})), HasSubstr("'no such function'"));
  EXPECT_THAT(refused(Call("is_null", {Lit(1)}, "[1]")), HasSubstr("not a JSON object"));
  EXPECT_THAT(refused(Call("is_null", {Lit(1)}, R"({"nothing": 1})")), HasSubstr("nothing"));
  EXPECT_THAT(refused(Expression("no JSON")), HasSubstr("An expression must be"));
}

}  // namespace
}  // namespace penstock
