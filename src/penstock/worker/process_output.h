#pragma once

#include <memory>
#include <string>

#include "penstock/base/descriptor.h"
#include "penstock/base/mutex.h"
#include "penstock/base/status.h"
#include "penstock/worker/line_cutter.h"
#include "penstock/worker/pipe.h"
#include "penstock/worker/worker_lines.h"

namespace penstock {

/// The engine's ends of the pipes that are a process's standard output and error.
///
/// Somebody must read them as long as the process lives, or it hangs in a print; what is read
/// beyond LineCutter's limits is dropped, so that a process that prints a gigabyte costs its own
/// time alone.
/// Threads: any.
class ProcessOutput {
 public:
  /// The process's ends: the caller gives them to it, then closes them.
  struct Ends {
    OwnedDescriptor output;
    OwnedDescriptor errors;
  };

  /// Makes the pipes of a process whose lines begin with `name`; as LineCutter for `lines`. IOError
  /// when the kernel gives no pipes.
  static Result<std::shared_ptr<ProcessOutput>> Make(const std::string& name,
                                                     std::shared_ptr<WorkerLines> lines,
                                                     Ends* ends);

  int descriptor(StandardStream stream) const { return pipe(stream).get(); }

  /// Reads what has come, kReadBytesAtOnce at most. Returns false when no more will come: the
  /// process has closed the stream.
  bool Read(StandardStream stream);

  /// Has the lines begin with another name, but those that the process has written already.
  void Rename(const std::string& name);

  /// Reads what the process, which has ended, left in the pipes, and closes them. Repeatable. What
  /// it had started and outlives it may not print any more.
  void Finish();

  /// Returns what a death shows: a crash's trace from where it begins on standard error, or else
  /// the stream's last lines.
  std::string LastWords() const;

 private:
  ProcessOutput(const std::string& name, const std::shared_ptr<WorkerLines>& lines)
      : output_lines_(name, StandardStream::kOutput, lines),
        error_lines_(name, StandardStream::kErrors, lines) {}

  const OwnedDescriptor& pipe(StandardStream stream) const {
    return stream == StandardStream::kOutput ? output_ : errors_;
  }

  bool ReadNow(StandardStream stream) PENSTOCK_REQUIRES(mutex_);

  OwnedDescriptor output_;  // Closed by Finish, under the lock.
  OwnedDescriptor errors_;
  mutable Mutex mutex_;
  LineCutter output_lines_ PENSTOCK_GUARDED_BY(mutex_);
  LineCutter error_lines_ PENSTOCK_GUARDED_BY(mutex_);
};

}  // namespace penstock
