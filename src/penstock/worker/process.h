#pragma once

#include <sys/types.h>

#include <memory>
#include <optional>

#include "penstock/base/descriptor.h"
#include "penstock/base/mutex.h"
#include "penstock/base/status.h"
#include "penstock/worker/host.h"
#include "penstock/worker/process_output.h"

namespace penstock {

/// One worker process, from its start to its burial.
///
/// It leads a process group of its own (the terminal's Ctrl-C does not reach it), has kWorkerSocket
/// and the standard streams (input empty) and no other descriptor than it was given, and the
/// default signal state.
/// Threads: any.
class Process {
 public:
  virtual ~Process() = default;
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  int descriptor() const { return descriptor_.get(); }  // A pidfd: readable once it has ended.

  /// Kills the process, and its group. Does nothing once it is reaped.
  void Kill(KillReason why = {});

  /// Sends it a signal. Does nothing once it has ended.
  void Signal(int signal);

  /// Returns why it was killed here; the first reason counts.
  std::optional<KillReason> kill_reason() const;

  pid_t id() const { return process_id_; }

  /// Returns the memory that is its own and in use; nothing once it has ended.
  std::optional<int64_t> ResidentBytes() const;

  /// Returns whether the process is on its way out: its descriptors are closed a while before it
  /// can be reaped.
  bool IsExiting() const;

  /// What reads its standard streams; null when nobody does. Set before others see the process.
  const std::shared_ptr<ProcessOutput>& output() const { return output_; }
  void SetOutput(std::shared_ptr<ProcessOutput> output) { output_ = std::move(output); }

  /// Waits for the end, kills what is left of its group, and says how it ended.
  virtual WorkerExit Reap() = 0;

 protected:
  virtual void SendKill() = 0;

  Process(pid_t process_id, OwnedDescriptor descriptor)
      : process_id_(process_id), descriptor_(std::move(descriptor)) {}

  const pid_t process_id_;
  const OwnedDescriptor descriptor_;  // May be none, where the kernel gave none.
  std::shared_ptr<ProcessOutput> output_;

 private:
  mutable Mutex reason_mutex_;
  std::optional<KillReason> kill_reason_ PENSTOCK_GUARDED_BY(reason_mutex_);
};

/// The descriptors of this process that a new one gets; the caller keeps and closes them.
/// -1 leaves one out; a standard stream that is left out is this process's own.
struct GivenDescriptors {
  int socket = -1;     // Its kWorkerSocket.
  int lifeline = -1;   // Its kLifeline.
  int modules = -1;    // Its kModulesPipe, or else
  int threads = -1;    // its kThreadsSocket.
  int reception = -1;  // Its kReception.
  int output = -1;
  int errors = -1;
};

/// Says how a process ended, from the code and the status that waiting for it gave.
WorkerExit ExitOf(int code, int status);

/// A process that this one has started.
class SpawnedProcess final : public Process {
 public:
  /// The calling thread must live as long as the process: a worker's parent-death signal comes
  /// when the thread that started it ends. IOError when the program cannot be run.
  static Result<std::unique_ptr<Process>> Start(const WorkerCommand& command,
                                                const GivenDescriptors& given);

  /// Kills it and waits for it, unless Reap was called.
  ~SpawnedProcess() override;

  WorkerExit Reap() override;  // Repeatable.

 private:
  using Process::Process;

  void SendKill() override;

  Mutex mutex_;
  std::optional<WorkerExit> exit_ PENSTOCK_GUARDED_BY(mutex_);  // Once it is reaped.
};

}  // namespace penstock
