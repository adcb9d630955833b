#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <set>
#include <utility>

#include "penstock/base/descriptor.h"
#include "penstock/base/status.h"
#include "penstock/worker/host.h"
#include "penstock/worker/process.h"
#include "penstock/worker/watched.h"

namespace penstock {

/// A process whose threads are the workers of one pool: they share the functions that the first
/// one builds. Each has a socket of its own; those of all but the first come through the process's
/// kThreadsSocket.
///
/// Threads: one at a time.
class ThreadProcess {
 public:
  /// `socket` is the engine's end of kThreadsSocket; `first` the worker that it was spawned for.
  ThreadProcess(int64_t pool, std::shared_ptr<Process> process, OwnedDescriptor socket,
                WorkerId first)
      : pool_(pool), process_(std::move(process)), socket_(std::move(socket)), members_{first} {}

  int64_t pool() const { return pool_; }
  const std::shared_ptr<Process>& process() const { return process_; }
  const std::set<WorkerId>& members() const { return members_; }

  /// Has the host's poller tell of the process's end and of what it prints. IOError.
  Status Watch(int poller);

  /// Says whether an event of the poller is this process's.
  bool Owns(const Watched& watched) const;

  /// Gives the process one more worker. False when it takes none: it has ended, or is about to, as
  /// all its workers are leaving.
  bool Join(WorkerId worker, int socket);

  /// A worker is about to be told to stop.
  void MarkLeaving(WorkerId worker);

  /// The process has ended: lets all workers go, and returns them.
  std::set<WorkerId> TakeMembers() {
    leaving_.clear();
    return std::exchange(members_, {});
  }

  /// Lets a worker go whose thread has ended. False for the last one: its end is the process's.
  bool Leave(WorkerId worker);

 private:
  const int64_t pool_;
  const std::shared_ptr<Process> process_;
  const OwnedDescriptor socket_;
  std::set<WorkerId> members_;
  std::set<WorkerId> leaving_;  // Of them.
  std::array<Watched, 3> watched_{{{.kind = WatchedKind::kProcess},
                                   {.kind = WatchedKind::kOutput},
                                   {.kind = WatchedKind::kErrors}}};
};

}  // namespace penstock
