#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "penstock/base/status.h"
#include "penstock/memory/segment.h"
#include "penstock/worker/wire.h"
#include "penstock/worker/worker_exit.h"
#include "penstock/worker/worker_lines.h"

namespace penstock {

using WorkerId = int64_t;

/// What the workers of one pool have in common.
enum class WorkerSharing : uint8_t {
  kNothing,  // Each is a process, and builds the functions for itself.
  kProcess,  // They are threads of one process, and run the same functions.
  kModel,    // The functions are built once, in the template process that they are forked from.
};

/// How a worker process is started: the caller (the Python face) chooses the program, so that the
/// core knows no Python.
struct WorkerCommand {
  std::vector<std::string> arguments;    // arguments[0] is the program's path.
  std::vector<std::string> environment;  // "NAME=value", whole.

  /// Over `environment`, for this worker alone: it is forked from the same template as those
  /// without, and sets them before anything else.
  std::vector<std::string> own_environment;

  /// The arguments of a template process for such workers; none: all are spawned (see launcher.h).
  std::vector<std::string> template_arguments;
  int pool_workers = 1;  // How many of these will be started at once.
  int64_t pool = 0;      // Which pool: what is shared is shared within it.
  WorkerSharing shared = WorkerSharing::kNothing;
  std::string name;       // "MapBatches(Model) worker 3": the lines that it prints begin so.
  std::string pool_name;  // "MapBatches(Model)": likewise, of a process that several share.
};

/// What a host tells of its workers. All are called on the host's own thread and must not block.
struct WorkerEvents {
  /// A checked frame. kOutput comes with the segment that holds the output; kFailed with the one
  /// that holds the packed error (null when there is none).
  std::function<void(WorkerId, const Frame&, std::shared_ptr<Segment>)> on_frame;

  /// The process has ended; no frame of it will follow. A worker that broke the protocol is
  /// killed and ends here too, the reason saying so. Comes exactly once for each Start that
  /// succeeded, maybe before that returns, and at the latest within the host's destructor.
  std::function<void(WorkerId, const WorkerExit&)> on_exit;

  /// All that had come at once has been told; more is looked for next. May be null.
  std::function<void()> on_pause;
};

/// Starts, feeds, watches and ends worker processes: one epoll thread for all their sockets and
/// pidfds.
///
/// Threads: the methods may be called by any thread, on_frame and on_exit included. Sends never
/// block: what the socket does not
/// take at once is queued (at most in_flight frames a worker by protocol).
/// Ends: the destructor kills every worker with SIGKILL and waits for it; what a worker had
/// started in its process group dies with it. Workers die with this process (parent-death signal,
/// and end of file on the socket).
/// Ownership: an input is kept until its batch is answered to the end, a granted output until the
/// worker has used it or its batch is over; all of a worker's until on_exit.
/// The pool's free listener is the host's: a pool serves one host at a time.
class WorkerHost {
 public:
  /// `lines` takes what the workers print; where it is null that is dropped.
  static Result<std::unique_ptr<WorkerHost>> Make(std::shared_ptr<SegmentPool> pool,
                                                  WorkerEvents events,
                                                  std::shared_ptr<WorkerLines> lines = nullptr);
  virtual ~WorkerHost() = default;

  /// Starts a process and sends it kSetup with `setup` (copied into a segment). IOError when the
  /// program cannot be run, Invalid when a worker of this number is running.
  virtual Status Start(WorkerId worker, const WorkerCommand& command, const std::string& setup) = 0;

  /// Sends a batch: `input` (its first `bytes` hold `rows` packed rows) and room for its first
  /// output (may be null). With `keeps_input` the worker sees the input as a copy of its own and
  /// leaves the segment as it is. Sending to a worker that ends before it answers is no error:
  /// on_exit tells. After its on_exit it is one (kWorkerDied).
  virtual Status SendBatch(WorkerId worker, uint64_t batch, std::shared_ptr<Segment> input,
                           int64_t bytes, int64_t rows, std::shared_ptr<Segment> output,
                           bool keeps_input = false) = 0;

  /// Gives the running batch room for one more output. Does nothing when the batch is over.
  virtual Status SendGrant(WorkerId worker, uint64_t batch, std::shared_ptr<Segment> output) = 0;

  /// Lets the worker finish what was sent and exit.
  virtual void Stop(WorkerId worker) = 0;

  /// Kills at once; on_exit follows and tells `why`, unless the worker had died before.
  virtual void Kill(WorkerId worker, KillReason why = {}) = 0;

  /// Has the lines that a worker prints from here on begin with another name. False where there is
  /// no process (yet).
  virtual bool Rename(WorkerId worker, const std::string& name) = 0;

  /// Returns whether a worker's process is on its way out, or there is none (yet).
  virtual bool IsEnding(WorkerId worker) const = 0;

  /// Sends a signal to a worker's process; nothing happens where there is none (yet).
  virtual void Signal(WorkerId worker, int signal) = 0;

  /// Returns the memory that a worker's process alone has in use: without files and shared memory,
  /// but with what a forked worker still shares with its template. Nothing when there is no such
  /// process (yet). Cheap: a line of /proc.
  virtual std::optional<int64_t> ResidentBytes(WorkerId worker) const = 0;

  virtual int running() const = 0;

  /// Says how the workers came to be: "1 spawned, 3 forked"; with the reason where none could be
  /// forked of a pool that is large enough.
  virtual std::string LaunchSummary() const = 0;
};

}  // namespace penstock
