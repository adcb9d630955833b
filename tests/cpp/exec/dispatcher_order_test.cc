#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "exec/dispatcher_script.h"

namespace penstock {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(DispatcherOrderTest, EarlierReadsComeFirstWhenLaterOnesFinishFirst) {
  DispatcherScript job({ReadStage(2), CollectStage()}, AmpleLimits());
  EXPECT_THAT(job.Start(), ElementsAre("list 1024"));
  EXPECT_THAT(job.List({0, 0}), ElementsAre("start 0/0", "start 0/1"));
  EXPECT_THAT(job.Done(0, 1, 7, 5), IsEmpty());
  EXPECT_THAT(job.Done(0, 0, 8, 5), ElementsAre("emit 8:0+5", "emit 7:0+5"));
  EXPECT_THAT(job.Send(BlockTaken{8}), IsEmpty());
  EXPECT_THAT(job.Send(BlockTaken{7}), ElementsAre("finish"));
}

TEST(DispatcherOrderTest, BlocksPassAsTheyComeWhenOrderIsGivenUp) {
  DispatcherLimits limits = AmpleLimits();
  limits.preserve_order = false;
  DispatcherScript job({ReadStage(2), CollectStage()}, limits);
  job.Start();
  job.List({0, 0});
  EXPECT_THAT(job.Done(0, 1, 7, 5), ElementsAre("emit 7:0+5"));
  EXPECT_THAT(job.Done(0, 0, 8, 5), ElementsAre("emit 8:0+5"));
}

TEST(DispatcherOrderTest, TheFirstTasksBlocksPassBeforeItIsFinished) {
  DispatcherScript job({ReadStage(2), CollectStage()}, AmpleLimits());
  job.Start();
  job.List({0, 0});
  EXPECT_THAT(job.Done(0, 1, 1, 5, 0, false), ElementsAre("step 0/1"));
  EXPECT_THAT(job.Done(0, 0, 2, 5, 0, false), ElementsAre("emit 2:0+5", "step 0/0"));
  EXPECT_THAT(job.DoneEmpty(0, 1), IsEmpty());
  EXPECT_THAT(job.Done(0, 0, 3, 5), ElementsAre("emit 3:0+5", "emit 1:0+5"));
}

TEST(DispatcherOrderTest, ABlockOfNoRowsIsDroppedAtOnce) {
  DispatcherScript job({ReadStage(), CollectStage()}, AmpleLimits());
  job.Start();
  job.List({0});
  EXPECT_THAT(job.Done(0, 0, 7, 0), ElementsAre("drop 7", "finish"));
  EXPECT_EQ(job.TakeSnapshot().stages[0].blocks_out, 1);
}

TEST(DispatcherOrderTest, TheWindowBoundsHowFarTasksRunAhead) {
  DispatcherLimits limits = AmpleLimits();
  limits.window_tasks = 2;
  DispatcherScript job({ReadStage(4), CollectStage()}, limits);
  job.Start();
  EXPECT_THAT(job.List({0, 0, 0}), ElementsAre("start 0/0", "start 0/1"));
  EXPECT_THAT(job.Done(0, 1, 7, 5), IsEmpty());
  EXPECT_THAT(job.Done(0, 0, 8, 5), ElementsAre("emit 8:0+5", "emit 7:0+5", "start 0/2"));
}

TEST(DispatcherOrderTest, AWorkTasksSeveralBlocksKeepTheirOrder) {
  DispatcherScript job({ReadStage(), WorkStage(0, 2), CollectStage()}, AmpleLimits());
  job.Start();
  job.Send(WorkerUp{1, 0});
  job.Send(WorkerUp{1, 1});
  job.List({0, 0});
  EXPECT_THAT(job.Done(0, 0, 1, 5), ElementsAre("start 1/0 [1:0+5] worker 0", "start 0/1"));
  EXPECT_THAT(job.Done(0, 1, 2, 5), ElementsAre("start 1/1 [2:0+5] worker 1"));
  EXPECT_THAT(job.Done(1, 1, 21, 3, 0, false), ElementsAre("step 1/1"));
  EXPECT_THAT(job.Done(1, 0, 11, 3, 0, false), ElementsAre("emit 11:0+3", "step 1/0"));
  EXPECT_THAT(job.Done(1, 1, 22, 3), ElementsAre("drop 2", "stop worker 1/1"));
  EXPECT_THAT(job.Done(1, 0, 12, 3), ElementsAre("drop 1", "stop worker 1/0", "emit 12:0+3",
                                                 "emit 21:0+3", "emit 22:0+3"));
}

TEST(DispatcherOrderTest, SplitsAreListedOnlyWhenFewAreLeft) {
  DispatcherLimits limits = AmpleLimits();
  limits.splits_ahead = 4;
  DispatcherScript job({ReadStage(1), CollectStage()}, limits);
  EXPECT_THAT(job.Start(), ElementsAre("list 4"));
  EXPECT_THAT(job.List({0, 0, 0, 0}, false), ElementsAre("start 0/0"));
  EXPECT_THAT(job.DoneEmpty(0, 0), ElementsAre("start 0/1"));
  EXPECT_THAT(job.DoneEmpty(0, 1), ElementsAre("start 0/2", "list 3"));
  EXPECT_THAT(job.DoneEmpty(0, 2), ElementsAre("start 0/3"));
  EXPECT_THAT(job.DoneEmpty(0, 3), IsEmpty());
  EXPECT_THAT(job.List({}), ElementsAre("finish"));
}

TEST(DispatcherOrderTest, EventsThatComeTogetherAreHandledInOneGo) {
  auto dispatcher = Dispatcher::Make({ReadStage(2), CollectStage()}, AmpleLimits()).ValueOrDie();
  dispatcher->Start(0);
  dispatcher->Handle(SplitsListed{{{}, {}}, true}, 0);
  const auto actions = dispatcher->HandleAll(
      {StepDone{0, 1, BlockSize{7, 5, 10, 0}}, StepDone{0, 0, BlockSize{8, 5, 10, 0}}}, 1);
  ASSERT_EQ(actions.size(), 2u);
  EXPECT_EQ(ToLine(actions[0]), "emit 8:0+5");
  EXPECT_EQ(ToLine(actions[1]), "emit 7:0+5");
}

}  // namespace
}  // namespace penstock
