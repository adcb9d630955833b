#include "penstock/worker/socket.h"

#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>

#include "penstock/base/check.h"

namespace penstock {
namespace {

constexpr size_t kDescriptorsSentMax = 4;
constexpr size_t kDescriptorsReceivedMax = 8;  // More are closed by the kernel, and reported.

}  // namespace

Result<SocketPair> MakeSocketPair() {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    return Status::IOError("a socket could not be made: ", std::generic_category().message(errno));
  }
  return SocketPair{.engine = OwnedDescriptor(ends[0]), .worker = OwnedDescriptor(ends[1])};
}

std::vector<OwnedDescriptor> TakeDescriptors(msghdr* message) {
  std::vector<OwnedDescriptor> taken;
  for (cmsghdr* header = CMSG_FIRSTHDR(message); header != nullptr;
       header = CMSG_NXTHDR(message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
    const size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < count; ++i) {
      int descriptor;
      std::memcpy(&descriptor, CMSG_DATA(header) + i * sizeof(int), sizeof(int));
      taken.emplace_back(descriptor);
    }
  }
  return taken;
}

SendOutcome SendFrame(int socket, const Frame& frame, std::span<const int> descriptors) {
  PENSTOCK_CHECK(descriptors.size() <= kDescriptorsSentMax);
  iovec part{.iov_base = const_cast<Frame*>(&frame), .iov_len = sizeof(frame)};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(kDescriptorsSentMax * sizeof(int))> control{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  if (!descriptors.empty()) {
    message.msg_control = control.data();
    message.msg_controllen = CMSG_SPACE(descriptors.size_bytes());
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(descriptors.size_bytes());
    std::memcpy(CMSG_DATA(header), descriptors.data(), descriptors.size_bytes());
  }
  while (::sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
    if (errno == EINTR) continue;
    if (errno == EPIPE || errno == ECONNRESET || errno == ECONNREFUSED) return SendOutcome::kGone;
    PENSTOCK_CHECK(errno == EAGAIN || errno == ENOBUFS || errno == ENOMEM ||
                   errno == ETOOMANYREFS);  // Full, or the kernel is for now.
    return SendOutcome::kFull;
  }
  return SendOutcome::kSent;
}

Result<ReceiveOutcome> ReceiveFrame(int socket, RawFrame* received) {
  iovec part{.iov_base = &received->frame, .iov_len = sizeof(Frame)};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(kDescriptorsReceivedMax * sizeof(int))> control{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  ssize_t bytes;
  // A reset is reported once, before what the worker had sent until then.
  do bytes = ::recvmsg(socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  while (bytes < 0 && (errno == EINTR || errno == ECONNRESET));
  if (bytes < 0) return ReceiveOutcome::kNothing;

  std::vector<OwnedDescriptor> descriptors = TakeDescriptors(&message);
  received->descriptors = static_cast<int>(descriptors.size());
  if (!descriptors.empty()) received->descriptor = std::move(descriptors.back());
  if (bytes == 0) return ReceiveOutcome::kClosed;
  if ((message.msg_flags & MSG_CTRUNC) != 0) {
    return Status::Invalid(
        "sent descriptors that could not be taken: too many at once, or more than this "
        "program's limit on open files allows (see ulimit -n)");
  }
  if (bytes != sizeof(Frame) || (message.msg_flags & MSG_TRUNC) != 0) {
    const bool longer = (message.msg_flags & MSG_TRUNC) != 0;
    return Status::Invalid("sent a message of ", longer ? "more than " : "", bytes,
                           " bytes where a frame has ", sizeof(Frame));
  }
  return ReceiveOutcome::kFrame;
}

}  // namespace penstock
