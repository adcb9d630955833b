#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "exec/dispatcher_script.h"
#include "penstock/base/error.h"

namespace penstock {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class DispatcherWorkerTest : public ::testing::Test {
 protected:
  DispatcherWorkerTest()
      : job_({ReadStage(1), WorkStage(1, 2, 2), CollectStage()}, AmpleLimits()) {}

  DispatcherScript job_;
};

TEST_F(DispatcherWorkerTest, WorkersStartAtOnceAndTakeBatchesOnlyWhenUp) {
  EXPECT_THAT(job_.Start(), ElementsAre("start worker 1/0", "start worker 1/1", "list 1024"));
  job_.List({0});
  EXPECT_THAT(job_.Done(0, 0, 1, 6), IsEmpty());
  EXPECT_THAT(job_.Send(WorkerUp{1, 1}),
              ElementsAre("start 1/0 [1:0+1] worker 1", "start 1/1 [1:1+1] worker 1"));
}

TEST_F(DispatcherWorkerTest, BatchesGoToTheLeastLoadedWorkerUpToTheLimit) {
  job_.Start();
  job_.Send(WorkerUp{1, 0});
  job_.Send(WorkerUp{1, 1});
  job_.List({0});
  EXPECT_THAT(job_.Done(0, 0, 1, 6),
              ElementsAre("start 1/0 [1:0+1] worker 0", "start 1/1 [1:1+1] worker 1",
                          "start 1/2 [1:2+1] worker 0", "start 1/3 [1:3+1] worker 1"));
  EXPECT_THAT(job_.Done(1, 1, 11, 1), ElementsAre("start 1/4 [1:4+1] worker 1"));
}

TEST_F(DispatcherWorkerTest, AnIdleWorkerIsStoppedOnceNoBatchIsLeftForIt) {
  job_.Start();
  job_.Send(WorkerUp{1, 0});
  job_.List({0});
  EXPECT_THAT(job_.Done(0, 0, 1, 1), ElementsAre("start 1/0 [1:0+1] worker 0"));
  EXPECT_THAT(job_.Send(WorkerUp{1, 1}), ElementsAre("stop worker 1/1"));
  EXPECT_THAT(job_.Done(1, 0, 11, 1), ElementsAre("drop 1", "stop worker 1/0", "emit 11:0+1"));
  EXPECT_THAT(job_.Send(BlockTaken{11}), IsEmpty());
  EXPECT_THAT(job_.Send(WorkerStopped{1, 1}), IsEmpty());
  EXPECT_THAT(job_.Send(WorkerStopped{1, 0}), ElementsAre("finish"));
}

TEST_F(DispatcherWorkerTest, AWorkerThatNeverCameUpIsStoppedToo) {
  job_.Start();
  EXPECT_THAT(job_.List({}), ElementsAre("stop worker 1/0", "stop worker 1/1"));
  EXPECT_THAT(job_.Send(WorkerUp{1, 0}), IsEmpty());
  job_.Send(WorkerStopped{1, 0});
  EXPECT_THAT(job_.Send(WorkerStopped{1, 1}), ElementsAre("finish"));
}

TEST_F(DispatcherWorkerTest, ADeadWorkerFailsTheJobAndNothingComesAfter) {
  job_.Start();
  job_.Send(WorkerUp{1, 0});
  job_.List({0});
  job_.Done(0, 0, 1, 6);
  EXPECT_THAT(job_.Send(WorkerDied{1, 0, MakeError(ErrorKind::kWorkerDied, "killed by signal 9")}),
              ElementsAre("fail"));
  EXPECT_EQ(DetailOf(job_.finish())->kind(), ErrorKind::kWorkerDied);
  EXPECT_THAT(job_.Done(1, 0, 11, 1), IsEmpty());
  EXPECT_THAT(job_.Send(WorkerUp{1, 1}), IsEmpty());
  EXPECT_TRUE(job_.TakeSnapshot().finished);
}

TEST_F(DispatcherWorkerTest, AFailedTaskFailsTheJobWithItsStatus) {
  job_.Start();
  job_.List({0});
  EXPECT_THAT(job_.Send(TaskFailed{0, 0, Status::IOError("bad row")}), ElementsAre("fail"));
  EXPECT_EQ(job_.finish().message(), "bad row");
}

TEST_F(DispatcherWorkerTest, CancelEndsTheJobAtOnce) {
  job_.Start();
  EXPECT_THAT(job_.Send(Cancel{}), ElementsAre("fail"));
  EXPECT_EQ(DetailOf(job_.finish())->kind(), ErrorKind::kCancelled);
  EXPECT_THAT(job_.Send(Cancel{}), IsEmpty());
}

TEST_F(DispatcherWorkerTest, AWorkerThatDiesAfterItWasToldToStopIsNoFailure) {
  job_.Start();
  job_.List({});
  job_.Send(WorkerStopped{1, 0});
  EXPECT_THAT(job_.Send(WorkerDied{1, 1, Status::UnknownError("crash at exit")}),
              ElementsAre("finish"));
}

TEST(DispatcherLimitsTest, LimitsThatCannotBeAreRefusedByName) {
  const auto refusal = [](std::vector<StageLimits> stages, DispatcherLimits limits) {
    return Dispatcher::Make(std::move(stages), limits).status().message();
  };
  EXPECT_THAT(refusal({}, AmpleLimits()), ::testing::HasSubstr("got: 0 stages"));
  EXPECT_THAT(refusal({CollectStage(), ReadStage()}, AmpleLimits()),
              ::testing::HasSubstr("last stage"));
  EXPECT_THAT(refusal({ReadStage(), CollectStage()}, {.budget_bytes = 0}),
              ::testing::HasSubstr("budget_bytes must be at least 1; got: 0"));
  EXPECT_THAT(refusal({ReadStage(), WorkStage(1, 0), CollectStage()}, AmpleLimits()),
              ::testing::HasSubstr("workers must be at least 1; got: 0"));
  StageLimits write = WriteStage();
  write.rows_per_part_min = 10;
  write.rows_per_part_max = 5;
  EXPECT_THAT(refusal({ReadStage(), write}, AmpleLimits()),
              ::testing::HasSubstr("rows_per_part_max must be at least 10; got: 5"));
}

}  // namespace
}  // namespace penstock
