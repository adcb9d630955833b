#include "penstock/runtime/link.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>

#include "penstock/worker/socket.h"

namespace penstock::runtime {
namespace {

constexpr size_t kDescriptorsAtOnce = 253;  // The kernel's limit.

/// Returns how many bytes of a message go into a packet with `room`, so that its last byte comes
/// with the last of its descriptors.
size_t BytesNow(size_t bytes_left, size_t room, size_t descriptors_later) {
  const size_t packets_later =
      (descriptors_later + kPacketDescriptorsMax - 1) / kPacketDescriptorsMax;
  return std::min(room, bytes_left - packets_later);
}

}  // namespace

Link::Link(OwnedDescriptor socket, int poller, uint64_t tag)
    : socket_(std::move(socket)), poller_(poller), tag_(tag) {}

Status Link::Watch() {
  epoll_event event{.events = EPOLLIN, .data = {.u64 = tag_}};
  if (::epoll_ctl(poller_, EPOLL_CTL_ADD, socket_.get(), &event) != 0) {
    return Status::IOError("a client's socket cannot be watched: ",
                           std::generic_category().message(errno));
  }
  watched_ = true;
  return Status::OK();
}

void Link::Unwatch() {
  if (std::exchange(watched_, false)) {
    (void)::epoll_ctl(poller_, EPOLL_CTL_DEL, socket_.get(), nullptr);
  }
}

void Link::AwaitRoom(bool wanted) {
  if (!watched_ || std::exchange(awaits_room_, wanted) == wanted) return;
  epoll_event event{.events = wanted ? EPOLLIN | EPOLLOUT : EPOLLIN, .data = {.u64 = tag_}};
  (void)::epoll_ctl(poller_, EPOLL_CTL_MOD, socket_.get(), &event);
}

Result<Link::Received> Link::Receive() {
  if (begin_ > 0) {
    std::memmove(received_.data(), received_.data() + begin_, end_ - begin_);
    end_ -= std::exchange(begin_, 0);
  }
  if (received_.size() < end_ + kPacketBytesMax) received_.resize(end_ + kPacketBytesMax);
  iovec part{.iov_base = received_.data() + end_, .iov_len = kPacketBytesMax};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(kDescriptorsAtOnce * sizeof(int))> control;
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  ssize_t bytes;
  // A reset is reported once, before what the client had sent until then.
  do bytes = ::recvmsg(socket_.get(), &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  while (bytes < 0 && (errno == EINTR || errno == ECONNRESET));
  if (bytes < 0) return Received::kNothing;
  for (OwnedDescriptor& taken : TakeDescriptors(&message)) descriptors_.push_back(std::move(taken));
  if (bytes == 0) return Received::kClosed;
  if ((message.msg_flags & MSG_CTRUNC) != 0) {
    return Status::Invalid(
        "sent descriptors that could not be taken: more than this program's limit on open files "
        "allows (see ulimit -n)");
  }
  if ((message.msg_flags & MSG_TRUNC) != 0) {
    return Status::Invalid("sent a packet of more than ", kPacketBytesMax, " bytes");
  }
  end_ += static_cast<size_t>(bytes);
  if (descriptors_.size() > kMessageDescriptorsMax) {
    return Status::Invalid("sent more descriptors than a message may have");
  }
  return Received::kPacket;
}

Result<std::optional<IncomingMessage>> Link::Next() {
  const size_t bytes = end_ - begin_;
  MessageHeader header;
  if (bytes < sizeof header) {
    if (bytes == 0) return std::nullopt;
    return Status::Invalid("sent a packet that ends within a message's header");
  }
  std::memcpy(&header, received_.data() + begin_, sizeof header);
  if (header.bytes < sizeof header || header.bytes > kMessageBytesMax) {
    return Status::Invalid("sent a message of ", header.bytes, " bytes");
  }
  if (bytes < header.bytes) return std::nullopt;
  if (descriptors_.size() < header.descriptors) {
    return Status::Invalid("sent a message of kind ", static_cast<int>(header.kind), " with ",
                           descriptors_.size(), " descriptors instead of ", header.descriptors);
  }
  const std::string_view fields(received_.data() + begin_ + sizeof header,
                                header.bytes - sizeof header);
  begin_ += header.bytes;
  IncomingMessage message{.kind = header.kind, .fields = MessageReader(fields), .descriptors = {}};
  for (int i = 0; i < header.descriptors; ++i) {
    message.descriptors.push_back(std::move(descriptors_.front()));
    descriptors_.pop_front();
  }
  return message;
}

/// Returns a packet that has room for a message's header.
Link::Packet& Link::OpenPacket() {
  if (packets_.empty() || packets_.back().bytes.size() + sizeof(MessageHeader) > kPacketBytesMax ||
      packets_.back().descriptors.size() >= kPacketDescriptorsMax) {
    packets_.emplace_back();
  }
  return packets_.back();
}

void Link::Send(const std::string& message, std::vector<LentDescriptor> descriptors) {
  std::string_view bytes = message;
  auto descriptor = descriptors.begin();
  bool begun = false;
  while (!bytes.empty()) {
    Packet& packet = begun ? packets_.emplace_back() : OpenPacket();
    while (descriptor != descriptors.end() && packet.descriptors.size() < kPacketDescriptorsMax) {
      packet.descriptors.push_back(std::move(*descriptor++));
    }
    const auto later = static_cast<size_t>(descriptors.end() - descriptor);
    const size_t now = BytesNow(bytes.size(), kPacketBytesMax - packet.bytes.size(), later);
    packet.bytes.append(bytes.substr(0, now));
    bytes.remove_prefix(now);
    begun = true;
  }
}

void Link::Flush() {
  while (!packets_.empty()) {
    const Sent sent = SendPacket(packets_.front());
    if (sent == Sent::kFull) break;
    packets_.pop_front();
  }
  AwaitRoom(!packets_.empty());
}

Link::Sent Link::SendPacket(const Packet& packet) {
  iovec part{.iov_base = const_cast<char*>(packet.bytes.data()), .iov_len = packet.bytes.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(kPacketDescriptorsMax * sizeof(int))> control;
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  if (!packet.descriptors.empty()) {
    const size_t bytes = packet.descriptors.size() * sizeof(int);
    message.msg_control = control.data();
    message.msg_controllen = CMSG_SPACE(bytes);
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(bytes);
    for (size_t i = 0; i < packet.descriptors.size(); ++i) {
      std::memcpy(CMSG_DATA(header) + i * sizeof(int), &packet.descriptors[i].descriptor,
                  sizeof(int));
    }
  }
  while (::sendmsg(socket_.get(), &message, MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
    if (errno == EINTR) continue;
    const bool is_full =
        errno == EAGAIN || errno == ENOBUFS || errno == ENOMEM || errno == ETOOMANYREFS;
    return is_full ? Sent::kFull : Sent::kGone;
  }
  return Sent::kYes;
}

}  // namespace penstock::runtime
