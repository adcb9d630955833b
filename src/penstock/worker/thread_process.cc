#include "penstock/worker/thread_process.h"

#include "penstock/worker/socket.h"

namespace penstock {

Status ThreadProcess::Watch(int poller) {
  const ProcessOutput& output = *process_->output();
  PENSTOCK_RETURN_NOT_OK(WatchDescriptor(poller, process_->descriptor(), &watched_[0]));
  PENSTOCK_RETURN_NOT_OK(
      WatchDescriptor(poller, output.descriptor(StandardStream::kOutput), &watched_[1]));
  return WatchDescriptor(poller, output.descriptor(StandardStream::kErrors), &watched_[2]);
}

bool ThreadProcess::Owns(const Watched& watched) const {
  return &watched >= watched_.begin() && &watched < watched_.end();
}

bool ThreadProcess::Join(WorkerId worker, int socket) {
  if (members_.size() == leaving_.size()) return false;
  const Frame frame{.kind = FrameKind::kJoin, .batch = static_cast<uint64_t>(worker)};
  if (SendFrame(socket_.get(), frame, {&socket, 1}) != SendOutcome::kSent) return false;
  members_.insert(worker);
  return true;
}

void ThreadProcess::MarkLeaving(WorkerId worker) {
  if (members_.contains(worker)) leaving_.insert(worker);
}

bool ThreadProcess::Leave(WorkerId worker) {
  if (!members_.contains(worker) || members_.size() == 1) return false;
  members_.erase(worker);
  leaving_.erase(worker);
  return true;
}

}  // namespace penstock
