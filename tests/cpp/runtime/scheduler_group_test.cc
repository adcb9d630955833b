#include "runtime/scheduler_fixture.h"

namespace penstock::runtime {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

/// Gives tests groups on a machine of 2 processors, a GPU and 8 of memory.
class SchedulerGroupTest : public SchedulerTest {
 protected:
  static constexpr GroupNumber kGroup = 1000;

  ShapeNumber In(const std::vector<double>& needs, int bundle = kAnyBundle,
                 GroupNumber group = kGroup) {
    return scheduler_->ShapeOf(needs, 0, {.group = group, .bundle = bundle});
  }
};

TEST_F(SchedulerGroupTest, HoldsBackWhatItsBundlesNeed) {
  scheduler_->GroupSubmitted(kGroup, {{1, 1}, {0, 0, 3}});
  Settle();
  EXPECT_THAT(groups_, ElementsAre(kGroup));
  EXPECT_THAT(scheduler_->available(), ElementsAre(1, 0, 5));
  EXPECT_THAT(scheduler_->AvailableIn(kGroup, 1), ElementsAre(0, 0, 3));
  Submit(one_);
  Submit(one_);
  EXPECT_THAT(Run(), ElementsAre(1));
}

TEST_F(SchedulerGroupTest, WaitsInTheQueueUntilThereIsRoom) {
  Submit(one_);
  EXPECT_THAT(Run(), ElementsAre(1));
  scheduler_->GroupSubmitted(kGroup, {{1}, {1}});
  Settle();
  EXPECT_THAT(groups_, IsEmpty());
  EXPECT_THAT(scheduler_->AvailableIn(kGroup, 0), IsEmpty());
  Done(1);
  Settle();
  EXPECT_THAT(groups_, ElementsAre(kGroup));
}

TEST_F(SchedulerGroupTest, IsNotOvertakenForEver) {
  Submit(one_);
  EXPECT_THAT(Run(), SizeIs(1));
  scheduler_->GroupSubmitted(kGroup, {{2}});
  uint64_t running = 1;
  for (int i = 0; i < 3 * kPassedOverMax && groups_.empty(); ++i) {
    const uint64_t next = Submit(one_);
    Settle();
    Run();
    Done(running);
    Settle();
    running = next;
    Run();
    if (!worker_of_.contains(running)) break;
  }
  Settle();
  EXPECT_THAT(groups_, ElementsAre(kGroup));
}

TEST_F(SchedulerGroupTest, RunsTasksInItsBundlesBesideTheMachines) {
  scheduler_->GroupSubmitted(kGroup, {{0.5}, {0.5}});
  const uint64_t first = Submit(In({0.5}, 1));
  const uint64_t second = Submit(In({0.5}, 1));
  const uint64_t any = Submit(In({0.5}));
  const uint64_t outside = Submit(one_);
  EXPECT_THAT(Run(), ElementsAre(first, any, outside));
  EXPECT_THAT(scheduler_->AvailableIn(kGroup, 1), ElementsAre(0, 0, 0));
  Done(first);
  EXPECT_THAT(Run(), ElementsAre(second));
}

TEST_F(SchedulerGroupTest, GivesTheProcessorsOfATaskThatWaitsBackToItsBundle) {
  scheduler_->GroupSubmitted(kGroup, {{2}});
  const uint64_t outer = Submit(In({2}));
  EXPECT_THAT(Run(), ElementsAre(outer));
  const uint64_t inner = Submit(In({1}));
  const uint64_t outside = Submit(one_);
  EXPECT_THAT(Run(), IsEmpty());
  scheduler_->Blocked(worker_of_.at(outer));
  EXPECT_THAT(Run(), ElementsAre(inner));
  scheduler_->Unblocked(worker_of_.at(outer));
  EXPECT_THAT(scheduler_->AvailableIn(kGroup, 0), ElementsAre(-1, 0, 0));
  Done(inner);
  Done(outer);
  EXPECT_THAT(Run(), IsEmpty()) << outside;
  EXPECT_THAT(scheduler_->AvailableIn(kGroup, 0), ElementsAre(2, 0, 0));
}

TEST_F(SchedulerGroupTest, EndsWhatIsInItWhenItIsRemoved) {
  scheduler_->GroupSubmitted(kGroup, {{1}});
  const ShapeNumber inside = In({1});
  const uint64_t running = Submit(inside);
  const uint64_t queued = Submit(inside);
  EXPECT_THAT(Run(), ElementsAre(running));
  scheduler_->GroupRemoved(kGroup);
  Settle();
  ASSERT_THAT(ended_, SizeIs(1));
  EXPECT_EQ(ended_[0].task, queued);
  EXPECT_EQ(ended_[0].error, SystemError::kGroupRemoved);
  EXPECT_THAT(killed_, ElementsAre(worker_of_.at(running)));
  EXPECT_THAT(scheduler_->available(), ElementsAre(1, 1, 8));
  scheduler_->WorkerGone(worker_of_.at(running), {.text = "was killed"});
  Settle();
  ASSERT_THAT(ended_, SizeIs(2));
  EXPECT_EQ(ended_[1].error, SystemError::kGroupRemoved);
  EXPECT_THAT(scheduler_->available(), ElementsAre(2, 1, 8));
}

TEST_F(SchedulerGroupTest, EndsItsActorsForGoodWhenItIsRemoved) {
  scheduler_->GroupSubmitted(kGroup, {{1}});
  const TaskSpec constructor{
      .task = ++last_task_, .kind = TaskKind::kConstructor, .shape = In({1}), .actor = 500};
  scheduler_->ActorSubmitted(constructor, {.max_restarts = -1});
  EXPECT_THAT(Run(), ElementsAre(constructor.task));
  Done(constructor.task);
  scheduler_->GroupRemoved(kGroup);
  scheduler_->TaskSubmitted({.task = ++last_task_, .kind = TaskKind::kMethod, .actor = 500});
  Settle();
  EXPECT_EQ(ended_.back().task, last_task_);
  EXPECT_EQ(ended_.back().error, SystemError::kActorDied);
  EXPECT_THAT(killed_, SizeIs(1));
  scheduler_->WorkerGone(killed_[0], {.text = "was killed"});
  EXPECT_THAT(Run(), IsEmpty());
  EXPECT_THAT(scheduler_->available(), ElementsAre(2, 1, 8));
}

TEST_F(SchedulerGroupTest, IsRemovedBeforeItsTurnAtNoCost) {
  scheduler_->GroupSubmitted(kGroup, {{2}});
  scheduler_->GroupSubmitted(kGroup + 1, {{2}});
  const uint64_t inside = Submit(In({1}, 0, kGroup + 1));
  Settle();
  scheduler_->GroupRemoved(kGroup + 1);
  scheduler_->GroupRemoved(kGroup);
  Settle();
  EXPECT_THAT(groups_, ElementsAre(kGroup));
  ASSERT_THAT(ended_, SizeIs(1));
  EXPECT_EQ(ended_[0].task, inside);
  EXPECT_THAT(scheduler_->available(), ElementsAre(2, 1, 8));
}

TEST_F(SchedulerGroupTest, UsesTheNumbersOfShapesAgain) {
  scheduler_->GroupSubmitted(kGroup, {{1}});
  const ShapeNumber first = In({1});
  scheduler_->GroupRemoved(kGroup);
  Settle();
  scheduler_->GroupSubmitted(kGroup + 1, {{1}});
  EXPECT_EQ(In({1}, 0, kGroup + 1), first);
  const uint64_t task = Submit(first);
  EXPECT_THAT(Run(), ElementsAre(task));
}

TEST_F(SchedulerGroupTest, SaysWhatATaskInABundleLacks) {
  scheduler_->GroupSubmitted(kGroup, {{1, 1}, {1}});
  const uint64_t holder = Submit(In({0, 1}, 0));
  const uint64_t queued = Submit(In({0, 1}, 0));
  const uint64_t any = Submit(In({0, 1}));
  EXPECT_THAT(Run(), ElementsAre(holder));
  for (const uint64_t lacking : {queued, any}) {
    const std::vector<Shortage> shortages = scheduler_->ShortagesOf(lacking);
    ASSERT_THAT(shortages, SizeIs(1));
    EXPECT_EQ(shortages[0].resource, 1);
    ASSERT_THAT(shortages[0].holders, SizeIs(1));
    EXPECT_EQ(shortages[0].holders[0].number, holder);
  }
}

}  // namespace
}  // namespace penstock::runtime
