#include "penstock/worker/launch_counts.h"

#include <gtest/gtest.h>

namespace penstock {
namespace {

TEST(LaunchCounts, SayWhySomeWereSpawnedThoughOthersWereForked) {
  const LaunchCounts counts{.spawned = 2, .forked = 3, .why_spawned = "the template died"};
  EXPECT_EQ(counts.Text(), "2 spawned, 3 forked: the template died");
}

TEST(LaunchCounts, NameThePoolsWhereThereAreSeveral) {
  PoolLaunches pools;
  EXPECT_EQ(TextOf(pools), "");
  pools[4] = {.pool_name = "Map(f)", .spawned = 1, .forked = 3};
  EXPECT_EQ(TextOf(pools), "1 spawned, 3 forked");
  pools[2] = {.pool_name = "Map(g)", .spawned = 2, .why_spawned = "it is small"};
  EXPECT_EQ(TextOf(pools), "Map(g) 2 spawned: it is small; Map(f) 1 spawned, 3 forked");
}

}  // namespace
}  // namespace penstock
