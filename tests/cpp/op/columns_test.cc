#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "op/blocks.h"

namespace penstock::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const char* const kRows = R"([[1, 10, "x"], [2, 20, "y"]])";

TEST(Project, ChoosesOrdersAndRenames) {
  const Block block = MakeBlock(kRows);
  const auto projected = Apply(ProjectOp{{{"s", "s"}, {"a", "first"}, {"a", "second"}}}, block);
  ASSERT_TRUE(projected.ok()) << projected.status();
  EXPECT_THAT(ColumnNames(*projected), ElementsAre("s", "first", "second"));
  EXPECT_EQ(ColumnText(*projected, "first"), "1 2");
  EXPECT_EQ(projected->lineage, block.lineage);
}

TEST(Project, CopiesNoRows) {
  const Block block = MakeBlock(kRows);
  const auto projected = Apply(ProjectOp{{{"b", "c"}}}, block);
  EXPECT_EQ(projected->batch->column_data(0)->buffers[1], block.batch->column_data(1)->buffers[1]);
}

TEST(Project, KeepsTheRowsWhenNoColumnIsLeft) {
  const auto projected = Apply(ProjectOp{}, MakeBlock(kRows));
  ASSERT_TRUE(projected.ok());
  EXPECT_EQ(projected->rows(), 2);
  EXPECT_EQ(projected->batch->num_columns(), 0);
}

TEST(Project, KeepsTheSchemasMetadata) {
  Block block = MakeBlock(kRows);
  block.batch = block.batch->ReplaceSchemaMetadata(arrow::key_value_metadata({"k"}, {"v"}));
  const auto projected = Apply(ProjectOp{{{"a", "a"}}}, block);
  EXPECT_TRUE(projected->batch->schema()->metadata()->Equals(*block.batch->schema()->metadata()));
}

TEST(Project, LeavesABlockPackedOnlyWhenItChangesNothing) {
  const Block block = MakeBlock(kRows);
  EXPECT_EQ(Apply(ProjectOp{{{"a", "a"}, {"b", "b"}, {"s", "s"}}}, block)->packed, block.packed);
  EXPECT_EQ(Apply(ProjectOp{{{"b", "b"}, {"a", "a"}, {"s", "s"}}}, block)->packed, nullptr);
  EXPECT_EQ(Apply(ProjectOp{{{"a", "a"}, {"b", "b"}, {"s", "t"}}}, block)->packed, nullptr);
  EXPECT_EQ(Apply(ProjectOp{{{"a", "a"}, {"b", "b"}}}, block)->packed, nullptr);
}

TEST(Drop, RemovesColumns) {
  const auto dropped = Apply(DropOp{{"s", "a"}}, MakeBlock(kRows));
  ASSERT_TRUE(dropped.ok()) << dropped.status();
  EXPECT_THAT(ColumnNames(*dropped), ElementsAre("b"));
  EXPECT_EQ(ColumnText(*dropped, "b"), "10 20");
}

TEST(Rename, KeepsTheOrderAndRenamesAllAtOnce) {
  const auto renamed = Apply(RenameOp{{{"a", "b"}, {"b", "a"}}}, MakeBlock(kRows));
  ASSERT_TRUE(renamed.ok()) << renamed.status();
  EXPECT_THAT(ColumnNames(*renamed), ElementsAre("b", "a", "s"));
  EXPECT_EQ(ColumnText(*renamed, "b"), "1 2");
}

TEST(Rename, RefusesToGiveTwoColumnsOneName) {
  const Status status = Apply(RenameOp{{{"a", "b"}}}, MakeBlock(kRows)).status();
  EXPECT_TRUE(status.IsInvalid());
  EXPECT_EQ(status.message(), "Rename gives two columns the name 'b'; columns before it: a, b, s");
}

TEST(ColumnOperators, NameAMissingColumnAndTheColumnsThereAre) {
  const Block block = MakeBlock(kRows);
  for (const auto& [op, name] :
       std::vector<std::pair<LogicalOp, std::string>>{{ProjectOp{{{"x", "a"}}}, "Project"},
                                                      {DropOp{{"x"}}, "Drop"},
                                                      {RenameOp{{{"x", "y"}}}, "Rename"}}) {
    const Status status = Apply(op, block).status();
    EXPECT_TRUE(status.IsKeyError());
    EXPECT_EQ(status.message(), name + " reads column 'x', which does not exist; columns: a, b, s");
  }
}

TEST(ColumnOperators, RefuseANameThatTwoColumnsShare) {
  Block block = MakeBlock(kRows);
  block.batch = block.batch->AddColumn(0, "a", block.batch->column(1)).ValueOrDie();
  EXPECT_THAT(Apply(DropOp{{"a"}}, block).status().message(), HasSubstr("exists more than once"));
}

TEST(ColumnOperators, WorkOnBlocksOfDifferentSchemas) {
  const auto transform = MakeTransform(DropOp{{"s"}}).ValueOrDie();
  const Block block = MakeBlock(kRows);
  Block other = block;
  other.batch = block.batch->RemoveColumn(0).ValueOrDie();
  EXPECT_THAT(ColumnNames(*transform->Apply(block)), ElementsAre("a", "b"));
  EXPECT_THAT(ColumnNames(*transform->Apply(other)), ElementsAre("b"));
  EXPECT_THAT(ColumnNames(*transform->Apply(block)), ElementsAre("a", "b"));
}

}  // namespace
}  // namespace penstock::testing
