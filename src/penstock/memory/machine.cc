#include "penstock/memory/machine.h"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <fstream>
#include <functional>
#include <limits>
#include <optional>
#include <string_view>
#include <thread>
#include <vector>

namespace penstock {
namespace {

constexpr int64_t kNoLimit = std::numeric_limits<int64_t>::max();

std::optional<int64_t> ParseNumber(std::string_view text) {
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end == text.data()) return std::nullopt;
  return value;
}

/// Returns the file's first line without its end, or nothing when it cannot be read.
std::optional<std::string> FirstLine(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  if (!std::getline(file, line)) return std::nullopt;
  return line;
}

/// Where this process stands in a control-group tree: the mounts to look under, and the path.
struct Group {
  bool unified = false;  // Version 2.
  std::vector<std::string> mounts;
  std::string path;
};

bool Names(std::string_view controllers, std::string_view wanted) {
  while (!controllers.empty()) {
    const size_t comma = controllers.find(',');
    if (controllers.substr(0, comma) == wanted) return true;
    if (comma == std::string_view::npos) return false;
    controllers.remove_prefix(comma + 1);
  }
  return false;
}

/// Reads the groups that may limit `controller`. A path that leads out of a namespace ("/../x")
/// is not visible here; then the mount itself stands for it.
std::vector<Group> GroupsOf(const std::string& root, const std::string& controller) {
  std::vector<Group> groups;
  std::ifstream file(root + "/proc/self/cgroup");
  const std::string mount = root + "/sys/fs/cgroup";
  for (std::string line; std::getline(file, line);) {
    const size_t first = line.find(':');
    const size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    std::string path = line.substr(second + 1);
    if (path.find("..") != std::string::npos) path.clear();
    while (!path.empty() && path.back() == '/') path.pop_back();
    if (controllers.empty()) {
      groups.push_back({true, {mount, mount + "/unified"}, path});
    } else if (Names(controllers, controller)) {
      groups.push_back({false, {mount + "/" + controller, mount + "/" + controllers}, path});
    }
  }
  return groups;
}

/// Calls `visit` with each folder from the process's own group up to the mount.
void EachLevel(const Group& group, const std::function<void(const std::string&)>& visit) {
  for (const std::string& mount : group.mounts) {
    std::string path = group.path;
    for (;;) {
      visit(mount + path);
      if (path.empty()) break;
      path.resize(path.rfind('/') == std::string::npos ? 0 : path.rfind('/'));
    }
  }
}

int64_t PhysicalBytes(const std::string& root) {
  std::ifstream file(root + "/proc/meminfo");
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with("MemTotal:")) continue;
    const size_t digit = line.find_first_of("0123456789");
    if (digit == std::string::npos) break;
    const auto kibibytes = ParseNumber(std::string_view(line).substr(digit));
    if (kibibytes.has_value()) return *kibibytes * 1024;
  }
  return int64_t{sysconf(_SC_PHYS_PAGES)} * sysconf(_SC_PAGESIZE);
}

/// Returns the processors that a quota in one folder grants, rounded up; kNoLimit without one.
int64_t QuotaProcessors(const std::string& folder, bool unified) {
  std::optional<int64_t> quota;
  std::optional<int64_t> period;
  if (unified) {
    const std::string line = FirstLine(folder + "/cpu.max").value_or("");
    const size_t space = line.find(' ');
    quota = ParseNumber(line);
    period = space == std::string::npos ? 100'000 : ParseNumber(line.substr(space + 1));
  } else {
    quota = ParseNumber(FirstLine(folder + "/cpu.cfs_quota_us").value_or(""));
    period = ParseNumber(FirstLine(folder + "/cpu.cfs_period_us").value_or(""));
  }
  if (!quota || !period || *quota <= 0 || *period <= 0) return kNoLimit;
  return (*quota - 1) / *period + 1;
}

int AllowedProcessors() {
  std::array<cpu_set_t, 16> sets{};
  if (sched_getaffinity(0, sizeof(sets), sets.data()) == 0) {
    return std::max(1, CPU_COUNT_S(sizeof(sets), sets.data()));
  }
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

}  // namespace

int64_t MemoryBytesUnder(const std::string& root) {
  int64_t bytes = PhysicalBytes(root);
  for (const Group& group : GroupsOf(root, "memory")) {
    const char* file = group.unified ? "/memory.max" : "/memory.limit_in_bytes";
    EachLevel(group, [&](const std::string& folder) {
      const auto limit = ParseNumber(FirstLine(folder + file).value_or(""));
      if (limit && *limit > 0) bytes = std::min(bytes, *limit);
    });
  }
  return bytes;
}

int ProcessorsUnder(const std::string& root, int processors_online) {
  int64_t processors = processors_online;
  for (const Group& group : GroupsOf(root, "cpu")) {
    EachLevel(group, [&](const std::string& folder) {
      processors = std::min(processors, QuotaProcessors(folder, group.unified));
    });
  }
  return static_cast<int>(std::max<int64_t>(1, processors));
}

int64_t MachineMemoryBytes() { return MemoryBytesUnder(""); }

int MachineProcessors() { return ProcessorsUnder("", AllowedProcessors()); }

int64_t DefaultBudgetBytes() { return MachineMemoryBytes() / 4; }

}  // namespace penstock
