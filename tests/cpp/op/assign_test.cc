#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "op/blocks.h"
#include "penstock/block/tensor.h"

namespace penstock::testing {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

Json Column(const std::string& name) { return {{"column", name}}; }
Json Literal(Json value) { return {{"literal", std::move(value)}}; }
Json Call(const std::string& name, std::vector<Json> arguments) {
  return {{"call", name}, {"arguments", std::move(arguments)}};
}

const char* const kRows = R"([[1, 0, "x"], [null, 5, "y"], [3, 2, null]])";

TEST(Assign, AddsColumnsAtTheEndAndReplacesOthersInTheirPlace) {
  const auto assigned = Apply(AssignOp{{{"sum", Call("add", {Column("a"), Column("b")})},
                                        {"b", Call("negate", {Column("b")})}}},
                              MakeBlock(kRows));
  ASSERT_TRUE(assigned.ok()) << assigned.status();
  EXPECT_THAT(ColumnNames(*assigned), ElementsAre("a", "b", "s", "sum"));
  EXPECT_EQ(ColumnText(*assigned, "sum"), "1 null 5");
  EXPECT_EQ(ColumnText(*assigned, "b"), "0 -5 -2");
}

TEST(Assign, ReadsTheInputAlone) {
  const auto swapped = Apply(AssignOp{{{"a", Column("b")}, {"b", Column("a")}}}, MakeBlock(kRows));
  ASSERT_TRUE(swapped.ok()) << swapped.status();
  EXPECT_EQ(ColumnText(*swapped, "a"), "0 5 2");
  EXPECT_EQ(ColumnText(*swapped, "b"), "1 null 3");
}

TEST(Assign, KeepsLineageAndIsPackedNoMore) {
  const Block block = MakeBlock(kRows);
  const auto assigned = Apply(AssignOp{{{"one", Literal(1)}}}, block);
  ASSERT_TRUE(assigned.ok()) << assigned.status();
  EXPECT_EQ(assigned->lineage, block.lineage);
  EXPECT_EQ(assigned->packed, nullptr);
  EXPECT_EQ(ColumnText(*assigned, "one"), "1 1 1");
}

TEST(Assign, RepeatsAConstantEvenForNoRows) {
  const auto assigned =
      Apply(AssignOp{{{"none", Literal(nullptr)}, {"sum", Call("add", {Literal(1), Literal(2)})}}},
            MakeBlock("[]"));
  ASSERT_TRUE(assigned.ok()) << assigned.status();
  EXPECT_EQ(assigned->rows(), 0);
  EXPECT_THAT(ColumnNames(*assigned), ElementsAre("a", "b", "s", "none", "sum"));
}

TEST(Assign, JoinsTextsThatAreAdded) {
  const auto assigned =
      Apply(AssignOp{{{"t", Call("add", {Call("add", {Column("s"), Literal("-")}), Column("s")})}}},
            MakeBlock(kRows));
  ASSERT_TRUE(assigned.ok()) << assigned.status();
  EXPECT_EQ(ColumnText(*assigned, "t"), "x-x y-y null");
}

TEST(Assign, CopiesATensorColumnWithItsType) {
  const auto type = TensorType(arrow::int8(), {2}).ValueOrDie();
  auto storage = arrow::json::ArrayFromJSONString(arrow::fixed_size_list(arrow::int8(), 2),
                                                  "[[1, 2], [3, 4], [5, 6]]")
                     .ValueOrDie();
  Block block = MakeBlock(kRows);
  block.batch =
      block.batch
          ->AddColumn(0, arrow::field("t", type), arrow::ExtensionType::WrapArray(type, storage))
          .ValueOrDie();
  const auto assigned = Apply(AssignOp{{{"u", Column("t")}}}, block);
  ASSERT_TRUE(assigned.ok()) << assigned.status();
  EXPECT_TRUE(assigned->batch->schema()->GetFieldByName("u")->type()->Equals(*type));
}

TEST(Assign, NamesColumnAndExpressionOfWhatFails) {
  const Block block = MakeBlock(kRows);
  const auto missing = Apply(AssignOp{{{"n", Column("z")}}}, block).status();
  EXPECT_TRUE(missing.IsKeyError());
  EXPECT_THAT(missing.message(),
              AllOf(HasSubstr("Column 'n' reads column 'z'"), HasSubstr("columns: a, b, s")));
  const auto types = Apply(AssignOp{{{"n", Call("add", {Column("a"), Literal(true)})}}}, block);
  EXPECT_THAT(types.status().message(), HasSubstr("Column 'n' = (a + true): "));
  const auto zero = Apply(AssignOp{{{"n", Call("divide", {Column("a"), Column("b")})}}}, block);
  EXPECT_THAT(zero.status().message(), HasSubstr("Column 'n' = (a / b): divide by zero"));
}

}  // namespace
}  // namespace penstock::testing
