#include "penstock/worker/memory_kills.h"

#include <algorithm>
#include <fstream>
#include <optional>

#include "penstock/memory/control_group.h"

namespace penstock {
namespace {

constexpr size_t kGroupsMax = 256;  // Whose kills are remembered.

std::optional<int64_t> ReadKills(const std::string& counter) {
  std::ifstream file(counter);
  std::string name;
  int64_t count = 0;
  while (file >> name >> count) {
    if (name == "oom_kill") return count;
  }
  return std::nullopt;
}

int64_t ReadAll(const std::vector<std::string>& counters) {
  int64_t kills = 0;
  for (const std::string& counter : counters) kills += ReadKills(counter).value_or(0);
  return kills;
}

}  // namespace

MemoryKills::Mark MemoryKills::MarkOf(pid_t process) const {
  Mark mark;
  for (const ControlGroup& group : ControlGroupsOf(root_, std::to_string(process), "memory")) {
    const char* const file = group.unified ? "/memory.events" : "/memory.oom_control";
    for (const std::string& level : group.Levels()) {
      const std::string counter = level + file;
      if (!ReadKills(counter)) continue;
      mark.counters.push_back(counter);
      break;
    }
  }
  mark.kills = ReadAll(mark.counters);
  return mark;
}

bool MemoryKills::TakeKill(const Mark& mark) {
  if (given_.size() >= kGroupsMax) given_.clear();
  int64_t& given = given_[mark.counters];
  given = std::max(given, mark.kills);
  if (ReadAll(mark.counters) <= given) return false;
  ++given;
  return true;
}

}  // namespace penstock
