#include "penstock/runtime/waits.h"

#include <algorithm>
#include <unordered_map>
#include <utility>

namespace penstock::runtime {
namespace {

struct SeenTask {
  WaitsFor waits;
  bool may_end = false;
};
using Seen = std::unordered_map<uint64_t, SeenTask>;

/// Adds the task and all that it waits for, each behind who waits for it; false: they are too many.
bool Follow(uint64_t task, const std::function<WaitsFor(uint64_t)>& look, Seen& seen,
            std::vector<uint64_t>& order) {
  order.push_back(task);
  seen[task] = {};
  for (size_t next = 0; next < order.size(); ++next) {
    if (order.size() > kWaitsFollowedMax) return false;
    WaitsFor waits = look(order[next]);
    for (const auto* others : {&waits.needs, &waits.rooms}) {
      for (const uint64_t other : *others) {
        if (seen.try_emplace(other).second) order.push_back(other);
      }
    }
    seen.at(order[next]).waits = std::move(waits);
  }
  return true;
}

bool MayEnd(const WaitsFor& waits, const Seen& seen) {
  const auto ends = [&seen](uint64_t other) { return seen.at(other).may_end; };
  return std::ranges::all_of(waits.needs, ends) &&
         (waits.rooms.empty() || std::ranges::any_of(waits.rooms, ends));
}

/// Marks the tasks that may end, as long as that lets others end.
void MarkThoseThatMayEnd(const std::vector<uint64_t>& order, Seen& seen) {
  for (bool changed = true; changed;) {
    changed = false;
    for (auto task = order.rbegin(); task != order.rend(); ++task) {
      SeenTask& found = seen.at(*task);
      if (found.may_end || !MayEnd(found.waits, seen)) continue;
      found.may_end = true;
      changed = true;
    }
  }
}

/// Returns one of those that a task waits for in vain.
uint64_t EndlessOf(const WaitsFor& waits, const Seen& seen) {
  const auto endless = [&seen](uint64_t other) { return !seen.at(other).may_end; };
  const auto need = std::ranges::find_if(waits.needs, endless);
  return need != waits.needs.end() ? *need : waits.rooms.front();
}

}  // namespace

std::vector<uint64_t> FindEndlessWait(uint64_t task,
                                      const std::function<WaitsFor(uint64_t)>& look) {
  Seen seen;
  std::vector<uint64_t> order;
  if (!Follow(task, look, seen, order)) return {};
  MarkThoseThatMayEnd(order, seen);
  if (seen.at(task).may_end) return {};
  std::vector<uint64_t> way{task};
  do way.push_back(EndlessOf(seen.at(way.back()).waits, seen));
  while (std::find(way.begin(), way.end() - 1, way.back()) == way.end() - 1);
  return way;
}

}  // namespace penstock::runtime
