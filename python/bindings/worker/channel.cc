#include "channel.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <stdexcept>

namespace penstock::python {
namespace {

constexpr int kDescriptorsMax = 2;

int64_t NowNs() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

[[noreturn]] void ThrowErrno(const char* doing) {
  throw std::runtime_error(std::string(doing) + ": " + std::strerror(errno));
}

void WaitFor(int descriptor, int16_t events) {
  pollfd wait = {descriptor, events, 0};
  poll(&wait, 1, -1);
}

/// Returns whether a frame, or the end, has come.
bool HasFrame(int descriptor) {
  pollfd look = {descriptor, POLLIN, 0};
  return poll(&look, 1, 0) != 0;
}

bool EngineIsGone(int error) { return error == EPIPE || error == ECONNRESET; }

}  // namespace

Channel::Channel(int descriptor) : descriptor_(descriptor) {}

// Reads one frame into arrived_, mappings_ or grant_.
Channel::Received Channel::Receive(bool waits) {
  Frame frame;
  iovec part = {&frame, sizeof frame};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(kDescriptorsMax * sizeof(int))> control{};
  msghdr message = {};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  ssize_t received = 0;
  {
    nb::gil_scoped_release release;
    if (waits) static_cast<void>(wait_.For([this] { return HasFrame(descriptor_); }));
    const int flags = MSG_CMSG_CLOEXEC | (waits ? 0 : MSG_DONTWAIT);
    do {
      if (received < 0 && errno == EAGAIN) WaitFor(descriptor_, POLLIN);
      received = recvmsg(descriptor_, &message, flags);
    } while (received < 0 && (errno == EINTR || (waits && errno == EAGAIN)));
    if (waits) wait_.Came();
  }
  if (received == 0 || (received < 0 && EngineIsGone(errno))) return Received::kEnd;
  if (received < 0 && errno == EAGAIN) return Received::kNothing;
  if (received < 0) ThrowErrno("cannot receive a frame");
  std::array<int, kDescriptorsMax> descriptors{};
  int count = 0;
  for (cmsghdr* part_header = CMSG_FIRSTHDR(&message); part_header != nullptr;
       part_header = CMSG_NXTHDR(&message, part_header)) {
    if (part_header->cmsg_type != SCM_RIGHTS) continue;
    count = static_cast<int>((part_header->cmsg_len - CMSG_LEN(0)) / sizeof(int));
    std::memcpy(descriptors.data(), CMSG_DATA(part_header),
                static_cast<size_t>(count) * sizeof(int));
  }
  if (received != sizeof frame || frame.magic != kFrameMagic) {
    throw std::runtime_error("the engine sent something that is no frame");
  }
  Accept(frame, descriptors.data(), count);
  return Received::kFrame;
}

bool Channel::Poll() {
  Received received = Received::kFrame;
  while (received == Received::kFrame) received = Receive(/*waits=*/false);
  return received == Received::kNothing;
}

std::shared_ptr<Mapping> Channel::MappingOf(uint64_t segment, int64_t capacity, int descriptor) {
  if (descriptor >= 0) {
    auto mapping = Mapping::OfDescriptor(descriptor, capacity);
    mappings_[segment] = mapping;
    return mapping;
  }
  const auto found = mappings_.find(segment);
  if (found == mappings_.end()) {
    throw std::runtime_error("the engine named a segment that it never sent");
  }
  return found->second;
}

void Channel::Accept(const Frame& frame, const int* descriptors, int count) {
  int next = 0;
  const auto take = [&](uint32_t flag) {
    return (frame.flags & flag) != 0 && next < count ? descriptors[next++] : -1;
  };
  Arrived arrived{frame, nullptr, {}};
  if (frame.kind == FrameKind::kForget) {
    mappings_.erase(frame.segment);
    return;
  }
  if (frame.kind == FrameKind::kStop) {
    ended_ = true;
    return;
  }
  const int input = take(kInputDescriptor);
  const int output = take(kOutputDescriptor);
  if ((frame.flags & kKeptInput) != 0 && input >= 0) {
    arrived.input = Mapping::CopyOnWrite(input, frame.segment_bytes);
  } else if (frame.segment != 0 || input >= 0) {
    arrived.input = MappingOf(frame.segment, frame.segment_capacity, input);
  }
  if (output >= 0) MappingOf(frame.output_segment, frame.output_capacity, output);
  if (frame.kind != FrameKind::kGrant) {
    arrived_.push_back(std::move(arrived));
  } else if (frame.batch == batch_id_ && batch_.is_valid()) {
    grant_ =
        Grant{frame.output_segment, MappingOf(frame.output_segment, frame.output_capacity, -1)};
  }
}

nb::object Channel::ReceiveSetup() {
  while (arrived_.empty()) {
    if (ended_ || !ReceiveFrame()) return nb::none();
  }
  const Arrived first = std::move(arrived_.front());
  arrived_.pop_front();
  if (first.frame.kind != FrameKind::kSetup || first.input == nullptr ||
      first.frame.segment_bytes > first.input->capacity()) {
    throw std::runtime_error("the engine did not begin with the setup");
  }
  return nb::bytes(first.input->data(), static_cast<size_t>(first.frame.segment_bytes));
}

nb::object Channel::BatchOf(Arrived& arrived) {
  if (arrived.frame.kind != FrameKind::kBatch || arrived.input == nullptr) {
    throw std::runtime_error("the engine sent a frame that a worker does not take");
  }
  if (!arrived.batch.is_valid()) {
    arrived.batch = nb::cast(new Batch(arrived.input, arrived.frame.segment_bytes),
                             nb::rv_policy::take_ownership);
  }
  return arrived.batch;
}

nb::object Channel::Peek(size_t place) { return BatchOf(arrived_.at(place)); }

nb::object Channel::ReceiveBatch() {
  while (arrived_.empty()) {
    if (ended_ || !ReceiveFrame()) return nb::none();
  }
  Arrived next = std::move(arrived_.front());
  arrived_.pop_front();
  batch_ = BatchOf(next);
  batch_id_ = next.frame.batch;
  input_segment_ = (next.frame.flags & kKeptInput) != 0 ? 0 : next.frame.segment;
  grant_ = Grant{};
  if (next.frame.output_segment != 0) {
    grant_ = Grant{next.frame.output_segment,
                   MappingOf(next.frame.output_segment, next.frame.output_capacity, -1)};
  }
  return batch_;
}

void Channel::SendReady() { SendFrame({.kind = FrameKind::kReady}, -1); }

bool Channel::WaitForGrant() {
  const int64_t start = NowNs();
  while (!grant_) {
    if (!ReceiveFrame()) return false;
  }
  waited_ns_ += NowNs() - start;
  return true;
}

bool Channel::WriteOutput(Output& output) {
  const int64_t bytes = output.Plan();
  if (!grant_ && !WaitForGrant()) return false;
  Written written{bytes, output.rows(), nullptr};
  if (grant_->mapping != nullptr && bytes <= grant_->mapping->capacity()) {
    output.Write(grant_->mapping->data());
  } else {
    written.own = std::make_unique<OwnSegment>(bytes);
    output.Write(written.own->data());
  }
  written_ = std::move(written);
  return true;
}

void Channel::EndBatch() {
  auto& batch = nb::cast<Batch&>(batch_);
  if (batch.IsViewed()) {
    std::shared_ptr<Mapping> shared = batch.Detach();
    const auto known = mappings_.find(input_segment_);
    if (known != mappings_.end()) known->second = std::move(shared);
  }
  batch_.reset();
}

void Channel::Send(bool more, int64_t busy_ns) {
  Frame frame{.kind = FrameKind::kDone, .batch = batch_id_, .busy_ns = busy_ns};
  int descriptor = -1;
  if (written_) {
    frame.kind = FrameKind::kOutput;
    frame.flags = more ? kMore : 0;
    frame.segment_bytes = written_->bytes;
    frame.rows = written_->rows;
    if (written_->own != nullptr) {
      frame.flags |= kInputDescriptor;
      frame.segment_capacity = written_->bytes;
      descriptor = written_->own->descriptor();
    } else {
      frame.segment = grant_->segment;
    }
    grant_.reset();
  }
  if (!more) EndBatch();
  SendFrame(frame, descriptor);
  written_.reset();
}

void Channel::SendFailed(nb::bytes packed, uint32_t flags, int64_t busy_ns) {
  const auto bytes = static_cast<int64_t>(packed.size());
  const OwnSegment segment(bytes);
  std::memcpy(segment.data(), packed.c_str(), packed.size());
  written_.reset();
  grant_.reset();
  if (batch_.is_valid()) EndBatch();
  SendFrame({.kind = FrameKind::kFailed,
             .flags = flags | kInputDescriptor,
             .batch = batch_id_,
             .segment_bytes = bytes,
             .segment_capacity = bytes,
             .busy_ns = busy_ns},
            segment.descriptor());
}

void Channel::SendFrame(const Frame& frame, int descriptor) {
  Frame copy = frame;
  iovec part = {&copy, sizeof copy};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  msghdr message = {};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  if (descriptor >= 0) {
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(header), &descriptor, sizeof descriptor);
  }
  nb::gil_scoped_release release;
  while (sendmsg(descriptor_, &message, MSG_NOSIGNAL) < 0) {
    if (errno == EAGAIN) {
      WaitFor(descriptor_, POLLOUT);
    } else if (EngineIsGone(errno)) {
      ended_ = true;
      return;
    } else if (errno != EINTR) {
      ThrowErrno("cannot send a frame");
    }
  }
}

}  // namespace penstock::python
