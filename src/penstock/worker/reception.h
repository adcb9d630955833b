#pragma once

#include "penstock/base/status.h"

namespace penstock {

/// Where processes hand in the sockets by which they want to speak to this process's hub
/// (runtime/hub.h): a SOCK_SEQPACKET pair, one end of which all workers of this process have as
/// their kReception. Each message brings the one descriptor of such a socket.
///
/// A worker process that starts an engine of its own hands the reception that it was given on to
/// its own workers (Inherit): they reach the same hub. What is handed in while there is no hub
/// waits in the socket, and a sender with it once that is full.
/// Threads: any.
class Reception {
 public:
  /// Returns the end for the workers that this process starts, made when it is first asked for; it
  /// stays open as long as the process lives. IOError.
  static Result<int> WorkersEnd();

  /// Returns the hub's end, which does not block; likewise. Invalid in a process that inherits.
  static Result<int> HubsEnd();

  /// Returns whether somebody has handed in a socket that no hub has taken.
  static bool Waits();

  /// Has this process's workers get `descriptor`, which it keeps open, instead.
  static void Inherit(int descriptor);
};

}  // namespace penstock
