#pragma once

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <cstring>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "penstock/runtime/message.h"
#include "penstock/runtime/wire.h"

namespace penstock::runtime {

/// A value as a client sends or gets it: its bytes, wherever they came in.
struct PlainValue {
  uint8_t flags = 0;
  std::string bytes;
  std::vector<uint64_t> contained = {};
  uint64_t segment = 0;  // Where they came in; 0: in the message.
  bool shared = false;   // To be sent in a segment.
  int descriptor = -1;   // A segment's that is not well formed, to be sent as it is.
  uint64_t capacity = 0;

  uint32_t code() const {
    uint32_t number = 0;
    if (bytes.size() >= sizeof number) std::memcpy(&number, bytes.data(), sizeof number);
    return number;
  }
  SystemError error() const {
    return (flags & kIsSystemError) != 0 ? static_cast<SystemError>(code()) : SystemError::kNone;
  }
  std::string text() const { return bytes.size() < 4 ? "" : bytes.substr(4); }
  uint64_t item() const {
    uint64_t number = 0;
    if (bytes.size() >= sizeof number) std::memcpy(&number, bytes.data(), sizeof number);
    return number;
  }
};

struct PlainMessage {
  MessageKind kind = MessageKind::kStop;
  std::string fields;
  std::vector<int> descriptors;
};

/// A client of the hub for tests: blocks, and speaks the wire format as it is told to.
class PlainClient {
 public:
  explicit PlainClient(int socket) : socket_(socket) {}
  ~PlainClient() { Close(); }
  PlainClient(const PlainClient&) = delete;
  PlainClient& operator=(const PlainClient&) = delete;

  void Close() {
    if (socket_ >= 0) ::close(socket_);
    socket_ = -1;
  }

  int socket() const { return socket_; }
  uint32_t number() const { return number_; }
  uint64_t NewId(uint64_t count = 1) {
    const uint64_t first = MakeId(number_, last_ + 1);
    last_ += count;
    return first;
  }

  /// Says hello and takes the welcome. False when the hub is gone.
  bool Greet(uint64_t worker = 0) {
    MessageWriter hello(MessageKind::kHello);
    hello.Number(worker).Number(static_cast<uint64_t>(::getpid()));
    Send(hello);
    const std::optional<PlainMessage> welcome = Receive();
    if (!welcome || welcome->kind != MessageKind::kWelcome) return false;
    number_ = MessageReader(welcome->fields).Number<uint32_t>();
    return true;
  }

  void Send(MessageWriter& message) {
    const std::string& bytes = message.Finish();
    SendBytes(bytes, message.descriptors());
    for (const int descriptor : owned_) ::close(descriptor);
    owned_.clear();
  }

  void SendBytes(const std::string& bytes, std::vector<int> descriptors = {}) {
    for (size_t done = 0; done < bytes.size();) {
      size_t now = std::min<size_t>(bytes.size() - done, kPacketBytesMax);
      const size_t given = std::min<size_t>(descriptors.size(), kPacketDescriptorsMax);
      const size_t later = (descriptors.size() - given + kPacketDescriptorsMax - 1) /
                           static_cast<size_t>(kPacketDescriptorsMax);
      now = std::min(now, bytes.size() - done - later);
      SendPacket(bytes.substr(done, now), {descriptors.begin(), descriptors.begin() + given});
      descriptors.erase(descriptors.begin(), descriptors.begin() + given);
      done += now;
    }
  }

  /// Appends a value to a message, in a segment of its own where it is `shared`.
  void AddValue(MessageWriter& message, const PlainValue& value) {
    if (!value.shared) {
      message.Number(ValueForm::kInline).Number(value.flags).Bytes(value.bytes);
    } else {
      const int descriptor = value.descriptor >= 0 ? value.descriptor : MakeSegment(value.bytes);
      const uint64_t capacity = value.capacity > 0 ? value.capacity : value.bytes.size();
      message.Number(ValueForm::kShared)
          .Number(value.flags)
          .Number(value.segment != 0 ? value.segment : NewId())
          .Number(uint64_t{0})
          .Number(static_cast<uint64_t>(value.bytes.size()))
          .Number(capacity)
          .Number(uint8_t{1})
          .Descriptor(descriptor);
      owned_.push_back(descriptor);
    }
    message.Ids(value.contained);
  }

  /// Returns the next message; nothing when the hub has closed, or none came within the time.
  std::optional<PlainMessage> Receive(int timeout_ms = 30'000) {
    while (true) {
      if (std::optional<PlainMessage> message = Take()) return message;
      if (!ReceivePacket(timeout_ms)) return std::nullopt;
    }
  }

  /// Reads a value from a message of the hub's; what it lies in is mapped to read it alone.
  PlainValue ReadValue(MessageReader& fields, std::vector<int>& descriptors) {
    PlainValue value;
    const auto form = fields.Number<ValueForm>();
    value.flags = fields.Number<uint8_t>();
    if (form == ValueForm::kInline) value.bytes = fields.Bytes();
    if (form == ValueForm::kShared) {
      value.shared = true;
      value.segment = fields.Number<uint64_t>();
      const auto offset = fields.Number<uint64_t>();
      const auto size = fields.Number<uint64_t>();
      const auto capacity = fields.Number<uint64_t>();
      if (fields.Number<uint8_t>() == 1) {
        const int descriptor = descriptors.front();
        descriptors.erase(descriptors.begin());
        value.bytes = ReadMemory(descriptor, capacity, offset, size);
        ::close(descriptor);
      }
    }
    return value;
  }

 private:
  int MakeSegment(const std::string& bytes) {
    const int file = ::memfd_create("value", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (::ftruncate(file, static_cast<off_t>(bytes.size())) != 0) ::_exit(70);
    if (::pwrite(file, bytes.data(), bytes.size(), 0) < 0) ::_exit(71);
    ::fcntl(file, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
    return file;
  }

  static std::string ReadMemory(int descriptor, uint64_t capacity, uint64_t offset, uint64_t size) {
    void* data = ::mmap(nullptr, capacity, PROT_READ, MAP_SHARED, descriptor, 0);
    if (data == MAP_FAILED) ::_exit(72);
    std::string bytes(static_cast<const char*>(data) + offset, size);
    ::munmap(data, capacity);
    return bytes;
  }

  void SendPacket(const std::string& bytes, const std::vector<int>& descriptors) {
    iovec part{const_cast<char*>(bytes.data()), bytes.size()};
    alignas(cmsghdr) char control[CMSG_SPACE(kPacketDescriptorsMax * sizeof(int))];
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    if (!descriptors.empty()) {
      message.msg_control = control;
      message.msg_controllen = CMSG_SPACE(descriptors.size() * sizeof(int));
      cmsghdr* header = CMSG_FIRSTHDR(&message);
      header->cmsg_level = SOL_SOCKET;
      header->cmsg_type = SCM_RIGHTS;
      header->cmsg_len = CMSG_LEN(descriptors.size() * sizeof(int));
      std::memcpy(CMSG_DATA(header), descriptors.data(), descriptors.size() * sizeof(int));
    }
    while (::sendmsg(socket_, &message, MSG_NOSIGNAL) < 0 && errno == EINTR) {
    }
  }

  bool ReceivePacket(int timeout_ms) {
    pollfd ready{.fd = socket_, .events = POLLIN, .revents = 0};
    const int polled = ::poll(&ready, 1, timeout_ms);
    if (polled < 0 && errno == EINTR) return was_interrupted_ = true;
    if (polled <= 0) return false;
    const size_t before = received_.size();
    received_.resize(before + kPacketBytesMax);
    iovec part{received_.data() + before, kPacketBytesMax};
    alignas(cmsghdr) char control[CMSG_SPACE(kPacketDescriptorsMax * sizeof(int))];
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof(control);
    const ssize_t bytes = ::recvmsg(socket_, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    received_.resize(before + (bytes > 0 ? static_cast<size_t>(bytes) : 0));
    if (bytes <= 0) return bytes < 0 && errno == EAGAIN;
    for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr;
         header = CMSG_NXTHDR(&message, header)) {
      const size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
      for (size_t i = 0; i < count; ++i) {
        int descriptor;
        std::memcpy(&descriptor, CMSG_DATA(header) + i * sizeof(int), sizeof(int));
        descriptors_.push_back(descriptor);
      }
    }
    return true;
  }

  std::optional<PlainMessage> Take() {
    MessageHeader header;
    if (received_.size() < sizeof header) return std::nullopt;
    std::memcpy(&header, received_.data(), sizeof header);
    if (received_.size() < header.bytes) return std::nullopt;
    PlainMessage message{.kind = header.kind,
                         .fields = received_.substr(sizeof header, header.bytes - sizeof header)};
    received_.erase(0, header.bytes);
    for (int i = 0; i < header.descriptors; ++i) {
      message.descriptors.push_back(descriptors_.front());
      descriptors_.pop_front();
    }
    return message;
  }

  int socket_;
  uint32_t number_ = 0;
  uint64_t last_ = 0;
  bool was_interrupted_ = false;
  std::string received_;
  std::deque<int> descriptors_;
  std::vector<int> owned_;
};

}  // namespace penstock::runtime
