#include "penstock/worker/reception.h"

#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

#include "penstock/base/mutex.h"
#include "penstock/worker/descriptor.h"
#include "penstock/worker/pipe.h"

namespace penstock {
namespace {

struct Ends {
  OwnedDescriptor hub;
  OwnedDescriptor workers;
  int inherited = -1;
};

Mutex mutex;
Ends ends PENSTOCK_GUARDED_BY(mutex);

/// Both ends have numbers above those that a new process gets by number.
Status Make() PENSTOCK_REQUIRES(mutex) {
  if (ends.workers.get() >= 0) return Status::OK();
  std::array<int, 2> pair{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair.data()) != 0) {
    return Status::IOError("no socket for a hub's reception: ",
                           std::generic_category().message(errno));
  }
  const OwnedDescriptor low_hub(pair[0]);
  const OwnedDescriptor low_workers(pair[1]);
  PENSTOCK_TRY(OwnedDescriptor hub, MoveUp(low_hub));
  PENSTOCK_TRY(ends.workers, MoveUp(low_workers));
  MakeNonBlocking(hub.get());
  ends.hub = std::move(hub);
  return Status::OK();
}

}  // namespace

Result<int> Reception::WorkersEnd() {
  MutexLock lock(mutex);
  if (ends.inherited >= 0) return ends.inherited;
  PENSTOCK_RETURN_NOT_OK(Make());
  return ends.workers.get();
}

Result<int> Reception::HubsEnd() {
  MutexLock lock(mutex);
  if (ends.inherited >= 0) {
    return Status::Invalid("this process's workers reach the hub of another process");
  }
  PENSTOCK_RETURN_NOT_OK(Make());
  return ends.hub.get();
}

bool Reception::Waits() {
  MutexLock lock(mutex);
  if (ends.hub.get() < 0) return false;
  pollfd handed_in{.fd = ends.hub.get(), .events = POLLIN, .revents = 0};
  return ::poll(&handed_in, 1, 0) > 0;
}

void Reception::Inherit(int descriptor) {
  MutexLock lock(mutex);
  ends.inherited = descriptor;
}

}  // namespace penstock
