#pragma once

#include <cstdint>
#include <string>

namespace penstock {

/// Returns the bytes of memory that this process may use: the machine's, or less where a control
/// group (v1 or v2, any level up to the root) sets a limit.
int64_t MachineMemoryBytes();

/// Returns the processors that this process may run on: affinity and control-group quota count,
/// rounded up; at least 1.
int MachineProcessors();

/// Returns the default byte budget: a quarter of MachineMemoryBytes().
int64_t DefaultBudgetBytes();

/// Does the work of MachineMemoryBytes over a file tree that stands for "/" (tests give their own).
int64_t MemoryBytesUnder(const std::string& root);
int ProcessorsUnder(const std::string& root, int processors_online);

}  // namespace penstock
