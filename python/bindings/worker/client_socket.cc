#include "client_socket.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <stdexcept>

namespace penstock::python {
namespace {

using Control = std::array<char, CMSG_SPACE(runtime::kPacketDescriptorsMax * sizeof(int))>;

[[noreturn]] void ThrowErrno(const char* doing) {
  throw std::runtime_error(std::string(doing) + ": " + std::strerror(errno));
}

bool HubIsGone(int error) { return error == EPIPE || error == ECONNRESET; }

void Attach(std::span<const int> descriptors, Control* control, msghdr* message) {
  if (descriptors.empty()) return;
  message->msg_control = control->data();
  message->msg_controllen = CMSG_SPACE(descriptors.size_bytes());
  cmsghdr* header = CMSG_FIRSTHDR(message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(descriptors.size_bytes());
  std::memcpy(CMSG_DATA(header), descriptors.data(), descriptors.size_bytes());
}

void Detach(msghdr* message, std::vector<int>* descriptors) {
  descriptors->clear();
  for (cmsghdr* header = CMSG_FIRSTHDR(message); header != nullptr;
       header = CMSG_NXTHDR(message, header)) {
    if (header->cmsg_type != SCM_RIGHTS) continue;
    const size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    const size_t before = descriptors->size();
    descriptors->resize(before + count);
    std::memcpy(descriptors->data() + before, CMSG_DATA(header), count * sizeof(int));
  }
}

}  // namespace

ClientSocket::~ClientSocket() { close(descriptor_); }

ClientSocket::Sent ClientSocket::Send(std::string_view packet, std::span<const int> descriptors) {
  iovec part = {const_cast<char*>(packet.data()), packet.size()};
  alignas(cmsghdr) Control control;
  msghdr message = {};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  Attach(descriptors, &control, &message);
  while (sendmsg(descriptor_, &message, MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
    if (errno == EAGAIN || errno == ETOOMANYREFS || errno == ENOBUFS) return Sent::kFull;
    if (errno != EINTR) return Sent::kGone;
  }
  return Sent::kSent;
}

void ClientSocket::WaitForRoom() const {
  constexpr int kLookAgainMs = 100;  // Room for descriptors comes without a sign.
  pollfd look = {descriptor_, POLLOUT, 0};
  poll(&look, 1, kLookAgainMs);
}

ClientSocket::Received ClientSocket::Receive(std::string_view* packet,
                                             std::vector<int>* descriptors) {
  iovec part = {buffer_.data(), buffer_.size()};
  alignas(cmsghdr) Control control;
  msghdr message = {};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  ssize_t received = 0;
  do {
    received = recvmsg(descriptor_, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
  } while (received < 0 && errno == EINTR);
  if (received == 0 || (received < 0 && HubIsGone(errno))) return Received::kEnd;
  if (received < 0 && errno == EAGAIN) return Received::kNothing;
  if (received < 0) ThrowErrno("cannot receive from the hub");
  Detach(&message, descriptors);
  if ((message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0) {
    for (const int descriptor : *descriptors) close(descriptor);
    throw std::runtime_error("a packet of the hub's came cut off: too many open files?");
  }
  *packet = {buffer_.data(), static_cast<size_t>(received)};
  return Received::kPacket;
}

bool ClientSocket::WaitForPacket(int timeout_ms) {
  pollfd look = {descriptor_, POLLIN, 0};
  if (timeout_ms != 0 && wait_.For([&] { return poll(&look, 1, 0) != 0; })) return true;
  const int ready = poll(&look, 1, timeout_ms);
  if (ready > 0) wait_.Came();
  return ready >= 0 || errno != EINTR;
}

void ClientSocket::Shutdown() const { shutdown(descriptor_, SHUT_RDWR); }

int ConnectThrough(int reception) {
  std::array<int, 2> pair{};
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair.data()) != 0) {
    ThrowErrno("cannot make a socket to the hub");
  }
  char greeting = 0;
  iovec part = {&greeting, 1};
  alignas(cmsghdr) Control control;
  msghdr message = {};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  Attach({&pair[1], 1}, &control, &message);
  ssize_t sent = 0;
  do {
    sent = sendmsg(reception, &message, MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  const int error = errno;
  close(pair[1]);
  if (sent < 0) {
    close(pair[0]);
    errno = error;
    ThrowErrno("cannot reach the hub of the program");
  }
  return pair[0];
}

}  // namespace penstock::python
