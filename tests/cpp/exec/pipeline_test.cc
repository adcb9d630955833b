#include "penstock/exec/pipeline.h"

#include <arrow/api.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <vector>

#include "penstock/base/error.h"

namespace penstock {
namespace {

using std::chrono_literals::operator""s;

ReadOp Range(int64_t count) { return ReadOp{.kind = "range", .options = {{"count", count}}}; }

nlohmann::json Greater(const char* column, int64_t value) {
  return {{"call", "greater"}, {"arguments", {{{"column", column}}, {{"literal", value}}}}};
}

/// Runs a plan of native operators over int64 columns; returns the values of its only column.
Result<std::vector<int64_t>> RunToEnd(LogicalPlan plan, PipelineOptions options = {}) {
  PENSTOCK_TRY(std::unique_ptr<Pipeline> pipeline, Pipeline::Start(plan, options));
  std::vector<int64_t> values;
  while (true) {
    PENSTOCK_TRY(Pipeline::NextResult next, pipeline->Next(60s));
    if (next.state == Pipeline::NextState::kEnd) return values;
    if (next.state == Pipeline::NextState::kTimeout) return Status::UnknownError("hangs");
    const auto& column = static_cast<const arrow::Int64Array&>(*next.block->batch->column(0));
    for (int64_t i = 0; i < column.length(); ++i) values.push_back(column.Value(i));
  }
}

std::vector<int64_t> Sequence(int64_t begin, int64_t end) {
  std::vector<int64_t> values;
  for (int64_t i = begin; i < end; ++i) values.push_back(i);
  return values;
}

TEST(PipelineTest, YieldsAllRowsInInputOrder) {
  EXPECT_EQ(RunToEnd({{Range(100'000)}}).ValueOrDie(), Sequence(0, 100'000));
}

TEST(PipelineTest, YieldsAllRowsInInputOrderWithATinyBudget) {
  PipelineOptions options;
  options.budget_bytes = 64 << 10;
  EXPECT_EQ(RunToEnd({{Range(100'000)}}, options).ValueOrDie(), Sequence(0, 100'000));
}

TEST(PipelineTest, YieldsAllRowsOnOneProcessor) {
  PipelineOptions options;
  options.processors = 1;
  EXPECT_EQ(RunToEnd({{Range(10'000)}}, options).ValueOrDie(), Sequence(0, 10'000));
}

TEST(PipelineTest, FiltersProjectsAndLimitsInThatOrder) {
  LogicalPlan plan{
      {Range(1'000'000), FilterOp{Greater("id", 4)}, LimitOp{3}, RenameOp{{{"id", "n"}}}}};
  EXPECT_EQ(RunToEnd(plan).ValueOrDie(), (std::vector<int64_t>{5, 6, 7}));
}

TEST(PipelineTest, AppliesAFilterAfterALimitToTheLimitedRowsAlone) {
  LogicalPlan plan{{Range(100), LimitOp{10}, FilterOp{Greater("id", 6)}}};
  EXPECT_EQ(RunToEnd(plan).ValueOrDie(), (std::vector<int64_t>{7, 8, 9}));
}

Result<std::vector<int64_t>> BlockSizes(const LogicalPlan& plan, PipelineOptions options = {}) {
  PENSTOCK_TRY(std::unique_ptr<Pipeline> pipeline, Pipeline::Start(plan, options));
  std::vector<int64_t> sizes;
  while (true) {
    PENSTOCK_TRY(Pipeline::NextResult next, pipeline->Next(60s));
    if (next.state == Pipeline::NextState::kEnd) return sizes;
    if (next.state == Pipeline::NextState::kTimeout) return Status::UnknownError("hangs");
    sizes.push_back(next.block->rows());
  }
}

TEST(PipelineTest, RepartitionsIntoExactlyTheBlocksAskedFor) {
  LogicalPlan plan{{Range(1'000), FilterOp{Greater("id", 9)}, RepartitionOp{.blocks = 7}}};
  const std::vector<int64_t> sizes = BlockSizes(plan).ValueOrDie();
  EXPECT_EQ(sizes.size(), 7u);
  for (const int64_t size : sizes) EXPECT_TRUE(size == 141 || size == 142) << size;
}

TEST(PipelineTest, RepartitionsIntoExactlyTheBlocksAskedForWhereBlocksAreReadSmaller) {
  PipelineOptions options;
  options.read.block_bytes = 1 << 10;
  const LogicalPlan plan{{Range(1'000), RepartitionOp{.blocks = 3}}};
  EXPECT_EQ(BlockSizes(plan, options).ValueOrDie(), (std::vector<int64_t>{334, 333, 333}));
}

CombineOp Combine(CombineKind kind, const std::vector<LogicalPlan>& others) {
  CombineOp combine{.kind = kind};
  for (const LogicalPlan& other : others) {
    combine.others.push_back(std::make_shared<const LogicalPlan>(other));
  }
  return combine;
}

TEST(PipelineTest, AUnionYieldsOneInputAfterTheOther) {
  const LogicalPlan odd{{Range(50'000), FilterOp{Greater("id", 49'997)}}};
  const LogicalPlan plan{{Range(3), Combine(CombineKind::kUnion, {odd, {{Range(2)}}})}};
  EXPECT_EQ(RunToEnd(plan).ValueOrDie(), (std::vector<int64_t>{0, 1, 2, 49'998, 49'999, 0, 1}));
  PipelineOptions tiny;
  tiny.budget_bytes = 64 << 10;
  tiny.processors = 1;
  EXPECT_EQ(RunToEnd(plan, tiny).ValueOrDie().size(), 7u);
}

TEST(PipelineTest, AZipPutsRowsSideBySideWhateverTheirBlocks) {
  const LogicalPlan other{{Range(1'000), RepartitionOp{.rows_per_block = 7}}};
  const LogicalPlan plan{{Range(1'000), RepartitionOp{.rows_per_block = 100},
                          Combine(CombineKind::kZip, {other}), DropOp{{"id"}}}};
  for (const bool preserve_order : {true, false}) {
    PipelineOptions options;
    options.preserve_order = preserve_order;
    EXPECT_EQ(RunToEnd(plan, options).ValueOrDie(), Sequence(0, 1'000)) << "column id_1";
  }
}

TEST(PipelineTest, AZipOfUnequalInputsIsAnError) {
  const LogicalPlan plan{{Range(10), Combine(CombineKind::kZip, {{{Range(11)}}})}};
  const Status status = RunToEnd(plan).status();
  EXPECT_TRUE(status.IsInvalid()) << status;
  EXPECT_NE(status.message().find("input 2 has more than 10 rows"), std::string::npos) << status;
}

TEST(PipelineTest, AMissingColumnIsAnErrorThatNamesIt) {
  LogicalPlan plan{{Range(10), DropOp{{"nothing"}}}};
  const auto ran = RunToEnd(plan);
  ASSERT_FALSE(ran.ok());
  EXPECT_NE(ran.status().message().find("nothing"), std::string::npos) << ran.status();
}

TEST(PipelineTest, AMissingFileIsAnErrorThatNamesIt) {
  ReadOp read{.kind = "parquet", .options = {{"paths", {"no/such/file.parquet"}}}};
  const auto ran = RunToEnd({{read}});
  ASSERT_FALSE(ran.ok());
  ASSERT_NE(DetailOf(ran.status()), nullptr) << ran.status();
  EXPECT_EQ(DetailOf(ran.status())->kind(), ErrorKind::kMissingPath);
  EXPECT_NE(ran.status().message().find("no/such/file.parquet"), std::string::npos);
}

TEST(PipelineTest, FunctionsWithoutAWorkerCommandAreRefused) {
  FunctionsOp functions;
  functions.functions.push_back({.name = "f"});
  EXPECT_TRUE(Pipeline::Start({{Range(10), functions}}, {}).status().IsInvalid());
}

TEST(PipelineTest, CancelEndsTheJobWithAnErrorAndAnUnreadPipelineCanBeDestroyed) {
  auto pipeline = Pipeline::Start({{Range(50'000'000)}}, {}).ValueOrDie();
  pipeline->Cancel();
  while (true) {
    auto next = pipeline->Next(60s);
    if (!next.ok()) {
      EXPECT_EQ(DetailOf(next.status())->kind(), ErrorKind::kCancelled) << next.status();
      break;
    }
    ASSERT_EQ(next->state, Pipeline::NextState::kBlock);
  }
  auto unread = Pipeline::Start({{Range(50'000'000)}}, {}).ValueOrDie();
}

TEST(PipelineTest, WritesPartsThatReadBackAsTheSameRows) {
  const std::filesystem::path folder =
      std::filesystem::path(testing::TempDir()) / "penstock_pipeline_test_write";
  std::filesystem::remove_all(folder);
  WriteOp write{.kind = "parquet", .options = {{"path", folder.string()}}};
  ASSERT_TRUE(RunToEnd({{Range(10'000), write}}).ok());
  ReadOp read{.kind = "parquet", .options = {{"paths", {folder.string()}}}};
  EXPECT_EQ(RunToEnd({{read}}).ValueOrDie(), Sequence(0, 10'000));
  std::filesystem::remove_all(folder);
}

TEST(PipelineTest, AFailedJobLeavesNothingInTheOutputFolder) {
  const std::filesystem::path folder =
      std::filesystem::path(testing::TempDir()) / "penstock_pipeline_test_fail";
  std::filesystem::remove_all(folder);
  WriteOp write{.kind = "parquet", .options = {{"path", folder.string()}}};
  EXPECT_FALSE(RunToEnd({{Range(10'000), DropOp{{"nothing"}}, write}}).ok());
  EXPECT_TRUE(!std::filesystem::exists(folder) || std::filesystem::is_empty(folder));
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace penstock
