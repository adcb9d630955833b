#include "penstock/worker/launch_counts.h"

#include <fmt/format.h>

#include <vector>

namespace penstock {

std::string LaunchCounts::Text() const {
  std::vector<std::string> parts;
  if (spawned > 0) parts.push_back(fmt::format("{} spawned", spawned));
  if (threads > 0) parts.push_back(fmt::format("{} threads of its process", threads));
  if (forked > 0) parts.push_back(fmt::format("{} forked", forked));
  if (forked_built > 0) parts.push_back(fmt::format("{} forked with their model", forked_built));
  return fmt::format("{}{}{}", fmt::join(parts, ", "), why_spawned.empty() ? "" : ": ",
                     why_spawned);
}

std::string TextOf(const PoolLaunches& pools) {
  if (pools.size() == 1) return pools.begin()->second.Text();
  std::vector<std::string> parts;
  for (const auto& [pool, counts] : pools) {
    parts.push_back(fmt::format("{} {}", counts.pool_name, counts.Text()));
  }
  return fmt::format("{}", fmt::join(parts, "; "));
}

}  // namespace penstock
