#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "exec/dispatcher_script.h"

namespace penstock {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

StageLimits Retrying(int workers, int in_flight, int retries) {
  StageLimits stage = WorkStage(1, workers, in_flight);
  stage.retries = RetriesOfDeaths(retries);
  return stage;
}

TEST(DispatcherDeathTest, ABatchWhoseWorkerDiedRunsAgainOnItsSuccessor) {
  WorkJob job(Retrying(1, 1, 1), 1);
  EXPECT_THAT(job.Send(WorkerDied{1, 0, Death()}), ElementsAre("start worker 1/0"));
  EXPECT_THAT(job.Send(WorkerUp{1, 0}), ElementsAre("start 1/0 [1:0+1] worker 0 again"));
  EXPECT_THAT(job.Done(1, 0, 11, 1), ElementsAre("drop 1", "stop worker 1/0", "emit 11:0+1"));
  EXPECT_EQ(job.TakeSnapshot().stages[1].retries, 1);
  EXPECT_EQ(job.TakeSnapshot().stages[1].restarts, 1);
}

TEST(DispatcherDeathTest, ABatchOutOfTriesEndsTheJobWithTheLastDeath) {
  WorkJob job(Retrying(1, 1, 2), 1);
  for (int death = 0; death < 2; ++death) {
    EXPECT_THAT(job.Send(WorkerDied{1, 0, Status::Invalid("an earlier death")}),
                ElementsAre("start worker 1/0"));
    job.Send(WorkerUp{1, 0});
  }
  EXPECT_THAT(job.Send(WorkerDied{1, 0, Death()}), ElementsAre("fail"));
  EXPECT_EQ(job.finish().message(),
            "killed by signal 9; what ended the batch's runs: crash 3 times (retries allowed: 2)");
}

TEST(DispatcherDeathTest, WhatRunsAgainRunsAloneSoThatTheGuiltyBatchIsKnown) {
  WorkJob job(Retrying(1, 3, 1), 4);
  job.Send(WorkerDied{1, 0, Death()});  // Under batches 0, 1 and 2.
  EXPECT_THAT(job.Send(WorkerUp{1, 0}), ElementsAre("start 1/0 [1:0+1] worker 0 again"));
  EXPECT_THAT(job.Done(1, 0, 11, 1),
              ElementsAre("emit 11:0+1", "start 1/1 [1:1+1] worker 0 again"));
  EXPECT_THAT(job.Send(WorkerDied{1, 0, Death()}), ElementsAre("fail")) << "batch 1 is to blame";
}

TEST(DispatcherDeathTest, WhatRunsAgainWaitsForAWorkerThatIsIdle) {
  WorkJob job(Retrying(2, 1, 1), 3);
  EXPECT_THAT(job.Send(WorkerDied{1, 0, Death()}), ElementsAre("start worker 1/0"));
  EXPECT_THAT(job.Done(1, 1, 11, 1), ElementsAre("start 1/0 [1:0+1] worker 1 again"));
  EXPECT_THAT(job.Send(WorkerUp{1, 0}), ElementsAre("start 1/2 [1:2+1] worker 0"));
}

TEST(DispatcherDeathTest, AWorkerThatDiesIdleCostsNoBatchATry) {
  WorkJob job(Retrying(2, 1, 0), 1);
  EXPECT_THAT(job.Send(WorkerDied{1, 1, Death()}), IsEmpty()) << "nothing is left for another";
  EXPECT_THAT(job.Done(1, 0, 11, 1), ElementsAre("drop 1", "stop worker 1/0", "emit 11:0+1"));
}

TEST(DispatcherDeathTest, WithoutRestartsThePoolGetsSmallerAndTheLastDeathEndsTheJob) {
  StageLimits work = Retrying(2, 1, 5);
  work.max_restarts = 0;
  WorkJob job(work, 4);
  EXPECT_THAT(job.Send(WorkerDied{1, 0, Death()}), IsEmpty());
  EXPECT_THAT(job.Done(1, 1, 11, 1), ElementsAre("start 1/0 [1:0+1] worker 1 again"));
  EXPECT_THAT(job.Send(WorkerDied{1, 1, Death()}), ElementsAre("fail"));
  EXPECT_THAT(job.finish().message(), HasSubstr("max_restarts=0"));
}

TEST(DispatcherDeathTest, AConstructorThatRaisesIsTriedAsOftenAsAllowed) {
  StageLimits work = WorkStage(1);
  work.max_build_tries = 2;
  DispatcherScript job({ReadStage(), work, CollectStage()}, AmpleLimits());
  job.Start();
  WorkerDied raised{1, 0, Status::Invalid("no such file")};
  raised.raised = true;
  EXPECT_THAT(job.Send(raised), ElementsAre("start worker 1/0"));
  EXPECT_THAT(job.Send(raised), ElementsAre("fail"));
  EXPECT_EQ(job.finish().message(), "no such file (try 2 of 2)");
}

TEST(DispatcherDeathTest, WorkersThatDieWhileTheyAreBuiltEndTheJobAfterThreeInARow) {
  DispatcherScript job({ReadStage(), WorkStage(1), CollectStage()}, AmpleLimits());
  job.Start();
  job.Send(WorkerDied{1, 0, Death()});
  job.Send(WorkerDied{1, 0, Death()});
  job.Send(WorkerUp{1, 0});  // One that comes up breaks the row.
  job.Send(WorkerDied{1, 0, Death()});
  job.Send(WorkerDied{1, 0, Death()});
  EXPECT_THAT(job.Send(WorkerDied{1, 0, Death()}), ElementsAre("start worker 1/0"));
  EXPECT_THAT(job.Send(WorkerDied{1, 0, Death()}), ElementsAre("fail"));
  EXPECT_EQ(job.finish().message(), "killed by signal 9 (try 3 of 3)");
}

TEST(DispatcherDeathTest, ATaskThatIsAbandonedWhileItWaitsForAnotherWorkerIsOver) {
  StageLimits work = Retrying(2, 1, 1);
  work.row_limit = 1;
  WorkJob job(work, 3);
  job.Send(WorkerDied{1, 1, Death()});
  EXPECT_THAT(job.Done(1, 0, 11, 1), ElementsAre("abandon 1/1", "drop 1", "stop worker 1/0",
                                                 "stop worker 1/1", "emit 11:0+1"));
}

}  // namespace
}  // namespace penstock
