#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "exec/dispatcher_script.h"

namespace penstock {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<StageLimits> Windowed(int64_t rows) {
  StageLimits windows = UnionStage({0});
  windows.window_rows = rows;
  windows.restored_by = 3;
  StageLimits work = WorkStage(0, 1, 4);
  return {ReadStage(), windows, work, UnionStage({2}), CollectStage()};
}

TEST(DispatcherWindowTest, WindowsHaveTheirRowsAndComeBackWhole) {
  DispatcherScript job(Windowed(4), AmpleLimits());
  job.Start();
  job.Send(WorkerUp{2, 0});
  job.List({0});
  EXPECT_THAT(job.Done(0, 0, 1, 6), ElementsAre("start 1/0 [1:0+4]"));
  EXPECT_THAT(job.Done(1, 0, 11, 3, 0, /*finished=*/false),
              ElementsAre("start 2/0 [11:0+3] worker 0", "step 1/0"));
  EXPECT_THAT(job.Done(1, 0, 12, 1),
              ElementsAre("start 2/1 [12:0+1] worker 0", "start 1/1 [1:4+2]"));
  EXPECT_THAT(job.Done(2, 0, 21, 3), ElementsAre("drop 11"));
  EXPECT_THAT(job.Done(2, 1, 22, 1), ElementsAre("drop 12", "start 3/0 [21:0+3 22:0+1]"));
}

TEST(DispatcherWindowTest, AWindowEndsWhereItsChunkEnds) {
  DispatcherScript job(Windowed(100), AmpleLimits());
  job.Start();
  job.List({0, 1});
  job.Done(0, 0, 1, 6, /*chunk=*/0);
  EXPECT_THAT(job.Done(0, 1, 2, 6, /*chunk=*/1), ElementsAre("start 1/0 [1:0+6]"));
}

TEST(DispatcherWindowTest, AWindowThatFillsTheBudgetEndsEarly) {
  DispatcherLimits limits = AmpleLimits();
  limits.budget_bytes = 100;
  DispatcherScript job(Windowed(1000), limits);
  job.Start();
  job.Send(WorkerUp{2, 0});
  job.List({0});
  std::vector<std::string> lines;
  for (BlockId block = 1; block < 40 && lines.empty(); ++block) {
    lines = job.Done(0, 0, block, 5, 0, /*finished=*/false, /*bytes=*/20);
    std::erase(lines, "step 0/0");
  }
  EXPECT_THAT(lines, ElementsAre(HasSubstr("start 1/0 ")));
}

TEST(DispatcherWindowTest, AWindowIsRestoredByAStageThatJoinsNothingElse) {
  std::vector<StageLimits> stages = Windowed(10);
  stages[3].regroup_rows = 5;
  EXPECT_THAT(Dispatcher::Make(stages, AmpleLimits()).status().message(),
              HasSubstr("restored_by must name a regrouping stage"));
}

}  // namespace
}  // namespace penstock
