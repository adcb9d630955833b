#pragma once

#include <cstdint>
#include <map>
#include <string>

namespace penstock {

/// How the workers of one pool came to be.
struct LaunchCounts {
  std::string pool_name;
  int spawned = 0;
  int forked = 0;
  int forked_built = 0;     // From a template that had built the functions.
  int threads = 0;          // Of a process that was spawned for the first of them.
  std::string why_spawned;  // Instead of forked, the last time that one was; empty: none was.

  /// Returns "1 spawned, 3 forked", and why some were spawned instead; empty without workers.
  std::string Text() const;
};

/// By the pools' numbers.
using PoolLaunches = std::map<int64_t, LaunchCounts>;

/// Returns what there is to say of each pool, with its name where there are several.
std::string TextOf(const PoolLaunches& pools);

}  // namespace penstock
