#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "runtime/simulated_cluster.h"

namespace penstock::runtime {
namespace {

uint64_t FromEnvironment(const char* name, uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

/// PENSTOCK_SIMULATION_SEED=n replays one seed, PENSTOCK_SIMULATION_SEEDS=n runs seeds 1 to n.
TEST(ClusterSimulationTest, EveryPromiseHoldsForEverySeed) {
  const uint64_t one = FromEnvironment("PENSTOCK_SIMULATION_SEED", 0);
  const uint64_t first = one > 0 ? one : 1;
  const uint64_t last = one > 0 ? one : FromEnvironment("PENSTOCK_SIMULATION_SEEDS", 2'000);
  int64_t steps = 0;
  int64_t returned = 0;
  int64_t failed = 0;
  for (uint64_t seed = first; seed <= last; ++seed) {
    const SimulationOutcome outcome = SimulatedCluster(seed).Run();
    ASSERT_EQ(outcome.violation, "")
        << "replay with PENSTOCK_SIMULATION_SEED=" << seed
        << " scheduler_tests --gtest_filter=ClusterSimulationTest.EveryPromiseHoldsForEverySeed";
    steps += outcome.steps;
    returned += outcome.returned;
    failed += outcome.failed;
  }
  std::printf("%lld seeds, %lld steps, %lld tasks returned, %lld failed\n",
              static_cast<long long>(last - first + 1), static_cast<long long>(steps),
              static_cast<long long>(returned), static_cast<long long>(failed));
  if (last - first < 1'000) return;
  EXPECT_GT(returned, failed) << "most tasks must end well";
  EXPECT_GT(failed, 0) << "some must not";
}

}  // namespace
}  // namespace penstock::runtime
