#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace penstock {

/// Tells whether the kernel killed a process for want of memory: its control group counts such
/// kills (memory.oom_control of version 1, memory.events of version 2).
///
/// Another process's kill in the same group, at the same time as a SIGKILL from elsewhere, is
/// mistaken for it; each kill is given to one process alone.
/// Threads: one at a time.
class MemoryKills {
 public:
  /// What was counted when a process began.
  struct Mark {
    std::vector<std::string> counters;  // Files.
    int64_t kills = 0;
  };

  /// `root` stands for "/" (tests give their own).
  explicit MemoryKills(std::string root = "") : root_(std::move(root)) {}

  /// Marks the beginning of a process, which lives.
  Mark MarkOf(pid_t process) const;

  /// Says whether a kill was counted since `mark` that was given to no other process, and gives it
  /// to this one.
  bool TakeKill(const Mark& mark);

 private:
  const std::string root_;
  std::map<std::vector<std::string>, int64_t> given_;  // By counters: up to which count.
};

}  // namespace penstock
