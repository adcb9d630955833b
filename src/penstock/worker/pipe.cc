#include "penstock/worker/pipe.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>

namespace penstock {
namespace {

constexpr int kDescriptorMin = 16;  // Above those that a new process gets by number.

Status LastError(const char* what) {
  return Status::IOError(what, ": ", std::generic_category().message(errno));
}

}  // namespace

Result<OwnedDescriptor> MoveUp(const OwnedDescriptor& descriptor) {
  OwnedDescriptor high(::fcntl(descriptor.get(), F_DUPFD_CLOEXEC, kDescriptorMin));
  if (high.get() < 0) return LastError("no descriptor for a worker process");
  return high;
}

Result<Pipe> MakePipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return LastError("no pipe for a worker process");
  const Pipe low{.out = OwnedDescriptor(ends[0]), .in = OwnedDescriptor(ends[1])};
  Pipe pipe;
  PENSTOCK_TRY(pipe.out, MoveUp(low.out));
  PENSTOCK_TRY(pipe.in, MoveUp(low.in));
  return pipe;
}

void MakeNonBlocking(int descriptor) {
  const int flags = ::fcntl(descriptor, F_GETFL);
  (void)::fcntl(descriptor, F_SETFL, flags | O_NONBLOCK);
}

}  // namespace penstock
