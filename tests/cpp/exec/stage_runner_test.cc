#include "penstock/exec/stage_runner.h"

#include <arrow/api.h>
#include <gtest/gtest.h>

#include <future>
#include <memory>
#include <utility>
#include <vector>

#include "penstock/block/packed.h"
#include "penstock/exec/regroup_runner.h"
#include "penstock/exec/zip_runner.h"

namespace penstock {
namespace {

/// A block of one small and one large column that lies in a segment of `pool`.
Block PackedBlock(SegmentPool& pool) {
  constexpr int64_t kRows = 1'000;
  arrow::Int8Builder small;
  arrow::FixedSizeBinaryBuilder large(arrow::fixed_size_binary(1'000));
  const std::string bytes(1'000, 'x');
  for (int64_t i = 0; i < kRows; ++i) {
    EXPECT_TRUE(small.Append(static_cast<int8_t>(i % 7)).ok());
    EXPECT_TRUE(large.Append(bytes).ok());
  }
  const auto schema =
      arrow::schema({arrow::field("small", arrow::int8()), arrow::field("large", large.type())});
  const std::vector<Piece> pieces{
      {.block = {.batch = arrow::RecordBatch::Make(
                     schema, kRows, {small.Finish().ValueOrDie(), large.Finish().ValueOrDie()})},
       .offset = 0,
       .rows = kRows}};
  const PackedBatch packed = PackPieces(pieces, pool).ValueOrDie();
  return UnpackBatch(packed.segment(), /*copy_bytes_max=*/0).ValueOrDie();
}

/// Posts the block through a chain that drops `column`; returns what arrives.
Block AfterDropping(const std::string& column, Block block) {
  Stage stage{.name = "stage"};
  stage.transforms.push_back(DropOp{{column}});
  const TransformChain chain = TransformChain::Make(stage.transforms).ValueOrDie();
  EventQueue events;
  NativePool pool(1);
  SplitNames split_names;
  PostTransformed({.index = 0,
                   .stage = stage,
                   .events = events,
                   .pool = pool,
                   .transforms = chain,
                   .split_names = split_names},
                  /*task=*/0, std::move(block), {});
  return *events.TakeAll().front().block;
}

TEST(StageRunnerTest, ABlockThatLosesMostOfItsBytesLetsGoOfItsSegment) {
  const auto pool = SegmentPool::Make(/*idle_bytes_max=*/int64_t{1} << 30);
  const Block left = AfterDropping("large", PackedBlock(*pool));
  EXPECT_EQ(left.batch->num_columns(), 1);
  EXPECT_EQ(pool->idle_bytes(), pool->mapped_bytes());
}

TEST(StageRunnerTest, ABlockThatKeepsMostOfItsBytesIsNotCopied) {
  const auto pool = SegmentPool::Make(/*idle_bytes_max=*/int64_t{1} << 30);
  const Block left = AfterDropping("small", PackedBlock(*pool));
  EXPECT_EQ(left.batch->num_columns(), 1);
  EXPECT_LT(pool->idle_bytes(), pool->mapped_bytes());
}

Piece Numbers() {
  arrow::Int64Builder builder;
  EXPECT_TRUE(builder.AppendValues({1, 2, 3}).ok());
  const auto schema = arrow::schema({arrow::field("n", arrow::int64())});
  return {.block = {.batch = arrow::RecordBatch::Make(schema, 3, {builder.Finish().ValueOrDie()})},
          .offset = 0,
          .rows = 3};
}

/// Starts a task of one piece for each input, while all threads of the pool are busy; returns
/// whether it was done without them.
bool IsDoneAtOnce(std::unique_ptr<StageRunner> (*make)(RunnerContext), Stage stage,
                  std::vector<Piece> pieces) {
  const TransformChain chain = TransformChain::Make(stage.transforms).ValueOrDie();
  EventQueue events;
  NativePool pool(1);
  SplitNames split_names;
  const auto runner = make({.index = 0,
                            .stage = stage,
                            .events = events,
                            .pool = pool,
                            .transforms = chain,
                            .split_names = split_names});
  std::promise<void> goes_on;
  std::promise<void> is_done;
  pool.Submit([&] { goes_on.get_future().wait(); });
  runner->StartTask({}, std::move(pieces));
  const bool is_done_at_once = events.HasAny();
  goes_on.set_value();
  pool.Submit([&] { is_done.set_value(); });
  is_done.get_future().wait();
  EXPECT_EQ(events.TakeAll().size(), 1);
  return is_done_at_once;
}

TEST(StageRunnerTest, WhatOnlySlicesOrJoinsColumnsWakesNoThread) {
  EXPECT_TRUE(IsDoneAtOnce(MakeRegroupRunner, {.name = "stage"}, {Numbers()}));
  EXPECT_TRUE(IsDoneAtOnce(MakeZipRunner, {.name = "stage"}, {Numbers(), Numbers()}));
}

TEST(StageRunnerTest, OperatorsThatFollowRunOnThePool) {
  Stage stage{.name = "stage"};
  stage.transforms.push_back(RenameOp{{{"n", "m"}}});
  EXPECT_FALSE(IsDoneAtOnce(MakeRegroupRunner, stage, {Numbers()}));
  EXPECT_FALSE(IsDoneAtOnce(MakeZipRunner, stage, {Numbers(), Numbers()}));
}

}  // namespace
}  // namespace penstock
