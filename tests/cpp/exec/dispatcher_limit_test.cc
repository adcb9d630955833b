#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "exec/dispatcher_script.h"

namespace penstock {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(DispatcherLimitTest, NothingIsReadOnceTheRowsAreThere) {
  StageLimits read = ReadStage(2);
  read.row_limit = 7;
  DispatcherScript job({read, CollectStage()}, AmpleLimits());
  job.Start();
  EXPECT_THAT(job.List({0, 0, 0, 0}, false), ElementsAre("start 0/0", "start 0/1", "list 1022"));
  EXPECT_THAT(job.Done(0, 0, 1, 5), ElementsAre("emit 1:0+5", "start 0/2"));
  EXPECT_THAT(job.Done(0, 1, 2, 5, 0, false),
              ElementsAre("abandon 0/1", "abandon 0/2", "emit 2:0+2"));
  EXPECT_THAT(job.Send(BlockTaken{1}), IsEmpty());
  EXPECT_THAT(job.Send(BlockTaken{2}), IsEmpty()) << "a step is still out";
  EXPECT_THAT(job.Done(0, 2, 3, 5), ElementsAre("drop 3", "finish"));
  EXPECT_EQ(job.TakeSnapshot().used_bytes, 0);
}

TEST(DispatcherLimitTest, ALimitStopsAllThatComesBeforeItAndItsWorkers) {
  StageLimits work = WorkStage(0, 2);
  work.row_limit = 3;
  DispatcherScript job({ReadStage(1), work, CollectStage()}, AmpleLimits());
  job.Start();
  job.Send(WorkerUp{1, 0});
  job.Send(WorkerUp{1, 1});
  job.List({0, 0, 0, 0});
  job.Done(0, 0, 1, 5);
  job.Done(0, 1, 2, 5);
  EXPECT_THAT(job.Done(0, 2, 3, 5), ElementsAre("start 0/3"));
  EXPECT_THAT(job.Done(1, 0, 11, 5),
              ElementsAre("abandon 0/3", "drop 1", "abandon 1/1", "drop 3", "stop worker 1/0",
                          "stop worker 1/1", "emit 11:0+3"));
  EXPECT_THAT(job.Send(BlockTaken{11}), IsEmpty());
  EXPECT_THAT(job.DoneEmpty(0, 3), IsEmpty());
  EXPECT_THAT(job.Send(WorkerStopped{1, 0}), IsEmpty());
  EXPECT_THAT(job.Send(WorkerStopped{1, 1}), ElementsAre("drop 2", "finish"))
      << "what a stopped worker held is no more wanted";
}

TEST(DispatcherLimitTest, ALimitOfNoRowsStartsNothing) {
  StageLimits work = WorkStage(0, 2);
  work.row_limit = 0;
  DispatcherScript job({ReadStage(), work, WorkStage(0, 2), CollectStage()}, AmpleLimits());
  EXPECT_THAT(job.Start(), ElementsAre("finish"));
}

TEST(DispatcherLimitTest, ALimitOfNoRowsStillCommits) {
  StageLimits read = ReadStage();
  read.row_limit = 0;
  DispatcherScript job({read, WriteStage()}, AmpleLimits());
  EXPECT_THAT(job.Start(), ElementsAre("commit"));
  EXPECT_THAT(job.Send(OutputCommitted{}), ElementsAre("finish"));
}

TEST(DispatcherLimitTest, TheLastStagesLimitCutsWhatItIsGiven) {
  StageLimits collect = CollectStage();
  collect.row_limit = 3;
  DispatcherScript job({ReadStage(), collect}, AmpleLimits());
  job.Start();
  job.List({0, 0});
  EXPECT_THAT(job.Done(0, 0, 1, 5), ElementsAre("emit 1:0+3"));
  EXPECT_THAT(job.Send(BlockTaken{1}), ElementsAre("finish"));
}

TEST(DispatcherLimitTest, AFailureOfAnAbandonedTaskIsNoFailure) {
  StageLimits read = ReadStage(2);
  read.row_limit = 5;
  DispatcherScript job({read, CollectStage()}, AmpleLimits());
  job.Start();
  job.List({0, 0});
  EXPECT_THAT(job.Done(0, 0, 1, 5), ElementsAre("abandon 0/1", "emit 1:0+5"));
  job.Send(BlockTaken{1});
  EXPECT_THAT(job.Send(TaskFailed{0, 1, Status::IOError("gone")}), ElementsAre("finish"));
}

}  // namespace
}  // namespace penstock
