#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "exec/dispatcher_script.h"
#include "penstock/base/error.h"

namespace penstock {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

DispatcherLimits Budget(int64_t bytes) { return {.budget_bytes = bytes, .native_threads = 8}; }

TEST(DispatcherBudgetTest, AStepStartsOnlyWhenItsBlockHasRoom) {
  DispatcherLimits limits = Budget(45);
  limits.preserve_order = false;
  DispatcherScript job({ReadStage(8), CollectStage()}, limits);
  job.Start();
  EXPECT_THAT(job.List({0, 0, 0, 0, 0, 0}),
              ElementsAre("start 0/0", "start 0/1", "start 0/2", "start 0/3"));
  EXPECT_EQ(job.TakeSnapshot().used_bytes, 40);
}

TEST(DispatcherBudgetTest, EmittedBytesCountUntilTheCallerHasTakenThem) {
  DispatcherScript job({ReadStage(8), CollectStage()}, Budget(10));
  job.Start();
  EXPECT_THAT(job.List({0, 0}), ElementsAre("start 0/0"));
  EXPECT_THAT(job.Done(0, 0, 1, 5), ElementsAre("emit 1:0+5"));
  EXPECT_EQ(job.TakeSnapshot().used_bytes, 10);
  EXPECT_THAT(job.Send(BlockTaken{1}), ElementsAre("start 0/1"));
}

TEST(DispatcherBudgetTest, LaterTasksLeaveHalfOfTheRoomToTheFirst) {
  DispatcherScript job({ReadStage(8), CollectStage()}, Budget(100));
  job.Start();
  EXPECT_THAT(
      job.List(std::vector<int64_t>(8)),
      ElementsAre("start 0/0", "start 0/1", "start 0/2", "start 0/3", "start 0/4", "start 0/5"));
}

TEST(DispatcherBudgetTest, AStepReservesTheLargestBlockOfItsStage) {
  DispatcherScript job({ReadStage(1), CollectStage()}, Budget(1000));
  job.Start();
  job.List({0, 0, 0, 0});
  EXPECT_EQ(job.TakeSnapshot().used_bytes, 10);
  job.Done(0, 0, 1, 5, 0, true, 40);
  EXPECT_EQ(job.TakeSnapshot().used_bytes, 80);
  job.Done(0, 1, 2, 5, 0, true, 20);
  EXPECT_EQ(job.TakeSnapshot().used_bytes, 100);
}

TEST(DispatcherBudgetTest, ReadersCannotStarveTheStageAfterThem) {
  DispatcherScript job({ReadStage(8), WorkStage(0, 1, 1), CollectStage()}, Budget(80));
  job.Start();
  EXPECT_THAT(job.List(std::vector<int64_t>(20)),
              ElementsAre("start 0/0", "start 0/1", "start 0/2", "start 0/3"));
  for (TaskId task = 0; task < 6; ++task) job.Done(0, task, task + 1, 5);
  EXPECT_EQ(job.TakeSnapshot().used_bytes, 60) << "a quarter is left for the workers' output";
  EXPECT_THAT(job.Send(WorkerUp{1, 0}), ElementsAre("start 1/0 [1:0+5] worker 0"));
}

TEST(DispatcherBudgetTest, WithNoRoomAtAllTheLastStepThatCanIsRunAlone) {
  DispatcherScript job({ReadStage(8), WorkStage(0, 1, 1), CollectStage()}, Budget(1));
  job.Start();
  job.Send(WorkerUp{1, 0});
  EXPECT_THAT(job.List({0, 0}), ElementsAre("start 0/0"));
  EXPECT_THAT(job.Done(0, 0, 1, 5), ElementsAre("start 1/0 [1:0+5] worker 0"));
  EXPECT_THAT(job.Done(1, 0, 11, 5), ElementsAre("drop 1", "emit 11:0+5"));
  EXPECT_THAT(job.Send(BlockTaken{11}), ElementsAre("start 0/1"));
}

TEST(DispatcherBudgetTest, ABatchThatCannotBeGatheredIsRefusedWithItsFigures) {
  DispatcherScript job({ReadStage(8), WorkStage(100, 1, 1), CollectStage()}, Budget(15));
  job.Start();
  job.Send(WorkerUp{1, 0});
  job.List({0, 0, 0});
  EXPECT_THAT(job.Done(0, 0, 1, 30), ElementsAre("start 0/1"));
  EXPECT_THAT(job.Done(0, 1, 2, 30), ElementsAre("fail"));
  ASSERT_NE(DetailOf(job.finish()), nullptr);
  EXPECT_EQ(DetailOf(job.finish())->kind(), ErrorKind::kBudgetTooSmall);
  EXPECT_THAT(job.finish().message(),
              ::testing::AllOf(HasSubstr("Stage 'S1'"), HasSubstr("100 rows"),
                               HasSubstr("60 rows came"), HasSubstr("bytes: 15")));
}

TEST(DispatcherBudgetTest, RegroupingMoreThanTheBudgetHoldsIsRefused) {
  StageLimits regroup{.role = StageRole::kRegroup, .regroup_blocks = 2};
  DispatcherScript job({ReadStage(8), regroup, CollectStage()}, Budget(15));
  job.Start();
  job.List({0, 0, 0});
  job.Done(0, 0, 1, 30);
  EXPECT_THAT(job.Done(0, 1, 2, 30), ElementsAre("fail"));
  EXPECT_THAT(job.finish().message(), HasSubstr("all rows of its input"));
}

TEST(DispatcherBudgetTest, NativeStepsOfAllStagesShareTheThreadsAndLaterStagesGoFirst) {
  DispatcherLimits limits = AmpleLimits();
  limits.native_threads = 1;
  StageLimits regroup{.role = StageRole::kRegroup, .regroup_rows = 5, .block_bytes_estimate = 10};
  DispatcherScript job({ReadStage(8), regroup, CollectStage()}, limits);
  job.Start();
  EXPECT_THAT(job.List({0, 0}), ElementsAre("start 0/0"));
  EXPECT_THAT(job.Done(0, 0, 1, 5), ElementsAre("start 1/0 [1:0+5]"));
  EXPECT_THAT(job.Done(1, 0, 11, 5), ElementsAre("drop 1", "emit 11:0+5", "start 0/1"));
}

TEST(DispatcherBudgetTest, AGeneratorThatWaitsIsSteppedEvenIfBatchesWaitBehindItInItsWorker) {
  DispatcherScript job({ReadStage(1), WorkStage(0, 1, 2), CollectStage()}, Budget(40));
  job.Start();
  job.Send(WorkerUp{1, 0});
  job.List({0, 0});
  job.Done(0, 0, 1, 5, 0, true, 1);
  EXPECT_THAT(job.Done(0, 1, 2, 5, 0, true, 1), ElementsAre("start 1/1 [2:0+5] worker 0"));
  EXPECT_THAT(job.Done(1, 0, 11, 5, 0, false, 100), ElementsAre("emit 11:0+5"));
  EXPECT_THAT(job.Send(BlockTaken{11}), ElementsAre("step 1/0")) << "though 100 bytes have no room";
}

TEST(DispatcherStatisticsTest, SlotTimeIsBusyStarvedOrBlocked) {
  DispatcherScript job({ReadStage(2), WorkStage(0, 1, 1), CollectStage()}, Budget(1000));
  job.Start();
  job.now_ns = 100;
  job.Send(WorkerUp{1, 0});
  job.List({0});
  job.now_ns = 300;
  job.Done(0, 0, 1, 5);
  job.now_ns = 700;
  const Snapshot middle = job.TakeSnapshot();
  EXPECT_EQ(middle.stages[0].busy_ns, 200);
  EXPECT_EQ(middle.stages[0].starved_ns, 2 * 100 + 200) << "no split was there for its slots";
  EXPECT_EQ(middle.stages[1].starved_ns, 200);
  EXPECT_EQ(middle.stages[1].busy_ns, 400);
  EXPECT_EQ(middle.stages[1].workers, 1);
  EXPECT_EQ(middle.elapsed_ns, 700);
  job.Done(1, 0, 11, 5);
  job.now_ns = 900;
  job.Send(BlockTaken{11});
  job.Send(WorkerStopped{1, 0});
  job.now_ns = 5000;
  const Snapshot end = job.TakeSnapshot();
  EXPECT_TRUE(end.finished);
  EXPECT_EQ(end.elapsed_ns, 900);
  EXPECT_EQ(end.stages[1].busy_ns, 400);
  EXPECT_EQ(end.rows_delivered, 5);
  EXPECT_EQ(end.stages[0].rows_out, 5);
  EXPECT_EQ(end.stages[1].rows_in, 5);
  EXPECT_EQ(end.stages[1].tasks_total, 1);
}

TEST(DispatcherStatisticsTest, ASlotWithoutRoomInTheBudgetIsBlocked) {
  DispatcherScript job({ReadStage(2), CollectStage()}, Budget(10));
  job.Start();
  job.List({0, 0});
  job.now_ns = 50;
  const Snapshot snapshot = job.TakeSnapshot();
  EXPECT_EQ(snapshot.stages[0].busy_ns, 50);
  EXPECT_EQ(snapshot.stages[0].blocked_ns, 50);
  EXPECT_EQ(snapshot.stages[0].starved_ns, 0);
  EXPECT_THAT(job.Describe(), HasSubstr("S0: waits for room"));
}

}  // namespace
}  // namespace penstock
