#include "penstock/runtime/waits.h"

#include <algorithm>
#include <unordered_map>
#include <utility>

namespace penstock::runtime {
namespace {

constexpr double kTolerance = 1e-9;

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
    const auto add = [&](uint64_t other) {
      if (seen.try_emplace(other).second) order.push_back(other);
    };
    for (const uint64_t other : waits.needs) add(other);
    for (const Share& share : waits.shares) {
      for (const Giver& giver : share.givers) add(giver.task);
    }
    seen.at(order[next]).waits = std::move(waits);
  }
  return true;
}

bool MayComeToEnough(const Share& share, const Seen& seen) {
  double amount = 0;
  for (const Giver& giver : share.givers) {
    if (seen.at(giver.task).may_end) amount += giver.amount;
  }
  return amount >= share.enough - kTolerance;
}

bool MayEnd(const WaitsFor& waits, const Seen& seen) {
  return std::ranges::all_of(waits.needs,
                             [&seen](uint64_t other) { return seen.at(other).may_end; }) &&
         std::ranges::all_of(waits.shares,
                             [&seen](const Share& share) { return MayComeToEnough(share, seen); });
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

/// Adds to the way, whose last is endless, one of those that it waits for in vain.
void AddNext(std::vector<EndlessStep>& way, const Seen& seen) {
  const WaitsFor& waits = seen.at(way.back().task).waits;
  const auto is_endless = [&seen](uint64_t task) { return !seen.at(task).may_end; };
  const auto need = std::ranges::find_if(waits.needs, is_endless);
  if (need != waits.needs.end()) return way.push_back({*need});
  const auto share = std::ranges::find_if(
      waits.shares, [&seen](const Share& one) { return !MayComeToEnough(one, seen); });
  way.back().resource = share->resource;
  way.push_back({std::ranges::find_if(share->givers, is_endless, &Giver::task)->task});
}

bool ComesBack(const std::vector<EndlessStep>& way) {
  const auto last = way.end() - 1;
  return std::find_if(way.begin(), last,
                      [last](const EndlessStep& step) { return step.task == last->task; }) != last;
}

}  // namespace

std::vector<EndlessStep> FindEndlessWait(uint64_t task,
                                         const std::function<WaitsFor(uint64_t)>& look) {
  Seen seen;
  std::vector<uint64_t> order;
  if (!Follow(task, look, seen, order)) return {};
  MarkThoseThatMayEnd(order, seen);
  if (seen.at(task).may_end) return {};
  std::vector<EndlessStep> way{{task}};
  do AddNext(way, seen);
  while (!ComesBack(way));
  return way;
}

}  // namespace penstock::runtime
