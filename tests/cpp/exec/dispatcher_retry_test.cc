#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "exec/dispatcher_script.h"
#include "penstock/base/error.h"

namespace penstock {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr int64_t kSecond = 1'000'000'000;
constexpr Cause kConnection = kByException;
constexpr Cause kOther = kByException + 1;

/// Of crashes one retry, of time-outs two, of memory none; of two exceptions three with waits, and
/// one without.
StageLimits Retrying(int64_t batch_rows = 1) {
  StageLimits stage = WorkStage(batch_rows);
  stage.retries = {
      {.name = "crash", .retries = 1},
      {.name = "time-out", .retries = 2},
      {.name = "out of memory"},
      {.name = "ConnectionError", .retries = 3, .wait_ns = kSecond, .wait_max_ns = 3 * kSecond},
      {.name = "ValueError", .retries = 1}};
  return stage;
}

class Job : public WorkJob {
 public:
  using WorkJob::WorkJob;

  std::vector<std::string> Raises(TaskId task, Cause cause) {
    return Send(TaskFailed{.stage = 1,
                           .task = task,
                           .status = MakeError(ErrorKind::kUserFunction, "no such thing"),
                           .by_functions = true,
                           .cause = cause});
  }

  std::vector<std::string> Dies(Cause cause) {
    WorkerDied died{1, 0, Death()};
    died.cause = cause;
    std::vector<std::string> lines = Send(died);
    if (!finish().ok()) return lines;
    return Send(WorkerUp{1, 0});
  }

  std::vector<std::string> TickAfter(int64_t ns) {
    now_ns += ns;
    return Send(Tick{});
  }
};

TEST(DispatcherRetryTest, EachCauseHasABudgetOfItsOwn) {
  Job job(Retrying(), 1);
  EXPECT_THAT(job.Dies(kByTimeout), ElementsAre("start 1/0 [1:0+1] worker 0 again"));
  EXPECT_THAT(job.Dies(kByCrash), ElementsAre("start 1/0 [1:0+1] worker 0 again"));
  EXPECT_THAT(job.Dies(kByTimeout), ElementsAre("start 1/0 [1:0+1] worker 0 again"));
  EXPECT_THAT(job.Dies(kByTimeout), ElementsAre("fail"));
  EXPECT_EQ(job.finish().message(),
            "killed by signal 9; what ended the batch's runs: crash 1 times (retries allowed: 1), "
            "time-out 3 times (retries allowed: 2)");
}

TEST(DispatcherRetryTest, WithoutABudgetTheFirstFailureEndsTheJob) {
  Job job(Retrying(), 1);
  EXPECT_THAT(job.Dies(kByMemory), ElementsAre("fail"));
  EXPECT_THAT(job.finish().message(), HasSubstr("out of memory 1 times (retries allowed: 0)"));
}

TEST(DispatcherRetryTest, WhatIsNeverTriedAgainEndsTheJobAsItIs) {
  Job job(Retrying(), 1);
  EXPECT_THAT(job.Raises(0, kNoCause), ElementsAre("fail"));
  EXPECT_EQ(job.finish().message(), "no such thing");
}

TEST(DispatcherRetryTest, WhatWasRaisedRunsAgainOnTheSameWorker) {
  Job job(Retrying(), 2);
  EXPECT_THAT(job.Raises(0, kOther), ElementsAre("start 1/0 [1:0+1] worker 0 again"));
  EXPECT_THAT(job.Done(1, 0, 11, 1), ElementsAre("emit 11:0+1", "start 1/1 [1:1+1] worker 0"));
  EXPECT_EQ(job.TakeSnapshot().stages[1].retries, 1);
  EXPECT_EQ(job.TakeSnapshot().stages[1].restarts, 0);
}

TEST(DispatcherRetryTest, ItWaitsLongerEachTimeAndOthersRunMeanwhile) {
  Job job(Retrying(), 2);
  EXPECT_THAT(job.Raises(0, kConnection), ElementsAre("start 1/1 [1:1+1] worker 0"));
  EXPECT_THAT(job.Done(1, 1, 11, 1), IsEmpty());
  EXPECT_THAT(job.TickAfter(kSecond / 2 - 1), IsEmpty()) << "half of a second at the least";
  EXPECT_THAT(job.TickAfter(kSecond / 2 + 1), ElementsAre("start 1/0 [1:0+1] worker 0 again"));
  EXPECT_THAT(job.Raises(0, kConnection), IsEmpty());
  EXPECT_THAT(job.TickAfter(kSecond - 1), IsEmpty());
  EXPECT_THAT(job.TickAfter(kSecond + 1), ElementsAre("start 1/0 [1:0+1] worker 0 again"));
  EXPECT_THAT(job.Raises(0, kConnection), IsEmpty());
  EXPECT_THAT(job.TickAfter(3 * kSecond), ElementsAre("start 1/0 [1:0+1] worker 0 again"))
      << "never longer than the most";
  EXPECT_THAT(job.Raises(0, kConnection), ElementsAre("fail"));
  EXPECT_THAT(job.finish().message(), HasSubstr("ConnectionError 4 times (retries allowed: 3)"));
}

TEST(DispatcherRetryTest, BatchesThatFailTogetherComeBackOneByOne) {
  StageLimits work = Retrying();
  work.in_flight_per_worker = 8;
  Job job(work, 8);
  for (TaskId task = 0; task < 8; ++task) EXPECT_THAT(job.Raises(task, kConnection), IsEmpty());
  size_t most = 0;
  size_t all = 0;
  for (int64_t step = 0; step < 100; ++step) {
    const size_t together = job.TickAfter(kSecond / 100).size();
    most = std::max(most, together);
    all += together;
  }
  EXPECT_EQ(all, 8);
  EXPECT_LE(most, 3);
}

TEST(DispatcherRetryTest, TheJobDoesNotStandStillWhileABatchWaits) {
  Job job(Retrying(), 1);
  EXPECT_THAT(job.Raises(0, kConnection), IsEmpty());
  EXPECT_TRUE(job.finish().ok());
  EXPECT_THAT(job.Describe(), HasSubstr("1 to be run again later"));
}

TEST(DispatcherRetryTest, RowsAreLookedForOnceTheBudgetIsUsedUp) {
  StageLimits work = Retrying(2);
  work.isolates_failures = true;
  Job job(work, 2);
  EXPECT_THAT(job.Raises(0, kOther), ElementsAre("start 1/0 [1:0+2] worker 0 again"));
  EXPECT_THAT(job.Raises(0, kOther), ElementsAre("start 1/0 [1:0+1] worker 0 again"));
  EXPECT_THAT(job.Raises(0, kOther),
              ElementsAre("leave out 1:0 of 1/0 after 3", "start 1/0 [1:1+1] worker 0 again"));
}

TEST(DispatcherRetryTest, ABatchThatIsNotWantedAnyMoreDoesNotComeBack) {
  StageLimits work = Retrying();
  work.row_limit = 1;
  work.in_flight_per_worker = 2;
  Job job(work, 3);
  EXPECT_THAT(job.Raises(1, kConnection), ElementsAre("start 1/2 [1:2+1] worker 0"));
  EXPECT_THAT(job.Done(1, 0, 11, 1),
              ElementsAre("abandon 1/1", "abandon 1/2", "stop worker 1/0", "emit 11:0+1"));
  EXPECT_THAT(job.TickAfter(5 * kSecond), IsEmpty());
}

TEST(DispatcherRetryTest, WorkersKilledWhileTheyAreBuiltCountAsRestarts) {
  StageLimits work = WorkStage(1);
  work.max_build_kills = -1;
  work.max_restarts = 5;
  DispatcherScript job({ReadStage(), work, CollectStage()}, AmpleLimits());
  job.Start();
  WorkerDied killed{1, 0, Death()};
  killed.was_killed = true;
  for (int kill = 0; kill < 5; ++kill) {
    EXPECT_THAT(job.Send(killed), ElementsAre("start worker 1/0")) << kill;
  }
  EXPECT_THAT(job.Send(killed), ElementsAre("fail"));
  EXPECT_THAT(job.finish().message(), HasSubstr("no more restarts are allowed (max_restarts=5)"));
}

TEST(DispatcherRetryTest, SoManyKilledInARowEndTheJobUnlessOneComesUp) {
  StageLimits work = WorkStage(1);
  work.max_build_kills = 4;
  DispatcherScript job({ReadStage(), work, CollectStage()}, AmpleLimits());
  job.Start();
  WorkerDied killed{1, 0, Death()};
  killed.was_killed = true;
  for (int kill = 0; kill < 3; ++kill) job.Send(killed);
  job.Send(WorkerUp{1, 0});
  job.Send(killed);
  for (int kill = 0; kill < 3; ++kill) {
    EXPECT_THAT(job.Send(killed), ElementsAre("start worker 1/0")) << kill;
  }
  EXPECT_THAT(job.Send(killed), ElementsAre("fail"));
  EXPECT_EQ(job.finish().message(), "killed by signal 9 (try 4 of 4)");
}

TEST(DispatcherRetryTest, ThoseThatDieByThemselvesStillEndItAfterThree) {
  StageLimits work = WorkStage(1);
  work.max_build_kills = -1;
  DispatcherScript job({ReadStage(), work, CollectStage()}, AmpleLimits());
  job.Start();
  WorkerDied killed{1, 0, Death()};
  killed.was_killed = true;
  job.Send(WorkerDied{1, 0, Death()});
  job.Send(killed);
  job.Send(WorkerDied{1, 0, Death()});
  EXPECT_THAT(job.Send(WorkerDied{1, 0, Death()}), ElementsAre("fail"));
}

}  // namespace
}  // namespace penstock
