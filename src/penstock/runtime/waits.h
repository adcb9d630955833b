#pragma once

#include <cstdint>
#include <functional>
#include <vector>

namespace penstock::runtime {

/// What one task gives at its end to another that waits for several.
struct Giver {
  uint64_t task = 0;
  double amount = 1;
};

/// What several tasks are to give together: results, or room, that count 1 each, or a resource.
struct Share {
  static constexpr int kNoResource = -1;

  double enough = 1;
  std::vector<Giver> givers;
  int resource = kNoResource;  // Its number.
};

/// What a task cannot end without: any one of `needs`, each by itself, and enough of each of
/// `shares`.
struct WaitsFor {
  std::vector<uint64_t> needs;
  std::vector<Share> shares;
};

/// A task that waits for the next one of its line: for its end, or for what that has of a resource.
struct EndlessStep {
  uint64_t task = 0;
  int resource = Share::kNoResource;
};

/// Tasks looked at, at most, for one answer; beyond it none is taken for endless.
inline constexpr size_t kWaitsFollowedMax = 100'000;

/// Finds out whether a task waits for itself through others, so that none of them can ever end.
/// Returns a way from the task to one that is on it already, that one last; empty: it may end.
/// `look` says what a task waits for; nothing where it waits for none, or may end by itself.
std::vector<EndlessStep> FindEndlessWait(uint64_t task,
                                         const std::function<WaitsFor(uint64_t)>& look);

}  // namespace penstock::runtime
