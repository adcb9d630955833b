#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "penstock/base/descriptor.h"
#include "penstock/base/status.h"
#include "penstock/runtime/message.h"

namespace penstock::runtime {

/// A message from a client.
struct IncomingMessage {
  MessageKind kind;
  MessageReader fields;  // Until the next packet is received.
  std::vector<OwnedDescriptor> descriptors;
};

/// The descriptor of a message that goes out, and what keeps it open until it is sent.
struct LentDescriptor {
  int descriptor = -1;
  std::shared_ptr<const void> keeper;
};

/// The hub's end of one client's socket. It cuts messages into packets, several to one, and puts
/// them together again (see wire.h).
///
/// Threads: one at a time. Nothing blocks: what the socket does not take stays queued until the
/// poller says that there is room. Order: as sent.
/// Errors: what breaks the rules of messages is Invalid, worded as the end of a sentence that
/// begins with "it".
class Link {
 public:
  enum class Received : uint8_t {
    kPacket,
    kNothing,  // Has come.
    kClosed,   // The client has closed its end.
  };

  /// `poller` (an epoll descriptor) must outlive this; its events carry `tag`.
  Link(OwnedDescriptor socket, int poller, uint64_t tag);

  /// Has the poller tell of what comes. IOError.
  Status Watch();
  void Unwatch();

  /// Takes a packet.
  Result<Received> Receive();

  /// Returns the next message of the packets taken, when it is whole.
  Result<std::optional<IncomingMessage>> Next();

  /// Queues a message.
  void Send(const std::string& message, std::vector<LentDescriptor> descriptors = {});

  /// Sends what is queued, as far as the socket takes it.
  void Flush();

  size_t queued_packets() const { return packets_.size(); }

 private:
  struct Packet {
    std::string bytes;
    std::vector<LentDescriptor> descriptors;
  };
  enum class Sent : uint8_t { kYes, kFull, kGone };

  Packet& OpenPacket();
  Sent SendPacket(const Packet& packet);
  void AwaitRoom(bool wanted);

  const OwnedDescriptor socket_;
  const int poller_;
  const uint64_t tag_;
  bool watched_ = false;
  bool awaits_room_ = false;

  std::vector<char> received_;  // [begin_, end_) is to be read.
  size_t begin_ = 0;
  size_t end_ = 0;
  std::deque<OwnedDescriptor> descriptors_;  // Received, of messages that are not whole yet.

  std::deque<Packet> packets_;
};

}  // namespace penstock::runtime
