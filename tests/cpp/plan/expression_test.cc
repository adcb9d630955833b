#include "penstock/plan/expression.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "plan/plans.h"

namespace penstock::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
namespace compute = arrow::compute;

TEST(Expression, ReadsColumnsLiteralsAndCalls) {
  const auto expression = ExpressionFromJson(Greater("a", 3));
  ASSERT_TRUE(expression.ok()) << expression.status();
  EXPECT_EQ(*expression, compute::greater(compute::field_ref("a"), compute::literal(int64_t{3})));
}

TEST(Expression, TakesAColumnNameAsItStandsDotsAndAll) {
  const auto expression = ExpressionFromJson(Column("a.b[0]"));
  ASSERT_TRUE(expression.ok());
  EXPECT_EQ(*expression->field_ref()->name(), "a.b[0]");
}

TEST(Expression, CastsALiteralToItsType) {
  for (const auto& [literal, type] :
       std::vector<std::pair<Json, std::string>>{{3, "int8"},
                                                 {3, "double"},
                                                 {3, "float64"},
                                                 {1.5, "float"},
                                                 {"x", "large_string"},
                                                 {"2020-01-02", "date32"},
                                                 {"2020-01-02 03:04:05", "timestamp[us]"},
                                                 {true, "bool"}}) {
    const auto made = ExpressionFromJson({{"literal", literal}, {"type", type}});
    ASSERT_TRUE(made.ok()) << type << ": " << made.status();
    EXPECT_NE(made->literal(), nullptr);
    EXPECT_FALSE(made->literal()->type()->ToString().empty());
  }
  const auto small = ExpressionFromJson({{"literal", 3}, {"type", "int8"}});
  EXPECT_TRUE(small->literal()->type()->Equals(*arrow::int8()));
  const auto null = ExpressionFromJson({{"literal", nullptr}, {"type", "int64"}});
  EXPECT_TRUE(null->IsNullLiteral());
  EXPECT_TRUE(null->literal()->type()->Equals(*arrow::int64()));
}

TEST(Expression, KeepsIntegersBeyondTheSignedRange) {
  const auto expression = ExpressionFromJson(Literal(uint64_t{1} << 63));
  ASSERT_TRUE(expression.ok());
  EXPECT_TRUE(expression->literal()->type()->Equals(*arrow::uint64()));
}

struct BadExpression {
  Json json;
  std::string message;
};

TEST(Expression, NamesWhatIsWrong) {
  const std::vector<BadExpression> cases = {
      {Call("no_such_function", {Column("a")}), "no_such_function"},
      {Call("sum", {Column("a")}), "row by row: 'sum'"},
      {Call("match_substring", {Column("a")}), "\"pattern\" is missing"},
      {Call("random", {}), "row by row: 'random'"},
      {Call("greater", {Column("a")}), "'greater', which takes 2 arguments, with 1"},
      {{{"literal", 3}, {"type", "int63"}}, "int63"},
      {{{"literal", 300}, {"type", "int8"}}, "does not fit its type int8"},
      {{{"literal", Json::array({1})}}, "not [1]"},
      {Call("greater", {Column("a"), 3}), "not 3"},
      {{{"column", 3}}, "{\"column\":3}"},
      {nullptr, "not null"},
  };
  for (const BadExpression& bad : cases) {
    const Status status = ExpressionFromJson(bad.json).status();
    EXPECT_TRUE(status.IsInvalid()) << bad.json;
    EXPECT_THAT(status.message(), HasSubstr(bad.message));
  }
}

TEST(Expression, ReadsBytesAndZonedTimes) {
  const auto bytes = ExpressionFromJson({{"literal", "AP8="}, {"type", "binary"}});
  ASSERT_TRUE(bytes.ok()) << bytes.status();
  EXPECT_EQ(bytes->literal()->scalar()->ToString(), std::string("\0\xFF", 2));
  const auto time =
      ExpressionFromJson({{"literal", "2024-01-02 03:04:05Z"}, {"type", "timestamp[us, tz=UTC]"}});
  ASSERT_TRUE(time.ok()) << time.status();
}

TEST(Expression, RefusesToNestWithoutEnd) {
  Json json = Column("a");
  for (int i = 0; i < 1100; ++i) json = Call("invert", {std::move(json)});
  EXPECT_THAT(ExpressionFromJson(json).status().message(), HasSubstr("1000 deep"));
}

TEST(Expression, ListsColumnsOnceInOrder) {
  EXPECT_THAT(ColumnsOf(BothOf(Greater("b", 1), BothOf(Greater("a", 2), Greater("b", 3)))),
              ElementsAre("b", "a"));
  EXPECT_THAT(ColumnsOf(Literal(3)), ElementsAre());
}

TEST(Expression, RenamesAllColumnsAtOnce) {
  const Json swapped =
      RenameColumns(Call("less", {Column("a"), Column("b")}), {{"a", "b"}, {"b", "a"}});
  EXPECT_EQ(swapped, Call("less", {Column("b"), Column("a")}));
}

TEST(Expression, TakesApartWhatBothOfJoined) {
  const Json first = Greater("a", 1);
  const Json second = Greater("b", 2);
  const Json third = Call("or_kleene", {Column("c"), Column("d")});
  EXPECT_THAT(ConjunctsOf(BothOf(BothOf(first, second), third)), ElementsAre(first, second, third));
  EXPECT_THAT(ConjunctsOf(third), ElementsAre(third));
}

TEST(Expression, ReadsAsAPersonWritesIt) {
  EXPECT_EQ(ExpressionText(Greater("a", 3)), "(a > 3)");
  EXPECT_EQ(ExpressionText(BothOf(Greater("a", 3), Call("is_null", {Column("b")}))),
            "((a > 3) and is_null(b))");
  EXPECT_EQ(ExpressionText(Call("invert", {Call("equal", {Column("s"), Literal("x")})})),
            "(not (s == \"x\"))");
  Json split = Call("split_pattern", {Column("s")});
  split["options"] = {{"pattern", ","}};
  EXPECT_EQ(ExpressionText(split), "split_pattern(s, pattern=\",\")");
}

}  // namespace
}  // namespace penstock::testing
