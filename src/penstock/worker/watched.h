#pragma once

#include <cstdint>

#include "penstock/base/status.h"
#include "penstock/worker/process.h"

namespace penstock {

enum class WatchedKind : uint8_t {
  kSocket,
  kProcess,  // Its descriptor tells that it has ended.
  kOutput,
  kErrors,
};

/// What an event of the host's poller points to.
struct Watched {
  void* worker = nullptr;  // The host's own; null for a process of the launcher's.
  WatchedKind kind = WatchedKind::kSocket;
};

/// Has the poller (an epoll descriptor) tell when `descriptor` can be read, by an event that points
/// to `watched`. IOError.
Status WatchDescriptor(int poller, int descriptor, Watched* watched);

/// Has the poller tell no more of the process and of what it prints. Closing the descriptors would
/// not do: a fork of this program may hold them too.
void Unwatch(int poller, const Process& process);

/// Reads one of the standard streams of `process`; the poller hears of it no more once it has
/// ended. `kind` is kOutput or kErrors.
void ReadStream(int poller, const Process& process, WatchedKind kind);

}  // namespace penstock
