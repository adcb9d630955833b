#pragma once

#include <cstdint>
#include <string>

namespace penstock {

/// What happens at one of the calls that change something in a folder.
enum class FaultKind : uint8_t {
  kNone,        // Calls are counted alone.
  kKill,        // The process is killed before the call.
  kFail,        // The call does nothing and fails with `error`.
  kFailOnward,  // So do all after it: the disk is full, or gone.
  kShortWrite,  // A write takes half of its bytes; other calls do as they should.
  kPowerCut,  // The file system of the folder stops before the call, as it is on the disk by then,
              // and the process is killed.
};

struct Fault {
  FaultKind kind = FaultKind::kNone;
  int64_t at = 0;  // The how-many-th call, from 0.
  int error = 0;   // An errno.
};

/// From here on this process counts the calls that change what is in `folder`: those that make,
/// write, sync, name or remove a file or folder of it. They are this program's own definitions
/// (fault_calls.cc), which all libraries of the process use.
void ArmFault(const std::string& folder, const Fault& fault);

/// Says where the log lies whose entries are counted before the power is cut.
void CountEntriesOf(const std::string& log);

/// Returns how many entries there were that the job knew to be on record: all, where it went on to
/// rename files; else the last one may have been on its way.
int64_t EntriesOnRecordBeforeCut();

/// Returns the calls counted in this process and in those forked from it since the last call.
int64_t TakeCallsCounted();

}  // namespace penstock
