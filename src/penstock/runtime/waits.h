#pragma once

#include <cstdint>
#include <functional>
#include <vector>

namespace penstock::runtime {

/// What a task cannot end without: any one of `needs`, each by itself; and, unless empty, at least
/// one of `rooms`, the tasks that take up the place where it is to run.
struct WaitsFor {
  std::vector<uint64_t> needs;
  std::vector<uint64_t> rooms;
};

/// Tasks looked at, at most, for one answer; beyond it none is taken for endless.
inline constexpr size_t kWaitsFollowedMax = 100'000;

/// Finds out whether a task waits for itself through others, so that none of them can ever end.
/// Returns a way from the task to one that is on it already, that one last; empty: it may end.
/// `look` says what a task waits for; nothing where it waits for none, or may end by itself.
std::vector<uint64_t> FindEndlessWait(uint64_t task, const std::function<WaitsFor(uint64_t)>& look);

}  // namespace penstock::runtime
