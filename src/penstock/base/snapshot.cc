#include "penstock/base/snapshot.h"

#include <fmt/format.h>

#include <algorithm>

namespace penstock {
namespace {

int64_t SlotTime(const StageSnapshot& stage, int64_t elapsed_ns) {
  return std::max(stage.slots * elapsed_ns,
                  stage.starting_ns + stage.busy_ns + stage.starved_ns + stage.blocked_ns);
}

double Share(int64_t part_ns, const StageSnapshot& stage, int64_t elapsed_ns) {
  const int64_t whole_ns = SlotTime(stage, elapsed_ns);
  return whole_ns > 0 ? static_cast<double>(part_ns) / static_cast<double>(whole_ns) : 0;
}

double BusyShare(const StageSnapshot& stage, int64_t elapsed_ns) {
  return Share(stage.busy_ns, stage, elapsed_ns);
}

std::string Slots(const StageSnapshot& stage) {
  const char* noun = stage.workers > 0 ? "worker" : "thread";
  if (stage.slots <= 1) return fmt::format("{} was", noun);
  return fmt::format("{} {}s were", stage.slots, noun);
}

/// Returns the stage whose workers spent the largest share of their time on being built; nullptr
/// when no worker was started.
const StageSnapshot* LongestStart(const Snapshot& snapshot) {
  const StageSnapshot* longest = nullptr;
  double share_max = 0;
  for (const StageSnapshot& stage : snapshot.stages) {
    const double share = Share(stage.starting_ns, stage, snapshot.elapsed_ns);
    if (share <= share_max) continue;
    share_max = share;
    longest = &stage;
  }
  return longest;
}

std::string Percent(double share) { return fmt::format("{:.0f} %", 100 * share); }

}  // namespace

int Snapshot::Bottleneck() const {
  int busiest = -1;
  double share_max = 0;
  for (size_t i = 0; i < stages.size(); ++i) {
    const double share = BusyShare(stages[i], elapsed_ns);
    if (share > share_max) {
      share_max = share;
      busiest = static_cast<int>(i);
    }
  }
  return busiest;
}

std::string Snapshot::BottleneckSentence() const {
  const int index = Bottleneck();
  const StageSnapshot* const started = LongestStart(*this);
  if (index < 0 && started == nullptr) return "Nothing has run yet.";
  const double busy = index < 0 ? 0 : BusyShare(stages[index], elapsed_ns);
  const double starting =
      started == nullptr ? 0 : Share(started->starting_ns, *started, elapsed_ns);
  if (starting > std::max(busy, 0.5)) {
    return fmt::format(
        "Starting holds the job back: {} of the time went by until the workers of {} were built.",
        Percent(starting), started->name);
  }
  if (index < 0) return "Nothing has run yet.";
  const StageSnapshot& busiest = stages[index];
  const StageSnapshot& last = stages.back();
  const double untaken = Share(last.blocked_ns, last, elapsed_ns);
  if (untaken > busy) {
    return fmt::format(
        "Whoever takes the results holds the job back: {}, the last stage, waited {} of the time "
        "for them to be taken.",
        last.name, Percent(untaken));
  }
  if (busy < 0.5) {
    return fmt::format(
        "No stage holds the job back for long; the busiest is {}: its {} busy {} of the time.",
        busiest.name, Slots(busiest), Percent(busy));
  }
  return fmt::format("{} holds the job back: its {} busy {} of the time.", busiest.name,
                     Slots(busiest), Percent(busy));
}

}  // namespace penstock
