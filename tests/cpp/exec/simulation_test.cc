#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "exec/simulator.h"

namespace penstock {
namespace {

uint64_t FromEnvironment(const char* name, uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

/// PENSTOCK_SIMULATION_SEED=n replays one seed, PENSTOCK_SIMULATION_SEEDS=n runs seeds 1 to n.
TEST(SimulationTest, EveryPromiseHoldsForEverySeed) {
  const uint64_t one = FromEnvironment("PENSTOCK_SIMULATION_SEED", 0);
  const uint64_t first = one > 0 ? one : 1;
  const uint64_t last = one > 0 ? one : FromEnvironment("PENSTOCK_SIMULATION_SEEDS", 2'000);
  int64_t events = 0;
  int64_t finished_well = 0;
  int64_t refused = 0;
  for (uint64_t seed = first; seed <= last; ++seed) {
    const SimulationResult result = Simulate(MakeSimulatedJob(seed));
    ASSERT_EQ(result.violation, "")
        << "replay with PENSTOCK_SIMULATION_SEED=" << seed
        << " dispatcher_tests --gtest_filter=SimulationTest.EveryPromiseHoldsForEverySeed";
    events += result.events;
    finished_well += result.finished_well ? 1 : 0;
    refused += result.budget_refused ? 1 : 0;
  }
  RecordProperty("events", std::to_string(events));
  std::printf("%lld seeds, %lld events, %lld jobs to their end, %lld budgets refused\n",
              static_cast<long long>(last - first + 1), static_cast<long long>(events),
              static_cast<long long>(finished_well), static_cast<long long>(refused));
  if (last - first < 1'000) return;
  EXPECT_GT(finished_well, static_cast<int64_t>(last - first) / 2) << "most jobs must end well";
  EXPECT_GT(refused, 0) << "some budgets must be too small";
}

}  // namespace
}  // namespace penstock
