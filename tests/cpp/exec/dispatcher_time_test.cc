#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "exec/dispatcher_script.h"
#include "penstock/base/error.h"

namespace penstock {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr int64_t kSecondNs = 1'000'000'000;

TEST(DispatcherTimeTest, AWorkerThatTakesTooLongOverOneStepIsKilledOnce) {
  StageLimits work = WorkStage(1, 1, 2);
  work.batch_timeout_ns = 10 * kSecondNs;
  work.retries = RetriesOfDeaths(1);
  DispatcherScript job({ReadStage(), work, CollectStage()}, AmpleLimits());
  job.Start();
  job.Send(WorkerUp{1, 0});
  job.List({0});
  job.Done(0, 0, 1, 2);
  job.now_ns = 9 * kSecondNs;
  EXPECT_THAT(job.Send(Tick{}), IsEmpty());
  job.Done(1, 0, 11, 1);  // From here on the second batch's time runs.
  job.now_ns = 18 * kSecondNs;
  EXPECT_THAT(job.Send(Tick{}), IsEmpty());
  job.now_ns = 20 * kSecondNs;
  EXPECT_THAT(job.Send(Tick{}), ElementsAre("kill worker 1/0"));
  EXPECT_THAT(job.Send(Tick{}), IsEmpty());
  EXPECT_THAT(job.Send(WorkerDied{1, 0, Status::Invalid("late")}), ElementsAre("start worker 1/0"));
}

TEST(DispatcherTimeTest, ABatchOfSeveralOutputsIsTimedAsAWhole) {
  StageLimits work = WorkStage(1, 1, 2);
  work.batch_timeout_ns = 10 * kSecondNs;
  DispatcherScript job({ReadStage(), work, CollectStage()}, AmpleLimits());
  job.Start();
  job.Send(WorkerUp{1, 0});
  job.List({0});
  job.Done(0, 0, 1, 2);
  for (int output = 0; output < 5; ++output) {
    job.now_ns += 2 * kSecondNs;
    EXPECT_THAT(job.Send(Tick{}), IsEmpty());
    job.Done(1, 0, 11 + output, 1, 0, /*finished=*/false);
  }
  job.now_ns += 1;
  EXPECT_THAT(job.Send(Tick{}), ElementsAre("kill worker 1/0"));
  job.Done(1, 0, 21, 1);  // It ended just before, and the next batch has all of its time.
  job.now_ns += 10 * kSecondNs;
  EXPECT_THAT(job.Send(Tick{}), IsEmpty());
  job.now_ns += 1;
  EXPECT_THAT(job.Send(Tick{}), ElementsAre("kill worker 1/0"));
}

TEST(DispatcherTimeTest, ABatchIsNotTimedWhileThereIsNoRoomForItsNextOutput) {
  StageLimits work = WorkStage(1);
  work.batch_timeout_ns = 10 * kSecondNs;
  work.block_bytes_estimate = 60;
  DispatcherLimits limits = AmpleLimits();
  limits.budget_bytes = 100;
  DispatcherScript job({ReadStage(), work, CollectStage()}, limits);
  job.Start();
  job.Send(WorkerUp{1, 0});
  job.List({0});
  job.Done(0, 0, 1, 1, 0, /*finished=*/true, /*bytes=*/1);
  job.now_ns = 6 * kSecondNs;
  EXPECT_THAT(job.Done(1, 0, 11, 1, 0, /*finished=*/false, /*bytes=*/60),
              ElementsAre("emit 11:0+1"));  // Held back: nobody has taken the output.
  job.now_ns = 100 * kSecondNs;
  EXPECT_THAT(job.Send(Tick{}), IsEmpty());
  EXPECT_THAT(job.Send(BlockTaken{11}), ElementsAre("step 1/0"));
  job.now_ns = 104 * kSecondNs;
  EXPECT_THAT(job.Send(Tick{}), IsEmpty());
  job.now_ns = 104 * kSecondNs + 1;
  EXPECT_THAT(job.Send(Tick{}), ElementsAre("kill worker 1/0"));
}

TEST(DispatcherTimeTest, AnIdleWorkerIsNeverLate) {
  StageLimits work = WorkStage(1);
  work.batch_timeout_ns = 1;
  DispatcherScript job({ReadStage(), work, CollectStage()}, AmpleLimits());
  job.Start();
  job.Send(WorkerUp{1, 0});
  job.now_ns = 100 * kSecondNs;
  EXPECT_THAT(job.Send(Tick{}), IsEmpty());
}

DispatcherLimits Watched() {
  DispatcherLimits limits = AmpleLimits();
  limits.warn_after_ns = 60 * kSecondNs;
  limits.fail_after_ns = 1800 * kSecondNs;
  return limits;
}

TEST(DispatcherTimeTest, AJobInWhichNothingHappensWarnsOnceAndThenFailsNamingTheStage) {
  DispatcherScript job({ReadStage(), WorkStage(1), CollectStage()}, Watched());
  job.Start();
  job.List({0});
  job.now_ns = 60 * kSecondNs;
  EXPECT_THAT(job.Send(Tick{}), IsEmpty());
  job.now_ns = 61 * kSecondNs;
  EXPECT_THAT(job.Send(Tick{}),
              ElementsAre(HasSubstr("Nothing has happened for 61 s: stage S0 runs 1 step; stage S1 "
                                    "1 worker being built; ")));
  EXPECT_THAT(job.Send(Tick{}), IsEmpty());
  job.now_ns = 1801 * kSecondNs;
  EXPECT_THAT(job.Send(Tick{}), ElementsAre("fail"));
  EXPECT_EQ(DetailOf(job.finish())->kind(), ErrorKind::kNoProgress);
  EXPECT_THAT(job.finish().message(), HasSubstr("S1 1 worker being built"));
}

TEST(DispatcherTimeTest, AnythingThatHappensStartsTheWaitAnew) {
  DispatcherScript job({ReadStage(), WorkStage(1), CollectStage()}, Watched());
  job.Start();
  job.now_ns = 59 * kSecondNs;
  job.List({0});
  job.now_ns = 118 * kSecondNs;
  EXPECT_THAT(job.Send(Tick{}), IsEmpty());
}

TEST(DispatcherTimeTest, ACallerWhoTakesItsTimeIsNoFault) {
  DispatcherScript job({ReadStage(), CollectStage()}, Watched());
  job.Start();
  job.List({0});
  job.Done(0, 0, 1, 5);
  job.now_ns = 10'000 * kSecondNs;
  EXPECT_THAT(job.Send(Tick{}), IsEmpty());
}

TEST(DispatcherTimeTest, AStageThatWaitsForAResourceSaysWhich) {
  DispatcherLimits limits = Watched();
  limits.resources = {{"GPUs", 1}};
  StageLimits first = WorkStage(1);
  first.needs = {1};
  StageLimits second = first;
  DispatcherScript job({ReadStage(), first, second, CollectStage()}, limits);
  job.Start();
  job.Send(WorkerUp{1, 0});
  job.List({0});
  job.Done(0, 0, 1, 2);
  job.Done(1, 0, 11, 1);  // The second batch goes on, and the next stage has none to run its first.
  job.now_ns = 61 * kSecondNs;
  EXPECT_THAT(job.Send(Tick{}),
              ElementsAre(HasSubstr("stage S1 1 worker busy, each with one batch all that time; "
                                    "stage S2 has no worker, and for one there is too little left "
                                    "of: GPUs")));
}

}  // namespace
}  // namespace penstock
