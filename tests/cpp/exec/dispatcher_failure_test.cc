#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "exec/dispatcher_script.h"
#include "penstock/base/error.h"

namespace penstock {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

StageLimits Isolating(int64_t batch_rows, int workers = 1, int in_flight = 1) {
  StageLimits stage = WorkStage(batch_rows, workers, in_flight);
  stage.isolates_failures = true;
  return stage;
}

/// A job whose functions can be made to fail.
class Job : public WorkJob {
 public:
  using WorkJob::WorkJob;

  std::vector<std::string> Fails(TaskId task, int64_t row = -1) {
    return Send(TaskFailed{.stage = 1,
                           .task = task,
                           .status = MakeError(ErrorKind::kUserFunction, "no such thing"),
                           .by_functions = true,
                           .row = row});
  }
};

TEST(DispatcherFailureTest, ABatchThatFailsIsRunAgainInHalves) {
  Job job(Isolating(8), 8);
  EXPECT_THAT(job.Fails(0), ElementsAre("start 1/0 [1:0+4] worker 0 again"));
  EXPECT_THAT(job.Done(1, 0, 11, 4), ElementsAre("emit 11:0+4", "start 1/0 [1:4+2] worker 0 again"))
      << "the second half fails as the first did not, so it is cut at once";
  EXPECT_THAT(job.Fails(0), ElementsAre("start 1/0 [1:4+1] worker 0 again"));
  EXPECT_THAT(job.Fails(0),
              ElementsAre("leave out 1:4 of 1/0 after 3", "start 1/0 [1:5+1] worker 0 again"));
  EXPECT_THAT(job.Done(1, 0, 12, 1),
              ElementsAre("emit 12:0+1", "start 1/0 [1:6+2] worker 0 again"));
  EXPECT_THAT(job.Done(1, 0, 13, 2), ElementsAre("drop 1", "stop worker 1/0", "emit 13:0+2"));
  EXPECT_EQ(job.TakeSnapshot().stages[1].rows_failed, 1);
}

TEST(DispatcherFailureTest, ARowThatIsNamedIsRunAloneAtOnce) {
  Job job(Isolating(8), 8);
  EXPECT_THAT(job.Fails(0, 5), ElementsAre("start 1/0 [1:0+5] worker 0 again"));
  EXPECT_THAT(job.Done(1, 0, 11, 5),
              ElementsAre("emit 11:0+5", "start 1/0 [1:5+1] worker 0 again"));
  EXPECT_THAT(job.Fails(0),
              ElementsAre("leave out 1:5 of 1/0 after 2", "start 1/0 [1:6+2] worker 0 again"));
}

TEST(DispatcherFailureTest, RowsThatFailOrCameOutAreNotFiltered) {
  StageLimits stage = Isolating(8);
  stage.only_filters = true;
  Job job(stage, 8);
  job.Done(1, 0, 10, 4, 0, /*finished=*/false);
  job.Fails(0, 5);  // What it has yielded is no more.
  job.Done(1, 0, 11, 3);
  EXPECT_EQ(job.TakeSnapshot().stages[1].rows_filtered, 0) << "the batch goes on";
  job.Fails(0);
  job.Done(1, 0, 12, 2);
  EXPECT_EQ(job.TakeSnapshot().stages[1].rows_failed, 1);
  EXPECT_EQ(job.TakeSnapshot().stages[1].rows_filtered, 2);
}

TEST(DispatcherFailureTest, NobodyTellsFilteredRowsWhereFunctionsChangeTheirNumber) {
  Job job(Isolating(8), 8);
  job.Done(1, 0, 11, 3);
  EXPECT_EQ(job.TakeSnapshot().stages[1].rows_filtered, 0);
}

TEST(DispatcherFailureTest, WhatABatchYieldedBeforeItFailedIsDropped) {
  Job job(Isolating(2), 2);
  EXPECT_THAT(job.Done(1, 0, 11, 3, 0, /*finished=*/false), ElementsAre("step 1/0"));
  EXPECT_THAT(job.Fails(0), ElementsAre("drop 11", "start 1/0 [1:0+1] worker 0 again"));
}

TEST(DispatcherFailureTest, ATaskOfWhichEveryRowFailsIsOver) {
  Job job(Isolating(1), 1);
  EXPECT_THAT(job.Fails(0),
              ElementsAre("leave out 1:0 of 1/0 after 1", "drop 1", "stop worker 1/0"));
}

TEST(DispatcherFailureTest, TheRowThatKillsItsWorkerIsFoundAfterFewDeaths) {
  Job job(Isolating(4), 4);
  int deaths = 0;
  std::vector<std::string> lines;
  for (const char* range : {"[1:0+2]", "[1:0+1]"}) {
    job.Send(WorkerDied{1, 0, Death()});
    ++deaths;
    lines = job.Send(WorkerUp{1, 0});
    EXPECT_THAT(lines, ElementsAre(HasSubstr(range)));
  }
  EXPECT_THAT(job.Send(WorkerDied{1, 0, Death()}),
              ElementsAre("leave out 1:0 of 1/0 after 3", "start worker 1/0"));
  EXPECT_LE(++deaths, 2 + 2);
}

TEST(DispatcherFailureTest, OneDeathAloneBlamesNoRow) {
  Job job(Isolating(1), 1);
  EXPECT_THAT(job.Send(WorkerDied{1, 0, Death()}), ElementsAre("start worker 1/0"));
  EXPECT_THAT(job.Send(WorkerUp{1, 0}), ElementsAre("start 1/0 [1:0+1] worker 0 again"));
  EXPECT_THAT(job.Done(1, 0, 11, 1), ElementsAre("drop 1", "stop worker 1/0", "emit 11:0+1"));
}

TEST(DispatcherFailureTest, BatchesThatWereOnlyNearADeathAreNotCut) {
  Job job(Isolating(4, 1, 2), 8);
  job.Send(WorkerDied{1, 0, Death()});  // Under batches 0 and 1.
  EXPECT_THAT(job.Send(WorkerUp{1, 0}), ElementsAre("start 1/0 [1:0+4] worker 0 again"));
  EXPECT_THAT(job.Done(1, 0, 11, 4),
              ElementsAre("emit 11:0+4", "start 1/1 [1:4+4] worker 0 again"));
}

TEST(DispatcherFailureTest, MoreFailuresThanAllowedEndTheJobWithTheLast) {
  StageLimits work = Isolating(1);
  work.failed_rows_max = 1;
  Job job(work, 3);
  EXPECT_THAT(job.Fails(0),
              ElementsAre("leave out 1:0 of 1/0 after 1", "start 1/1 [1:1+1] worker 0"));
  EXPECT_THAT(job.Fails(1), ElementsAre("leave out 1:1 of 1/1 after 1", "fail"));
  EXPECT_THAT(job.finish().message(), HasSubstr("2 rows failed, where 1 may"));
  EXPECT_THAT(job.finish().message(), HasSubstr("the last one: no such thing"));
}

TEST(DispatcherFailureTest, AShareIsJudgedWhenTheStageIsDone) {
  StageLimits work = Isolating(1);
  work.failed_share_max = 0.25;
  Job job(work, 3);
  job.Fails(0);
  job.Done(1, 1, 11, 1);
  EXPECT_THAT(job.Done(1, 2, 12, 1), ElementsAre("drop 1", "fail"));
  EXPECT_THAT(job.finish().message(), HasSubstr("1 rows failed, where 25 % may"));
}

TEST(DispatcherFailureTest, OtherFailuresEndTheJob) {
  Job job(Isolating(4), 4);
  EXPECT_THAT(job.Send(TaskFailed{.stage = 1, .task = 0, .status = Status::IOError("no disk")}),
              ElementsAre("fail"));
}

TEST(DispatcherFailureTest, TheLastCommitCountsTheRows) {
  Job job(Isolating(1), 1, WriteStage());
  job.Fails(0);
  EXPECT_THAT(job.Send(WorkerStopped{1, 0}), IsEmpty());
  EXPECT_EQ(job.TakeSnapshot().stages[1].rows_failed, 1);
}

}  // namespace
}  // namespace penstock
