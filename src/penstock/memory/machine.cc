#include "penstock/memory/machine.h"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <fstream>
#include <limits>
#include <optional>
#include <string_view>
#include <thread>

#include "penstock/memory/control_group.h"

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
  for (const ControlGroup& group : ControlGroupsOf(root, "self", "memory")) {
    const char* file = group.unified ? "/memory.max" : "/memory.limit_in_bytes";
    for (const std::string& folder : group.Levels()) {
      const auto limit = ParseNumber(FirstLine(folder + file).value_or(""));
      if (limit && *limit > 0) bytes = std::min(bytes, *limit);
    }
  }
  return bytes;
}

int ProcessorsUnder(const std::string& root, int processors_online) {
  int64_t processors = processors_online;
  for (const ControlGroup& group : ControlGroupsOf(root, "self", "cpu")) {
    for (const std::string& folder : group.Levels()) {
      processors = std::min(processors, QuotaProcessors(folder, group.unified));
    }
  }
  return static_cast<int>(std::max<int64_t>(1, processors));
}

int64_t MachineMemoryBytes() { return MemoryBytesUnder(""); }

int MachineProcessors() { return ProcessorsUnder("", AllowedProcessors()); }

int64_t DefaultBudgetBytes() { return MachineMemoryBytes() / 4; }

}  // namespace penstock
