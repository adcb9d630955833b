#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "penstock/base/mutex.h"
#include "penstock/memory/segment.h"
#include "penstock/worker/connection.h"
#include "penstock/worker/launcher.h"
#include "penstock/worker/memory_kills.h"
#include "penstock/worker/watched.h"

namespace penstock {

/// What a host knows of one worker.
///
/// Threads: any, but the last members.
class HostedWorker {
 public:
  HostedWorker(WorkerId number, OwnedDescriptor socket, std::shared_ptr<SegmentPool> pool,
               int poller)
      : id(number), connection(std::move(socket), std::move(pool), poller, &watched_socket) {}

  /// Kills its process, if it has one, and else when it gets one.
  void Kill(KillReason why);

  /// The worker runs. The first call counts.
  void SetLaunched(Launched launched, MemoryKills::Mark mark);

  /// Returns null while the worker waits to be launched.
  std::shared_ptr<Process> process() const;

  bool is_thread() const;

  /// Returns why it was to be killed, by now.
  std::optional<KillReason> kill_wanted() const;

  /// Says how it ended; its process, if it had one, has.
  WorkerExit Explain(MemoryKills* memory_kills);

  const WorkerId id;
  Watched watched_socket{.worker = this, .kind = WatchedKind::kSocket};
  Watched watched_process{.worker = this, .kind = WatchedKind::kProcess};
  Watched watched_output{.worker = this, .kind = WatchedKind::kOutput};
  Watched watched_errors{.worker = this, .kind = WatchedKind::kErrors};
  Connection connection;

  // The host's thread alone.
  bool receiving = true;
  bool ended = false;
  std::string violation;      // What it did against the protocol, to follow "it".
  std::string start_failure;  // Why there is no process.

 private:
  WorkerExit ExplainUnborn();
  bool TakeMemoryKill(MemoryKills* memory_kills);

  mutable Mutex mutex_;
  Launched launched_ PENSTOCK_GUARDED_BY(mutex_);
  MemoryKills::Mark memory_mark_ PENSTOCK_GUARDED_BY(mutex_);
  std::optional<KillReason> kill_wanted_ PENSTOCK_GUARDED_BY(mutex_);
};

}  // namespace penstock
