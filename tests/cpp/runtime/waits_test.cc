#include "penstock/runtime/waits.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <utility>

namespace penstock::runtime {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

using Graph = std::map<uint64_t, WaitsFor>;

std::vector<EndlessStep> FindSteps(uint64_t task, const Graph& graph) {
  return FindEndlessWait(task, [&graph](uint64_t other) {
    const auto found = graph.find(other);
    return found == graph.end() ? WaitsFor{} : found->second;
  });
}

std::vector<uint64_t> Find(uint64_t task, const Graph& graph) {
  std::vector<uint64_t> way;
  for (const EndlessStep& step : FindSteps(task, graph)) way.push_back(step.task);
  return way;
}

/// Waits for so much of what the others give.
WaitsFor Sharing(double enough, std::vector<Giver> givers, int resource = Share::kNoResource) {
  return {.shares = {{.enough = enough, .givers = std::move(givers), .resource = resource}}};
}

TEST(FindEndlessWait, LetsATaskWaitForOneThatMayEnd) {
  EXPECT_THAT(Find(1, {{1, {.needs = {2}}}}), IsEmpty());
}

TEST(FindEndlessWait, FindsTasksThatNeedEachOther) {
  EXPECT_THAT(Find(1, {{1, {.needs = {2}}}, {2, {.needs = {3}}}, {3, {.needs = {1}}}}),
              ElementsAre(1, 2, 3, 1));
}

TEST(FindEndlessWait, FindsATaskThatWaitsForTheRoomThatItTakesItself) {
  EXPECT_THAT(Find(1, {{1, {.needs = {2}}}, {2, Sharing(1, {{1}})}}), ElementsAre(1, 2, 1));
}

TEST(FindEndlessWait, NeedsEachOfWhatIsNeeded) {
  EXPECT_THAT(Find(1, {{1, {.needs = {5, 2}}}, {2, {.needs = {1}}}}), ElementsAre(1, 2, 1));
}

TEST(FindEndlessWait, NeedsOneRoomAlone) {
  EXPECT_THAT(Find(1, {{1, {.needs = {2}}}, {2, Sharing(1, {{1}, {5}})}}), IsEmpty());
}

TEST(FindEndlessWait, NeedsAsManyResultsAsAreWaitedFor) {
  EXPECT_THAT(Find(1, {{1, Sharing(1, {{2}, {5}})}, {2, {.needs = {1}}}}), IsEmpty());
  EXPECT_THAT(Find(1, {{1, Sharing(2, {{2}, {5}})}, {2, {.needs = {1}}}}), ElementsAre(1, 2, 1));
}

TEST(FindEndlessWait, NamesTheResourceThatATaskHoldsWhichWaitsForIt) {
  const Graph graph{{1, {.needs = {2}}}, {2, Sharing(2, {{1, 1}, {5, 1}}, 4)}};
  const std::vector<EndlessStep> way = FindSteps(1, graph);
  ASSERT_EQ(way.size(), 3);
  EXPECT_EQ(way[0].resource, Share::kNoResource);
  EXPECT_EQ(way[1].task, 2);
  EXPECT_EQ(way[1].resource, 4);
  EXPECT_EQ(way[2].task, 1);
}

TEST(FindEndlessWait, WaitsForWhatOthersGiveBackOfAResource) {
  EXPECT_THAT(Find(1, {{1, {.needs = {2}}}, {2, Sharing(1, {{1, 1}, {5, 1}}, 4)}}), IsEmpty());
  EXPECT_THAT(Find(1, {{1, {.needs = {2}}}, {2, Sharing(0.5, {{1, 1}, {5, 0.5}}, 4)}}), IsEmpty());
}

TEST(FindEndlessWait, EndsTheWayWhereOthersWaitForEachOther) {
  EXPECT_THAT(Find(1, {{1, {.needs = {2}}}, {2, {.needs = {3}}}, {3, {.needs = {2}}}}),
              ElementsAre(1, 2, 3, 2));
}

TEST(FindEndlessWait, FollowsALongLineOfTasks) {
  Graph graph;
  for (uint64_t task = 1; task < 10'000; ++task) graph[task] = {.needs = {task + 1}};
  EXPECT_THAT(Find(1, graph), IsEmpty());
  graph[10'000] = {.needs = {1}};
  EXPECT_EQ(Find(1, graph).size(), 10'001);
}

TEST(FindEndlessWait, GivesUpBeyondItsLimit) {
  const auto line = [](uint64_t task) { return WaitsFor{.needs = {task + 1}}; };
  EXPECT_THAT(FindEndlessWait(1, line), IsEmpty());
}

}  // namespace
}  // namespace penstock::runtime
