#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "penstock/base/descriptor.h"
#include "penstock/base/status.h"
#include "penstock/worker/wire.h"

namespace penstock {

struct SocketPair {
  OwnedDescriptor engine;  // Does not block.
  OwnedDescriptor worker;  // Blocks.
};

/// Makes the two ends of a worker's socket; no other process inherits them. IOError.
Result<SocketPair> MakeSocketPair();

/// Takes the descriptors that rode on a received message, in their order.
std::vector<OwnedDescriptor> TakeDescriptors(msghdr* message);

enum class SendOutcome : uint8_t {
  kSent,
  kFull,  // Try again when the socket is writable.
  kGone,  // The other end is closed.
};

/// Sends a frame with the descriptors that ride on it (at most four).
SendOutcome SendFrame(int socket, const Frame& frame, std::span<const int> descriptors);

enum class ReceiveOutcome : uint8_t { kFrame, kNothing, kClosed };

/// What came in one message.
struct RawFrame {
  Frame frame;
  OwnedDescriptor descriptor;  // The last of `descriptors`; the others are closed.
  int descriptors = 0;
};

/// Takes one message. Invalid when it is no frame by its length or by what rides on it, worded as
/// the end of a sentence that begins with "it".
Result<ReceiveOutcome> ReceiveFrame(int socket, RawFrame* received);

}  // namespace penstock
