#pragma once

#include <cstdint>
#include <string>

namespace penstock {

/// Why a worker is gone.
enum class ExitCause : uint8_t {
  kStopped,      // It was told to stop, and did, with every batch answered.
  kExitCode,     // It ended by itself.
  kSignal,       // A signal that the engine did not send: a crash, or somebody's kill.
  kOutOfMemory,  // The kernel killed it for want of memory.
  kKilled,       // The engine killed it: it was not wanted any more.
  kTimeout,      // The engine killed it: it took longer than it may.
  kDeviceError,  // It ended itself after an error that leaves its device unusable to it.
  kProtocol,     // The engine killed it: it broke the protocol.
  kNotStarted,   // There never was a process.
};

/// How a worker ended. The reason is for people, the end of a sentence about the worker: "was
/// killed by signal 11 (SIGSEGV)", "exited with code 3".
struct WorkerExit {
  ExitCause cause = ExitCause::kExitCode;
  int signal = 0;
  int exit_code = 0;
  int64_t process = -1;  // Its number; -1: there never was one.
  std::string reason;
  std::string last_words;  // A crash's trace, or the last lines of its standard error; often none.

  bool clean() const { return cause == ExitCause::kStopped; }
};

/// Why the engine kills a worker: what its WorkerExit will say.
struct KillReason {
  ExitCause cause = ExitCause::kKilled;
  std::string text = "was killed by the engine";
};

}  // namespace penstock
