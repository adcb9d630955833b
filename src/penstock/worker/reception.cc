#include "penstock/worker/reception.h"

#include <poll.h>

#include <utility>

#include "penstock/base/descriptor.h"
#include "penstock/base/mutex.h"
#include "penstock/worker/pipe.h"
#include "penstock/worker/socket.h"

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
  PENSTOCK_TRY(const SocketPair low, MakeSocketPair());
  PENSTOCK_TRY(OwnedDescriptor hub, MoveUp(low.engine));
  PENSTOCK_TRY(ends.workers, MoveUp(low.worker));
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
