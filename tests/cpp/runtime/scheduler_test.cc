#include "runtime/scheduler_fixture.h"

namespace penstock::runtime {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST_F(SchedulerTest, RunsAsManyTasksAsFitOnWorkersThatItUsesAgain) {
  for (int i = 0; i < 4; ++i) Submit(one_);
  EXPECT_THAT(Run(), ElementsAre(1, 2));
  Done(2);
  EXPECT_THAT(Run(), ElementsAre(3));
  EXPECT_THAT(started_, SizeIs(2));
}

TEST_F(SchedulerTest, LetsTasksOfOtherShapesPassOneThatDoesNotFit) {
  const ShapeNumber both = scheduler_->ShapeOf({2}, 0);
  Submit(one_);
  EXPECT_THAT(Run(), ElementsAre(1));
  Submit(both);
  Submit(one_);
  EXPECT_THAT(Run(), ElementsAre(3));
}

TEST_F(SchedulerTest, KeepsWhatComesFreeForOneThatWasPassedOverForLong) {
  const ShapeNumber both = scheduler_->ShapeOf({2}, 0);
  Submit(one_);
  uint64_t last = Run().at(0);
  const uint64_t large = Submit(both);
  int passed = 0;
  while (passed < 2 * kPassedOverMax) {
    Submit(one_);
    const std::vector<uint64_t> run = Run();
    Done(last);
    if (run.empty()) break;
    last = run.at(0);
    ++passed;
  }
  EXPECT_LE(passed, kPassedOverMax + 1);
  EXPECT_THAT(Run(), ElementsAre(large));
}

TEST_F(SchedulerTest, KeepsNothingForOneThatAnActorLeavesNoRoom) {
  TaskSpec constructor{
      .task = ++last_task_, .kind = TaskKind::kConstructor, .shape = one_, .actor = 1000};
  scheduler_->ActorSubmitted(constructor, {});
  Run();
  Done(1);
  Submit(scheduler_->ShapeOf({2}, 0));
  for (int i = 0; i < 2 * kPassedOverMax; ++i) {
    const uint64_t task = Submit(one_);
    ASSERT_THAT(Run(), ElementsAre(task));
    Done(task);
  }
}

TEST_F(SchedulerTest, GivesTheProcessorsOfATaskThatWaitsToAnother) {
  for (int i = 0; i < 3; ++i) Submit(one_);
  Run();
  scheduler_->Blocked(worker_of_[1]);
  EXPECT_THAT(Run(), ElementsAre(3));
  scheduler_->Unblocked(worker_of_[1]);
  EXPECT_EQ(scheduler_->available()[0], -1);
  Submit(one_);
  Done(2);
  EXPECT_THAT(Run(), IsEmpty()) << "the debt is paid first";
  Done(3);
  EXPECT_THAT(Run(), ElementsAre(4));
}

TEST_F(SchedulerTest, KeepsTheGpuOfATaskThatWaits) {
  const ShapeNumber gpu = scheduler_->ShapeOf({1, 1}, 0);
  Submit(gpu);
  Submit(gpu);
  Run();
  scheduler_->Blocked(worker_of_[1]);
  EXPECT_THAT(Run(), IsEmpty());
}

TEST_F(SchedulerTest, StartsOneWorkerAtMostForEachTask) {
  workers_start_ = false;
  scheduler_->StartAhead();
  Submit(one_);
  Run();
  EXPECT_THAT(started_, SizeIs(1));
  Submit(one_);
  Run();
  EXPECT_THAT(started_, SizeIs(2));
}

TEST_F(SchedulerTest, GivesUpAnEnvironmentWhoseWorkersDieAtTheStart) {
  workers_start_ = false;
  Submit({.shape = scheduler_->ShapeOf({1}, 7)});
  for (int i = 0; i < kStartFailuresMax; ++i) {
    Settle();
    ASSERT_THAT(started_, SizeIs(i + 1));
    scheduler_->WorkerGone(started_.back().worker, {.text = "died"});
  }
  Settle();
  ASSERT_THAT(ended_, SizeIs(1));
  EXPECT_EQ(ended_[0].error, SystemError::kEnvironment);
  EXPECT_EQ(scheduler_->available()[0], 2);
}

TEST_F(SchedulerTest, PausesLongerBeforeEachRepetitionForWantOfMemory) {
  Submit({.shape = one_, .max_retries = 1});
  int64_t before_ns = 0;
  for (int i = 0; i < 3; ++i) {
    ASSERT_THAT(Run(), ElementsAre(1));
    scheduler_->WorkerGone(worker_of_[1], {.text = "died", .out_of_memory = true});
    const int64_t begun_ns = now_ns_;
    while (Run().empty()) PassTime(kTickNs);
    run_.push_back({.worker = worker_of_[1], .task = 1});
    EXPECT_GT(now_ns_ - begun_ns, before_ns);
    before_ns = now_ns_ - begun_ns;
  }
}

TEST_F(SchedulerTest, GivesUpATaskForWhichThereIsNeverMemory) {
  Submit({.shape = one_, .max_retries = 1});
  for (int i = 0; i <= kMemoryRetriesMax; ++i) {
    while (Run().empty()) PassTime(kMemoryPauseMaxNs);
    scheduler_->WorkerGone(worker_of_[1], {.text = "died", .out_of_memory = true});
  }
  Settle();
  ASSERT_THAT(ended_, SizeIs(1));
  EXPECT_EQ(ended_[0].error, SystemError::kOutOfMemory);
}

TEST_F(SchedulerTest, EndsWorkersThatIdleForLongButAFew) {
  Use({.resources = {4, 0, 0}, .starting_max = 4, .idle_kept = 1});
  for (int i = 0; i < 3; ++i) Submit(one_);
  for (const uint64_t task : Run()) Done(task);
  PassTime(kIdleTimeNs / 2);
  Settle();
  EXPECT_THAT(stopped_, IsEmpty());
  PassTime(kIdleTimeNs);
  Settle();
  EXPECT_THAT(stopped_, SizeIs(2));
  EXPECT_TRUE(scheduler_->WantsTicks());
  PassTime(kStopTimeNs);
  Settle();
  EXPECT_EQ(killed_, stopped_) << "they did not end";
}

TEST_F(SchedulerTest, SendsShortTasksAheadAndTakesThemBackFromBehindALongOne) {
  for (int i = 0; i < 42; ++i) Submit(one_);
  for (const uint64_t task : Run()) Done(task);  // They took no time.
  const std::vector<uint64_t> run = Run();
  EXPECT_THAT(run, SizeIs(2 * (1 + kTasksAhead)));
  PassTime(kLongTaskNs);
  PassTime(kTickNs);
  Settle();
  ASSERT_THAT(taken_back_, SizeIs(2));
  EXPECT_THAT(taken_back_[0].tasks, SizeIs(kTasksAhead));
  for (const TakeBack& back : taken_back_) {
    for (const uint64_t task : back.tasks) scheduler_->TaskGivenBack(back.worker, task);
  }
  EXPECT_THAT(Run(), IsEmpty()) << "as tasks of the function are not short any more";
  Done(run[0]);
  EXPECT_THAT(Run(), ElementsAre(run[0] + 1 == run[1] ? run[2] : run[0] + 1)) << "in their order";
}

TEST_F(SchedulerTest, SendsNothingAheadWhileTasksLast) {
  for (int i = 0; i < 9; ++i) Submit(one_);
  const std::vector<uint64_t> run = Run();
  PassTime(2 * kShortTaskNs);
  for (const uint64_t task : run) Done(task);
  EXPECT_THAT(Run(), SizeIs(2));
}

TEST_F(SchedulerTest, BoundsTheWorkersThatNeedNoProcessor) {
  Use({.resources = {2, 0, 0}, .starting_max = 100, .idle_kept = 1});
  const ShapeNumber nothing = scheduler_->ShapeOf({0}, 0);
  for (int i = 0; i < 100; ++i) Submit(nothing);
  EXPECT_THAT(Run(), SizeIs(kFreeRunnersMax));
  scheduler_->Blocked(worker_of_[1]);
  EXPECT_THAT(Run(), SizeIs(1)) << "one that waits does not count";
}

TEST_F(SchedulerTest, SaysWhoHoldsWhatATaskLacks) {
  const ShapeNumber gpu = scheduler_->ShapeOf({1, 1}, 0);
  const uint64_t holder = Submit(gpu);
  const uint64_t queued = Submit(gpu);
  const uint64_t short_of_processors = Submit(scheduler_->ShapeOf({2}, 0));
  EXPECT_THAT(Run(), ElementsAre(holder));
  const std::vector<Shortage> shortages = scheduler_->ShortagesOf(queued);
  ASSERT_THAT(shortages, SizeIs(1));
  EXPECT_EQ(shortages[0].resource, 1);
  EXPECT_EQ(shortages[0].lacking, 1);
  ASSERT_THAT(shortages[0].holders, SizeIs(1));
  EXPECT_EQ(shortages[0].holders[0].number, holder);
  EXPECT_THAT(scheduler_->ShortagesOf(short_of_processors), IsEmpty());
  EXPECT_THAT(scheduler_->ShortagesOf(holder), IsEmpty());
  scheduler_->CancelTask(holder, 0);  // It is about to end.
  EXPECT_THAT(scheduler_->ShortagesOf(queued), IsEmpty());
}

}  // namespace
}  // namespace penstock::runtime
