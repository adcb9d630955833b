#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "exec/dispatcher_script.h"

namespace penstock {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

DispatcherLimits With(std::vector<ResourceLimit> resources) {
  DispatcherLimits limits = AmpleLimits();
  limits.resources = std::move(resources);
  return limits;
}

StageLimits Needing(std::vector<double> needs, int workers = 1) {
  StageLimits stage = WorkStage(1, workers);
  stage.needs = std::move(needs);
  return stage;
}

TEST(DispatcherPoolTest, EachStageGetsAWorkerBeforeAnyGetsItsSecond) {
  DispatcherScript job({ReadStage(), Needing({1}, 2), Needing({1}, 2), CollectStage()},
                       With({{"processors", 3}}));
  EXPECT_THAT(job.Start(),
              ElementsAre("start worker 1/0", "start worker 2/0", "start worker 1/1", "list 1024"));
}

TEST(DispatcherPoolTest, APoolFillsUpOnceAnotherStageHasLeft) {
  DispatcherScript job({ReadStage(), Needing({1}), Needing({1}, 2), CollectStage()},
                       With({{"processors", 2}}));
  EXPECT_THAT(job.Start(), ElementsAre("start worker 1/0", "start worker 2/0", "list 1024"));
  job.Send(WorkerUp{1, 0});
  job.Send(WorkerUp{2, 0});
  job.List({0});
  job.Done(0, 0, 1, 2);
  job.Done(1, 0, 11, 1);
  EXPECT_THAT(job.Done(1, 1, 12, 1), ElementsAre("drop 1", "stop worker 1/0"));
  EXPECT_THAT(job.Send(WorkerStopped{1, 0}), ElementsAre("start worker 2/1"));
}

TEST(DispatcherPoolTest, StagesThatFitOneByOneTakeTurns) {
  DispatcherScript job({ReadStage(), Needing({1}), Needing({1}), CollectStage()},
                       With({{"GPUs", 1}}));
  EXPECT_THAT(job.Start(), ElementsAre("start worker 1/0", "list 1024"));
  job.Send(WorkerUp{1, 0});
  job.List({0});
  EXPECT_THAT(job.Done(0, 0, 1, 1), ElementsAre("start 1/0 [1:0+1] worker 0"));
  EXPECT_THAT(job.Done(1, 0, 11, 1), ElementsAre("drop 1", "stop worker 1/0"));
  EXPECT_THAT(job.Send(WorkerStopped{1, 0}), ElementsAre("start worker 2/0"));
  EXPECT_THAT(job.Send(WorkerUp{2, 0}), ElementsAre("start 2/0 [11:0+1] worker 0"));
}

TEST(DispatcherPoolTest, AStageThatLacksAWorkerTakesItsResourceFromAnIdleOne) {
  DispatcherScript job({ReadStage(), Needing({1}), Needing({1}), CollectStage()},
                       With({{"GPUs", 1}}));
  job.Start();
  job.Send(WorkerUp{1, 0});
  job.List({0}, /*last=*/false);
  job.Done(0, 0, 1, 1);
  EXPECT_THAT(job.Done(1, 0, 11, 1), ElementsAre("drop 1", "stop worker 1/0"))
      << "more rows may come, but now the next stage has work";
  EXPECT_THAT(job.Send(WorkerStopped{1, 0}), ElementsAre("start worker 2/0"));
}

TEST(DispatcherPoolTest, AWorkerThatCouldNeverFitIsRefusedByName) {
  const Status refused = Dispatcher::Make({ReadStage(), Needing({0, 3}), CollectStage()},
                                          With({{"processors", 8}, {"GPUs", 1}}))
                             .status();
  EXPECT_THAT(refused.message(), HasSubstr("needs more than there is of GPUs: 3.0 of 1.0"));
}

TEST(DispatcherPoolTest, AfterItsLastAllowedBatchAWorkerMakesRoomForItsSuccessor) {
  StageLimits work = WorkStage(1);
  work.max_batches_per_worker = 2;
  DispatcherScript job({ReadStage(), work, CollectStage()}, AmpleLimits());
  job.Start();
  job.Send(WorkerUp{1, 0});
  job.List({0});
  EXPECT_THAT(job.Done(0, 0, 1, 4), ElementsAre("start 1/0 [1:0+1] worker 0"));
  EXPECT_THAT(job.Done(1, 0, 11, 1),
              ElementsAre("emit 11:0+1", "start 1/1 [1:1+1] worker 0", "start worker 1/1"))
      << "the successor is started while the last batch runs";
  EXPECT_THAT(job.Send(WorkerUp{1, 1}), ElementsAre("start 1/2 [1:2+1] worker 1"));
  EXPECT_THAT(job.Done(1, 1, 12, 1), ElementsAre("emit 12:0+1", "stop worker 1/0"));
  EXPECT_EQ(job.TakeSnapshot().stages[1].recycled, 1);
}

TEST(DispatcherPoolTest, AWorkerWhoseSuccessorWouldNotFitBesideItGoesFirst) {
  StageLimits work = Needing({1});
  work.max_batches_per_worker = 1;
  DispatcherScript job({ReadStage(), work, CollectStage()}, With({{"GPUs", 1}}));
  job.Start();
  job.Send(WorkerUp{1, 0});
  job.List({0});
  EXPECT_THAT(job.Done(0, 0, 1, 2), ElementsAre("start 1/0 [1:0+1] worker 0"));
  EXPECT_THAT(job.Done(1, 0, 11, 1), ElementsAre("emit 11:0+1", "stop worker 1/0"));
  EXPECT_THAT(job.Send(WorkerStopped{1, 0}), ElementsAre("start worker 1/0"));
}

TEST(DispatcherPoolTest, AWorkerThatHasGrownTooLargeIsReplacedWhileItStillWorks) {
  DispatcherScript job({ReadStage(), WorkStage(1), CollectStage()}, AmpleLimits());
  job.Start();
  job.Send(WorkerUp{1, 0});
  job.List({0});
  job.Done(0, 0, 1, 4);
  EXPECT_THAT(job.Send(WorkerTooLarge{1, 0}), ElementsAre("start worker 1/1"));
  EXPECT_THAT(job.Done(1, 0, 11, 1), ElementsAre("emit 11:0+1", "start 1/1 [1:1+1] worker 0"));
  EXPECT_THAT(job.Send(WorkerUp{1, 1}), ElementsAre("start 1/2 [1:2+1] worker 1"));
  EXPECT_THAT(job.Done(1, 1, 12, 1), ElementsAre("emit 12:0+1", "stop worker 1/0"));
}

TEST(DispatcherPoolTest, APoolStartsWithItsInitialWorkersAndGrowsUnderAQueue) {
  StageLimits work = WorkStage(1, 3);
  work.workers_min = work.workers_initial = 1;
  DispatcherScript job({ReadStage(), work, CollectStage()}, AmpleLimits());
  EXPECT_THAT(job.Start(), ElementsAre("start worker 1/0", "list 1024"));
  job.Send(WorkerUp{1, 0});
  job.List({0});
  job.Done(0, 0, 1, 100);
  job.Send(Tick{});
  std::vector<std::string> lines;
  for (TaskId task = 0; task < 5 && lines.empty(); ++task) {
    job.now_ns += 100'000'000;
    job.Done(1, task, 11 + task, 1);
    lines = job.Send(Tick{});
  }
  EXPECT_THAT(lines, ElementsAre("start worker 1/1"));
}

TEST(DispatcherPoolTest, APoolShrinksToItsLeastWhenWorkersHaveNothingToDo) {
  StageLimits work = WorkStage(1, 2);
  work.workers_min = 1;
  DispatcherScript job({ReadStage(), work, CollectStage()}, AmpleLimits());
  job.Start();
  job.Send(WorkerUp{1, 0});
  job.Send(WorkerUp{1, 1});
  std::vector<std::string> lines;
  for (int tick = 0; tick < 40 && lines.empty(); ++tick) {
    job.now_ns += 100'000'000;
    lines = job.Send(Tick{});
  }
  EXPECT_THAT(lines, ElementsAre("stop worker 1/0"));
  job.Send(WorkerStopped{1, 0});
  for (int tick = 0; tick < 40; ++tick) {
    job.now_ns += 100'000'000;
    EXPECT_THAT(job.Send(Tick{}), IsEmpty()) << "the least stays";
  }
}

}  // namespace
}  // namespace penstock
