#pragma once

#include <string>

namespace penstock {

/// How the workers of a job came to be.
struct LaunchCounts {
  int spawned = 0;
  int forked = 0;
  int forked_built = 0;     // From a template that had built the functions.
  int threads = 0;          // Of a process that was spawned for the first of them.
  std::string why_spawned;  // Why none could be forked; empty where that is not so.

  /// Returns "1 spawned, 3 forked"; empty without workers.
  std::string Text() const;
};

}  // namespace penstock
