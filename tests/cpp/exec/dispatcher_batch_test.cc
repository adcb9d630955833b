#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "exec/dispatcher_script.h"

namespace penstock {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class DispatcherBatchTest : public ::testing::Test {
 protected:
  /// A read of each chunk is out; the stage after it has room for any number of tasks.
  DispatcherScript ReadInto(StageLimits stage, std::vector<int64_t> chunks,
                            DispatcherLimits limits = AmpleLimits()) {
    const bool works = stage.role == StageRole::kWork;
    DispatcherScript job({ReadStage(8), std::move(stage), CollectStage()}, limits);
    job.Start();
    if (works) job.Send(WorkerUp{1, 0});
    job.List(chunks);
    return job;
  }

  StageLimits Work(int64_t batch_rows) { return WorkStage(batch_rows, 1, 100); }

  StageLimits Regroup(int64_t rows, int64_t blocks, int64_t rows_known = -1) {
    return {.role = StageRole::kRegroup,
            .regroup_rows = rows,
            .regroup_blocks = blocks,
            .rows_known = rows_known,
            .slots = 8,
            .block_bytes_estimate = 10};
  }
};

TEST_F(DispatcherBatchTest, BatchesAreGatheredFromBlocksAndOnlyTheLastIsPartial) {
  DispatcherScript job = ReadInto(Work(4), {0, 0});
  EXPECT_THAT(job.Done(0, 0, 1, 6), ElementsAre("start 1/0 [1:0+4] worker 0"));
  EXPECT_THAT(job.Done(0, 1, 2, 5),
              ElementsAre("start 1/1 [1:4+2 2:0+2] worker 0", "start 1/2 [2:2+3] worker 0"));
}

TEST_F(DispatcherBatchTest, ABlockLivesUntilItsLastRowsHaveBeenWorkedOn) {
  DispatcherScript job = ReadInto(Work(4), {0, 0});
  job.Done(0, 0, 1, 6);
  job.Done(0, 1, 2, 5);
  EXPECT_THAT(job.Done(1, 0, 11, 4), ElementsAre("emit 11:0+4"));
  EXPECT_THAT(job.Done(1, 1, 12, 4), ElementsAre("drop 1", "emit 12:0+4"));
  EXPECT_THAT(job.Done(1, 2, 13, 3), ElementsAre("drop 2", "stop worker 1/0", "emit 13:0+3"));
}

TEST_F(DispatcherBatchTest, ABatchNeverSpansTwoChunks) {
  DispatcherScript job = ReadInto(Work(4), {0, 1});
  EXPECT_THAT(job.Done(0, 0, 1, 6, 0), ElementsAre("start 1/0 [1:0+4] worker 0"));
  EXPECT_THAT(job.Done(0, 1, 2, 5, 1),
              ElementsAre("start 1/1 [1:4+2] worker 0", "start 1/2 [2:0+4] worker 0",
                          "start 1/3 [2:4+1] worker 0"));
}

TEST_F(DispatcherBatchTest, ABatchMaySpanChunksWhereThatIsAllowed) {
  StageLimits work = Work(4);
  work.batch_in_chunk = false;
  DispatcherScript job = ReadInto(work, {0, 1, 1});
  job.Done(0, 0, 1, 6, 0);
  EXPECT_THAT(job.Done(0, 1, 2, 2, 1), ElementsAre("start 1/1 [1:4+2 2:0+2] worker 0"));
}

TEST_F(DispatcherBatchTest, MingledChunksAreGatheredSideBySideWithoutOrder) {
  DispatcherLimits limits = AmpleLimits();
  limits.preserve_order = false;
  DispatcherScript job = ReadInto(Work(4), {0, 0, 1}, limits);
  EXPECT_THAT(job.Done(0, 0, 1, 3, 0), IsEmpty());
  EXPECT_THAT(job.Done(0, 2, 2, 3, 1), ElementsAre("start 1/0 [2:0+3] worker 0"))
      << "nothing more of chunk 1 can come";
  EXPECT_THAT(job.Done(0, 1, 3, 3, 0),
              ElementsAre("start 1/1 [1:0+3 3:0+1] worker 0", "start 1/2 [3:1+2] worker 0"));
}

TEST_F(DispatcherBatchTest, ABlockIsABatchAndLargeOnesAreCut) {
  StageLimits work = Work(0);
  work.batch_rows_max = 4;
  DispatcherScript job = ReadInto(work, {0, 0, 0});
  EXPECT_THAT(job.Done(0, 0, 1, 3), ElementsAre("start 1/0 [1:0+3] worker 0"));
  EXPECT_THAT(job.Done(0, 1, 2, 9),
              ElementsAre("start 1/1 [2:0+4] worker 0", "start 1/2 [2:4+4] worker 0",
                          "start 1/3 [2:8+1] worker 0"));
}

TEST_F(DispatcherBatchTest, RegroupingByRowsIgnoresChunks) {
  DispatcherScript job = ReadInto(Regroup(4, 0), {0, 1});
  EXPECT_THAT(job.Done(0, 0, 1, 6, 0), ElementsAre("start 1/0 [1:0+4]"));
  EXPECT_THAT(job.Done(0, 1, 2, 3, 1), ElementsAre("start 1/1 [1:4+2 2:0+2]", "start 1/2 [2:2+1]"));
}

TEST_F(DispatcherBatchTest, BlocksPassARegroupingThatAsksForNothing) {
  DispatcherScript job = ReadInto(Regroup(0, 0), {0, 0});
  EXPECT_THAT(job.Done(0, 0, 1, 6), ElementsAre("start 1/0 [1:0+6]"));
  EXPECT_THAT(job.Done(0, 1, 2, 3), ElementsAre("start 1/1 [2:0+3]"));
}

TEST_F(DispatcherBatchTest, RegroupingIntoBlocksStreamsWhenTheRowsAreKnown) {
  DispatcherScript job = ReadInto(Regroup(0, 3, 11), {0, 0});
  EXPECT_THAT(job.Done(0, 0, 1, 6), ElementsAre("start 1/0 [1:0+4]"));
  EXPECT_THAT(job.Done(0, 1, 2, 5), ElementsAre("start 1/1 [1:4+2 2:0+2]", "start 1/2 [2:2+3]"));
}

TEST_F(DispatcherBatchTest, RegroupingIntoBlocksWaitsForAllRowsWhenTheyAreNotKnown) {
  DispatcherScript job = ReadInto(Regroup(0, 3), {0, 0});
  EXPECT_THAT(job.Done(0, 0, 1, 6), IsEmpty());
  EXPECT_THAT(job.Done(0, 1, 2, 5),
              ElementsAre("start 1/0 [1:0+4]", "start 1/1 [1:4+2 2:0+2]", "start 1/2 [2:2+3]"));
}

TEST_F(DispatcherBatchTest, FewerRowsThanBlocksMakeABlockOfEachRow) {
  DispatcherScript job = ReadInto(Regroup(0, 5), {0});
  EXPECT_THAT(job.Done(0, 0, 1, 2), ElementsAre("start 1/0 [1:0+1]", "start 1/1 [1:1+1]"));
}

TEST_F(DispatcherBatchTest, AWorkBlocksChunkIsThatOfItsFirstRow) {
  DispatcherScript job({ReadStage(8), Work(0), Work(10), CollectStage()}, AmpleLimits());
  job.Start();
  job.Send(WorkerUp{1, 0});
  job.Send(WorkerUp{2, 0});
  job.List({0, 1});
  job.Done(0, 0, 1, 5, 0);
  job.Done(0, 1, 2, 5, 1);
  EXPECT_THAT(job.Done(1, 0, 11, 5, 99), ElementsAre("drop 1"));
  EXPECT_THAT(job.Done(1, 1, 12, 5, 99),
              ElementsAre("drop 2", "stop worker 1/0", "start 2/0 [11:0+5] worker 0",
                          "start 2/1 [12:0+5] worker 0"));
}

/// Answers batches that take 1 ms whatever their rows, in order, until one of `rows` starts;
/// returns how many were answered before, `most` where none started.
int64_t AnswersBefore(int64_t rows, WorkJob& job, int64_t most) {
  const std::string wanted = fmt::format("+{}] worker", rows);
  for (int64_t task = 0; task < most; ++task) {
    const BlockSize block{.block = 100 + task, .rows = 1, .bytes = 10};
    const std::vector<std::string> lines = job.Send(
        StepDone{.stage = 1, .task = task, .block = block, .finished = true, .busy_ns = 1'000'000});
    for (const std::string& line : lines) {
      if (line.find(wanted) != std::string::npos) return task + 1;
    }
  }
  return most;
}

TEST_F(DispatcherBatchTest, WhatGrowingBatchesLearnCountsFromTheNextBatchThatAWorkerGets) {
  StageLimits work = WorkStage(0, 1, /*in_flight=*/2);
  work.grows_batches = true;
  WorkJob job(work, 100'000);
  EXPECT_EQ(AnswersBefore(32, job, 1000), 3);
  StageLimits many = WorkStage(0, 4, /*in_flight=*/2);
  many.grows_batches = true;
  WorkJob crowd(many, 100'000);
  EXPECT_EQ(AnswersBefore(512, crowd, 1000), 5 * 3 + 4 * 7)
      << "between sizes the seven batches come through that the workers held";
}

TEST_F(DispatcherBatchTest, RowsThatGrowingBatchesLeaveUncutKeepThePoolGrowing) {
  StageLimits work = WorkStage(0, /*workers=*/3);
  work.workers_min = work.workers_initial = 1;
  work.grows_batches = true;
  DispatcherScript job({ReadStage(), work, CollectStage()}, AmpleLimits());
  job.Start();
  job.Send(WorkerUp{1, 0});
  job.List({0});
  job.Done(0, 0, 1, 100'000);
  job.Send(Tick{});
  for (TaskId task = 0; task < 4; ++task) {
    job.now_ns += 100'000'000;
    job.Done(1, task, 100 + task, 1);
  }
  EXPECT_THAT(job.Send(Tick{}), ElementsAre("start worker 1/1"));
}

}  // namespace
}  // namespace penstock
