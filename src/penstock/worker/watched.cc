#include "penstock/worker/watched.h"

#include <sys/epoll.h>

#include <cerrno>
#include <system_error>

namespace penstock {

Status WatchDescriptor(int poller, int descriptor, Watched* watched) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.ptr = watched;
  if (::epoll_ctl(poller, EPOLL_CTL_ADD, descriptor, &event) == 0) return Status::OK();
  return Status::IOError("a worker process cannot be watched: ",
                         std::generic_category().message(errno));
}

void Unwatch(int poller, const Process& process) {
  const ProcessOutput& output = *process.output();
  for (const int descriptor : {process.descriptor(), output.descriptor(StandardStream::kOutput),
                               output.descriptor(StandardStream::kErrors)}) {
    (void)::epoll_ctl(poller, EPOLL_CTL_DEL, descriptor, nullptr);
  }
}

void ReadStream(int poller, const Process& process, WatchedKind kind) {
  const StandardStream stream =
      kind == WatchedKind::kOutput ? StandardStream::kOutput : StandardStream::kErrors;
  ProcessOutput& output = *process.output();
  if (output.Read(stream)) return;
  (void)::epoll_ctl(poller, EPOLL_CTL_DEL, output.descriptor(stream), nullptr);
}

}  // namespace penstock
