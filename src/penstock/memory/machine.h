#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace penstock {

/// Returns the bytes of memory that this process may use: the machine's, or less where a control
/// group (v1 or v2, any level up to the root) sets a limit.
int64_t MachineMemoryBytes();

/// Returns the processors that this process may run on: affinity and control-group quota count,
/// rounded up; at least 1.
int MachineProcessors();

/// Returns the GPUs that this process may use, as CUDA_VISIBLE_DEVICES names devices: those that
/// the variable names, or else all of the NVIDIA driver's.
std::vector<std::string> MachineGpus();

/// Does the work of MachineGpus over a file tree that stands for "/"; `visible` is the variable's
/// value, null where it is not set.
std::vector<std::string> GpusUnder(const std::string& root, const char* visible);

/// Returns the default byte budget: a quarter of MachineMemoryBytes().
int64_t DefaultBudgetBytes();

/// Does the work of MachineMemoryBytes over a file tree that stands for "/" (tests give their own).
int64_t MemoryBytesUnder(const std::string& root);
int ProcessorsUnder(const std::string& root, int processors_online);

}  // namespace penstock
