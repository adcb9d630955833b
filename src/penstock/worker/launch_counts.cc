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
  const bool failed = forked + forked_built == 0 && !why_spawned.empty();
  return fmt::format("{}{}{}", fmt::join(parts, ", "), failed ? ": " : "",
                     failed ? why_spawned : "");
}

}  // namespace penstock
