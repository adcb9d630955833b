#include "penstock/base/snapshot.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace penstock {
namespace {

using testing::HasSubstr;

constexpr int64_t kSecond = 1'000'000'000;

StageSnapshot Stage(std::string name, int slots, int64_t busy, int64_t starved, int64_t blocked) {
  StageSnapshot stage;
  stage.name = std::move(name);
  stage.slots = slots;
  stage.busy_ns = busy;
  stage.starved_ns = starved;
  stage.blocked_ns = blocked;
  return stage;
}

Snapshot Job(std::vector<StageSnapshot> stages) {
  Snapshot snapshot;
  snapshot.stages = std::move(stages);
  snapshot.elapsed_ns = 10 * kSecond;
  return snapshot;
}

TEST(SnapshotTest, NamesNoStageBeforeAnythingHasRun) {
  EXPECT_EQ(Job({}).Bottleneck(), -1);
  EXPECT_EQ(Job({Stage("Read", 2, 0, 0, 0)}).Bottleneck(), -1);
  EXPECT_EQ(Snapshot().BottleneckSentence(), "Nothing has run yet.");
}

TEST(SnapshotTest, NamesTheStageWhoseSlotsAreBusiestAndNotTheOneWithMostBusyTime) {
  const Snapshot job = Job({Stage("Read", 8, 20 * kSecond, 0, 0),
                            Stage("MapBatches(Model)", 1, 9 * kSecond, kSecond, 0)});
  EXPECT_EQ(job.Bottleneck(), 1);
}

TEST(SnapshotTest, CountsTimeBeforeAStageWasUpAsIdle) {
  const Snapshot job = Job({Stage("Read", 1, kSecond, 0, 0), Stage("Map", 1, 5 * kSecond, 0, 0)});
  EXPECT_EQ(job.Bottleneck(), 1);
}

TEST(SnapshotTest, TellsHowBusyTheWorkersWere) {
  Snapshot job = Job({Stage("MapBatches(Model)", 2, 19'400'000'000, 600'000'000, 0)});
  job.stages[0].workers = 2;
  EXPECT_EQ(job.BottleneckSentence(),
            "MapBatches(Model) holds the job back: its 2 workers were busy 97 % of the time.");
}

TEST(SnapshotTest, CallsTheSlotsOfNativeStagesThreads) {
  const Snapshot job = Job({Stage("ReadParquet", 1, 9 * kSecond, 0, kSecond)});
  EXPECT_EQ(job.BottleneckSentence(),
            "ReadParquet holds the job back: its thread was busy 90 % of the time.");
}

TEST(SnapshotTest, SaysWhenTheCallerIsWhatTheJobWaitsFor) {
  const Snapshot job = Job({Stage("Read", 1, 3 * kSecond, 0, 7 * kSecond),
                            Stage("Map", 1, 2 * kSecond, 0, 8 * kSecond)});
  EXPECT_EQ(job.BottleneckSentence(),
            "Whoever takes the results holds the job back: Map, the last stage, waited 80 % of the "
            "time for them to be taken.");
}

TEST(SnapshotTest, SaysWhenBuildingTheWorkersTookMostOfTheTime) {
  Snapshot job =
      Job({Stage("Read", 1, kSecond, 0, 0), Stage("MapBatches(Model)", 2, 2 * kSecond, 0, 0)});
  job.stages[1].workers = 2;
  job.stages[1].starting_ns = 16 * kSecond;
  EXPECT_EQ(job.BottleneckSentence(),
            "Starting holds the job back: 80 % of the time went by until the workers of "
            "MapBatches(Model) were built.");
}

TEST(SnapshotTest, AccusesNoStageThatWasMostlyIdle) {
  const Snapshot job = Job({Stage("Read", 1, kSecond, 9 * kSecond, 0)});
  EXPECT_THAT(job.BottleneckSentence(), HasSubstr("No stage holds the job back for long"));
  EXPECT_THAT(job.BottleneckSentence(), HasSubstr("busy 10 % of the time"));
}

}  // namespace
}  // namespace penstock
