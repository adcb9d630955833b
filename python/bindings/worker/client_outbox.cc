#include "client_outbox.h"

#include <algorithm>
#include <span>
#include <stdexcept>
#include <string_view>

namespace penstock::python {
namespace {

using runtime::kPacketBytesMax;
using runtime::kPacketDescriptorsMax;

size_t RoomFor(const Outbox::Packet& packet) { return kPacketBytesMax - packet.bytes.size(); }

size_t RoomForDescriptors(const Outbox::Packet& packet) {
  return kPacketDescriptorsMax - packet.descriptors.size();
}

}  // namespace

void Outbox::Append(runtime::MessageWriter& message) {
  std::string_view bytes = message.Finish();
  std::span<const int> descriptors = message.descriptors();
  if (bytes.size() > runtime::kMessageBytesMax ||
      descriptors.size() > runtime::kMessageDescriptorsMax) {
    throw std::invalid_argument("too much for one call: pass fewer objects and references");
  }
  while (!bytes.empty()) {
    if (packets_.empty() || RoomFor(packets_.back()) == 0 ||
        (!descriptors.empty() && RoomForDescriptors(packets_.back()) == 0)) {
      packets_.emplace_back();
    }
    Packet& packet = packets_.back();
    const size_t taken = std::min(descriptors.size(), RoomForDescriptors(packet));
    packet.descriptors.insert(packet.descriptors.end(), descriptors.begin(),
                              descriptors.begin() + static_cast<std::ptrdiff_t>(taken));
    descriptors = descriptors.subspan(taken);
    // A byte for each packet that brings the rest: none may be empty, the last byte comes last.
    const size_t held_back =
        (descriptors.size() + kPacketDescriptorsMax - 1) / size_t{kPacketDescriptorsMax};
    const size_t size = std::min(RoomFor(packet), bytes.size() - held_back);
    packet.bytes.append(bytes.substr(0, size));
    bytes.remove_prefix(size);
  }
}

Outbox::Packet Outbox::Take() {
  Packet first = std::move(packets_.front());
  packets_.pop_front();
  return first;
}

}  // namespace penstock::python
