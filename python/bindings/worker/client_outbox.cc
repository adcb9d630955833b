#include "client_outbox.h"

#include <algorithm>
#include <stdexcept>
#include <string_view>

namespace penstock::python {

using runtime::kPacketBytesMax;
using runtime::kPacketDescriptorsMax;
using runtime::MessageHeader;
using runtime::MessageKind;

void Outbox::Append(runtime::MessageWriter& message) {
  const std::string& bytes = message.Finish();
  const std::vector<int>& descriptors = message.descriptors();
  if (bytes.size() > kPacketBytesMax || descriptors.size() > kPacketDescriptorsMax) {
    AppendParts(bytes, descriptors);
    return;
  }
  const bool fits =
      !packets_.empty() && !is_closed_ &&
      packets_.back().bytes.size() + bytes.size() <= kPacketBytesMax &&
      packets_.back().descriptors.size() + descriptors.size() <= kPacketDescriptorsMax;
  if (!fits) packets_.emplace_back();
  is_closed_ = false;
  Packet& packet = packets_.back();
  packet.bytes += bytes;
  packet.descriptors.insert(packet.descriptors.end(), descriptors.begin(), descriptors.end());
}

void Outbox::AppendParts(const std::string& bytes, std::span<const int> descriptors) {
  if (bytes.size() > runtime::kMessageBytesMax) {
    throw std::invalid_argument("too much for one call: pass fewer references and larger objects");
  }
  constexpr size_t kRoom = kPacketBytesMax - sizeof(MessageHeader) - sizeof(uint8_t);
  std::string_view rest = bytes;
  bool is_last = false;
  while (!is_last) {
    const size_t sent = std::min(descriptors.size(), size_t{kPacketDescriptorsMax});
    const size_t size = std::min(kRoom, rest.size());
    is_last = size == rest.size() && sent == descriptors.size();
    Packet& packet = packets_.emplace_back();
    const MessageHeader header{
        .bytes = static_cast<uint32_t>(sizeof header + sizeof(uint8_t) + size),
        .kind = MessageKind::kPart,
        .descriptors = static_cast<uint16_t>(sent)};
    packet.bytes.append(reinterpret_cast<const char*>(&header), sizeof header);
    packet.bytes.push_back(is_last ? 1 : 0);
    packet.bytes.append(rest.substr(0, size));
    packet.descriptors.assign(descriptors.begin(), descriptors.begin() + sent);
    rest.remove_prefix(size);
    descriptors = descriptors.subspan(sent);
  }
  is_closed_ = true;
}

Outbox::Packet Outbox::Take() {
  Packet first = std::move(packets_.front());
  packets_.pop_front();
  return first;
}

}  // namespace penstock::python
