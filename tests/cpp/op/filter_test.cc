#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "op/blocks.h"
#include "penstock/block/tensor.h"
#include "penstock/op/operators.h"
#include "penstock/plan/expression.h"

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
Json Compare(const std::string& call, const std::string& column, Json value) {
  return Call(call, {Column(column), Literal(std::move(value))});
}

const char* const kRows =
    R"([[1, 0, "x"], [null, 5, "y"], [3, 2, null], [4, 0, "z"], [5, 1, "x"], [0, 1, "w"]])";

TEST(Filter, KeepsRowsThatAreTrueAndCountsNullAsFalse) {
  const auto filtered = Apply(FilterOp{Compare("greater", "a", 1)}, MakeBlock(kRows));
  ASSERT_TRUE(filtered.ok()) << filtered.status();
  EXPECT_EQ(ColumnText(*filtered, "a"), "3 4 5");
  EXPECT_EQ(ColumnText(*filtered, "s"), "null z x");
}

TEST(Filter, KeepsLineageExactToTheRow) {
  const auto filtered = Apply(FilterOp{Compare("not_equal", "a", 3)}, MakeBlock(kRows));
  EXPECT_TRUE(filtered->lineage.exact());
  EXPECT_THAT(filtered->lineage.ranges(), ElementsAre(RowRange{7, 100, 1}, RowRange{7, 103, 3}));
}

TEST(Filter, FollowsRangesOfSeveralSplits) {
  Block block = MakeBlock(kRows);
  block.lineage = Lineage(RowRange{1, 10, 2});
  block.lineage.Append(RowRange{2, 0, 1});
  block.lineage.Append(RowRange{3, 5, 3});
  const auto filtered = Apply(FilterOp{Compare("greater", "b", 0)}, block);
  EXPECT_THAT(filtered->lineage.ranges(),
              ElementsAre(RowRange{1, 11, 1}, RowRange{2, 0, 1}, RowRange{3, 6, 2}));
}

TEST(Filter, LeavesInexactAndUnknownLineageAsItIs) {
  Block block = MakeBlock(kRows);
  block.lineage.MarkInexact();
  EXPECT_EQ(Apply(FilterOp{Compare("greater", "a", 3)}, block)->lineage, block.lineage);
  EXPECT_EQ(Apply(FilterOp{Compare("greater", "a", 99)}, block)->lineage, block.lineage);
  block.lineage = Lineage();
  EXPECT_EQ(Apply(FilterOp{Compare("greater", "a", 3)}, block)->lineage, Lineage());
}

TEST(Filter, ReturnsTheBlockItselfWhenAllRowsStay) {
  const Block block = MakeBlock(kRows);
  const auto filtered = Apply(FilterOp{Compare("less", "b", 9)}, block);
  EXPECT_EQ(filtered->batch, block.batch);
  EXPECT_EQ(filtered->packed, block.packed);
}

TEST(Filter, ReturnsNoRowsWithTheSchemaKept) {
  const auto filtered = Apply(FilterOp{Compare("greater", "b", 9)}, MakeBlock(kRows));
  EXPECT_EQ(filtered->rows(), 0);
  EXPECT_THAT(ColumnNames(*filtered), ElementsAre("a", "b", "s"));
  EXPECT_EQ(filtered->lineage, Lineage());
  EXPECT_EQ(filtered->packed, nullptr);
}

TEST(Filter, IsPackedNoMoreWhenRowsGo) {
  EXPECT_EQ(Apply(FilterOp{Compare("greater", "a", 3)}, MakeBlock(kRows))->packed, nullptr);
}

TEST(Filter, TakesConstants) {
  const Block block = MakeBlock(kRows);
  EXPECT_EQ(Apply(FilterOp{Literal(true)}, block)->rows(), 6);
  EXPECT_EQ(Apply(FilterOp{Literal(false)}, block)->rows(), 0);
  EXPECT_EQ(Apply(FilterOp{Literal(nullptr)}, block)->rows(), 0);
  EXPECT_EQ(Apply(FilterOp{Compare("equal", "a", nullptr)}, block)->rows(), 0);
}

TEST(Filter, WorksOnSlicesAndBlocksOfNoRows) {
  Block block = MakeBlock(kRows);
  block.batch = block.batch->Slice(2, 3);
  block.lineage = Lineage(RowRange{7, 102, 3});
  const auto filtered = Apply(FilterOp{Compare("greater", "b", 0)}, block);
  EXPECT_EQ(ColumnText(*filtered, "a"), "3 5");
  EXPECT_THAT(filtered->lineage.ranges(), ElementsAre(RowRange{7, 102, 1}, RowRange{7, 104, 1}));
  EXPECT_EQ(Apply(FilterOp{Compare("greater", "b", 0)}, MakeBlock("[]"))->rows(), 0);
}

TEST(Filter, KeepsTensorColumns) {
  Block block = MakeBlock(R"([[1, 0, "x"], [2, 0, "y"], [3, 0, "z"]])");
  const auto type = TensorType(arrow::float32(), {2, 2}).ValueOrDie();
  const auto storage =
      arrow::json::ArrayFromJSONString(arrow::fixed_size_list(arrow::float32(), 4),
                                       "[[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11]]")
          .ValueOrDie();
  block.batch =
      block.batch
          ->AddColumn(0, arrow::field("t", type), arrow::ExtensionType::WrapArray(type, storage))
          .ValueOrDie();
  const auto filtered = Apply(FilterOp{Compare("not_equal", "a", 2)}, block);
  ASSERT_TRUE(filtered.ok()) << filtered.status();
  EXPECT_TRUE(filtered->batch->column(0)->type()->Equals(*type));
  EXPECT_TRUE(filtered->batch->column(0)->GetScalar(1).ValueOrDie()->Equals(
      *block.batch->column(0)->GetScalar(2).ValueOrDie()));
}

TEST(Filter, LetsALaterPartFailOnlyForRowsThatAnEarlierOneKeeps) {
  const Json not_zero = Compare("not_equal", "b", 0);
  const Json quotient = Call("greater", {Call("divide", {Column("a"), Column("b")}), Literal(0)});
  const auto filtered = Apply(FilterOp{BothOf(not_zero, quotient)}, MakeBlock(kRows));
  ASSERT_TRUE(filtered.ok()) << filtered.status();
  EXPECT_EQ(ColumnText(*filtered, "a"), "3 5");
  EXPECT_THAT(filtered->lineage.ranges(), ElementsAre(RowRange{7, 102, 1}, RowRange{7, 104, 1}));
  const Status status = Apply(FilterOp{quotient}, MakeBlock(kRows)).status();
  EXPECT_THAT(status.message(), AllOf(HasSubstr("Filter ((a / b) > 0)"), HasSubstr("zero")));
}

Status FilterError(const Json& expression) {
  return Apply(FilterOp{expression}, MakeBlock(kRows)).status();
}

TEST(Filter, NamesAMissingColumnAndTheColumnsThereAre) {
  const Status status = FilterError(Compare("greater", "x", 1));
  EXPECT_TRUE(status.IsKeyError());
  EXPECT_EQ(status.message(), "Filter reads column 'x', which does not exist; columns: a, b, s");
}

TEST(Filter, NamesTypesThatDoNotFit) {
  EXPECT_THAT(FilterError(Compare("add", "a", 1)).message(),
              HasSubstr("Filter (a + 1) must yield bool, not int64"));
  const Status status = FilterError(Compare("add", "s", 1));
  EXPECT_TRUE(status.IsInvalid());
  EXPECT_THAT(status.message(), HasSubstr("Filter (s + 1): "));
  EXPECT_THAT(FilterError(Call("nothing", {})).message(), HasSubstr("'nothing'"));
}

TEST(Filter, ServesManyThreadsWithDifferentSchemas) {
  const auto filter = MakeTransform(FilterOp{Compare("greater", "a", 1)}).ValueOrDie();
  const Block wide = MakeBlock(kRows);
  Block narrow = wide;
  narrow.batch = wide.batch->RemoveColumn(1).ValueOrDie();
  std::vector<int64_t> rows(4, 0);
  std::vector<std::thread> threads;
  for (int64_t& count : rows) {
    threads.emplace_back([&] {
      for (int i = 0; i < 200; ++i) {
        count += filter->Apply(i % 2 == 0 ? wide : narrow).ValueOrDie().rows();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(rows, ElementsAre(600, 600, 600, 600));
}

TEST(TransformChain, AppliesOneAfterTheOther) {
  const std::vector<LogicalOp> ops = {FilterOp{Compare("greater", "a", 1)}, RenameOp{{{"a", "c"}}},
                                      ProjectOp{{{"c", "c"}}}};
  const auto chain = TransformChain::Make(ops);
  ASSERT_TRUE(chain.ok()) << chain.status();
  const Block block = MakeBlock(kRows);
  const auto applied = chain->Apply(block);
  ASSERT_TRUE(applied.ok()) << applied.status();
  EXPECT_EQ(ColumnText(*applied, "c"), "3 4 5");
  EXPECT_EQ((*chain->OutputSchema(block.batch->schema()))->field_names(),
            std::vector<std::string>{"c"});
}

TEST(TransformChain, OfNothingChangesNothing) {
  const auto chain = TransformChain::Make({});
  const Block block = MakeBlock(kRows);
  EXPECT_EQ(chain->Apply(block)->batch, block.batch);
}

TEST(TransformChain, RefusesOtherOperators) {
  const std::vector<LogicalOp> ops = {LimitOp{1}};
  const Status status = TransformChain::Make(ops).status();
  EXPECT_TRUE(status.IsInvalid());
  EXPECT_THAT(status.message(), HasSubstr("Limit(1)"));
}

}  // namespace
}  // namespace penstock::testing
