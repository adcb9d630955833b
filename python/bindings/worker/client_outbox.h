#pragma once

#include <cstdint>
#include <deque>
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

  /// Puts a message behind the others; what does not fit goes on in the next packets. Throws
  /// std::invalid_argument for one beyond what the hub takes.
  void Append(runtime::MessageWriter& message);

  bool empty() const { return packets_.empty(); }
  size_t packets() const { return packets_.size(); }

  Packet Take();

  /// Puts back what could not be sent; it is the next again.
  void PutBack(Packet packet) { packets_.push_front(std::move(packet)); }

  void Clear() { packets_.clear(); }

 private:
  std::deque<Packet> packets_;
};

}  // namespace penstock::python
