#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "exec/dispatcher_script.h"

namespace penstock {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

/// Each block of the scripts below has 10 bytes.
DispatcherLimits PauseAt(int64_t bytes) {
  DispatcherLimits limits = AmpleLimits();
  limits.ahead_bytes = bytes;
  return limits;
}

TEST(DispatcherAheadTest, ReadingPausesWhenTwiceTheBatchesAreReadyThatRunAtOnce) {
  DispatcherScript job({ReadStage(), WorkStage(0), CollectStage()}, PauseAt(10));
  job.Start();
  EXPECT_THAT(job.List({0, 0, 0, 0}), ElementsAre("start 0/0"));
  EXPECT_THAT(job.Done(0, 0, 1, 5), ElementsAre("start 0/1"));
  EXPECT_THAT(job.Done(0, 1, 2, 5), IsEmpty());
}

TEST(DispatcherAheadTest, RowsThatGrowingBatchesLeaveUncutCountAsBatches) {
  StageLimits work = WorkStage(0);
  work.grows_batches = true;
  DispatcherScript job({ReadStage(), work, CollectStage()}, PauseAt(10));
  job.Start();
  job.List({0, 0, 0, 0});
  EXPECT_THAT(job.Done(0, 0, 1, 16), ElementsAre("start 0/1"));
  EXPECT_THAT(job.Done(0, 1, 2, 16), IsEmpty());
}

TEST(DispatcherAheadTest, ReadingGoesOnOnceABatchWasTaken) {
  DispatcherScript job({ReadStage(), WorkStage(0), CollectStage()}, PauseAt(10));
  job.Start();
  job.List({0, 0, 0, 0});
  job.Done(0, 0, 1, 5);
  job.Done(0, 1, 2, 5);
  EXPECT_THAT(job.Send(WorkerUp{1, 0}), ElementsAre("start 1/0 [1:0+5] worker 0", "start 0/2"));
}

TEST(DispatcherAheadTest, ReadingDoesNotPauseWhileItsBlocksAreSmallInAll) {
  DispatcherScript job({ReadStage(), WorkStage(0), CollectStage()}, PauseAt(40));
  job.Start();
  job.List({0, 0, 0, 0, 0});
  job.Done(0, 0, 1, 5);
  job.Done(0, 1, 2, 5);
  EXPECT_THAT(job.Done(0, 2, 3, 5), ElementsAre("start 0/3"));
  EXPECT_THAT(job.Done(0, 3, 4, 5), IsEmpty());
}

TEST(DispatcherAheadTest, ReadingDoesNotPauseBeforeABatchHasItsRows) {
  DispatcherScript job({ReadStage(), WorkStage(15), CollectStage()}, PauseAt(0));
  job.Start();
  job.List({0, 0, 0, 0, 0, 0, 0});
  job.Done(0, 0, 1, 5);
  EXPECT_THAT(job.Done(0, 1, 2, 5), ElementsAre("start 0/2"));
  job.Done(0, 2, 3, 5);
  job.Done(0, 3, 4, 5);
  EXPECT_THAT(job.Done(0, 4, 5, 5), ElementsAre("start 0/5"));
  EXPECT_THAT(job.Done(0, 5, 6, 5), IsEmpty());
}

TEST(DispatcherAheadTest, OnlyStagesBeforeFunctionsPause) {
  DispatcherScript job({ReadStage(), CollectStage()}, PauseAt(0));
  job.Start();
  job.List({0, 0, 0});
  EXPECT_THAT(job.Done(0, 0, 1, 5), ElementsAre("emit 1:0+5", "start 0/1"));
}

}  // namespace
}  // namespace penstock
