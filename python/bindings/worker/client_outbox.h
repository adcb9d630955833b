#pragma once

#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <vector>

#include "penstock/runtime/message.h"

namespace penstock::python {

/// Messages on their way to the hub, in packets as full as they get.
///
/// Threads: under its owner's lock. Descriptors stay their owners', who keep them open until the
/// packet is sent.
class Outbox {
 public:
  struct Packet {
    std::string bytes;
    std::vector<int> descriptors;
  };

  /// Puts a message behind the others; one that is too large for a packet in parts.
  void Append(runtime::MessageWriter& message);

  bool empty() const { return packets_.empty(); }
  size_t packets() const { return packets_.size(); }
  size_t last_bytes() const { return packets_.empty() ? 0 : packets_.back().bytes.size(); }

  Packet Take();

  /// Puts back what could not be sent; it is the next again.
  void PutBack(Packet packet) { packets_.push_front(std::move(packet)); }

  void Clear() { packets_.clear(); }

 private:
  void AppendParts(const std::string& bytes, std::span<const int> descriptors);

  std::deque<Packet> packets_;
  bool is_closed_ = false;  // The last packet is to stay as it is.
};

}  // namespace penstock::python
