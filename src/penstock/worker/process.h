#pragma once

#include <sys/types.h>

#include <memory>

#include "penstock/base/mutex.h"
#include "penstock/base/status.h"
#include "penstock/worker/descriptor.h"
#include "penstock/worker/host.h"

namespace penstock {

/// One worker process, from its start to its burial.
///
/// It leads a process group of its own (the terminal's Ctrl-C does not reach it), has kWorkerSocket
/// and the standard streams (input empty) and no other descriptor, and the default signal state.
/// Threads: any.
class Process {
 public:
  /// Starts it with `socket` as its kWorkerSocket; the caller keeps and closes `socket`.
  /// The calling thread must live as long as the process: a worker's parent-death signal comes
  /// when the thread that started it ends. IOError when the program cannot be run.
  static Result<std::unique_ptr<Process>> Start(const WorkerCommand& command, int socket);

  /// Kills it and waits for it, unless Reap was called.
  ~Process();

  int descriptor() const { return descriptor_.get(); }  // A pidfd: readable once it has ended.

  /// Sends SIGKILL to the process and to its group. Does nothing once it is reaped.
  void Kill();

  /// Returns whether the process is on its way out: its descriptors are closed a while before it
  /// can be reaped.
  bool IsExiting() const;

  /// Waits for the end, kills what is left of its group, and says how it ended.
  WorkerExit Reap();

 private:
  Process(pid_t process_id, OwnedDescriptor descriptor)
      : process_id_(process_id), descriptor_(std::move(descriptor)) {}

  const pid_t process_id_;
  const OwnedDescriptor descriptor_;  // May be none, where the kernel gave none.

  Mutex mutex_;
  bool reaped_ PENSTOCK_GUARDED_BY(mutex_) = false;
};

}  // namespace penstock
