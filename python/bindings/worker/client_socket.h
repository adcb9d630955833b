#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "penstock/base/brief_wait.h"
#include "penstock/runtime/wire.h"

namespace penstock::python {

/// A client's socket to the hub: whole packets with their descriptors, nothing of what they mean.
///
/// Threads: one that sends and one that receives, at the same time. Receiving throws
/// std::runtime_error when the kernel refuses; a hub that is gone is an orderly end.
class ClientSocket {
 public:
  enum class Sent : uint8_t {
    kSent,
    kFull,  // Not now: wait until there is room.
    kGone,  // Or the kernel refuses, which comes to the same.
  };
  enum class Received : uint8_t {
    kPacket,
    kNothing,  // None is there.
    kEnd,      // The hub is gone.
  };

  /// Takes the descriptor.
  explicit ClientSocket(int descriptor) : descriptor_(descriptor) {}
  ~ClientSocket();
  ClientSocket(const ClientSocket&) = delete;
  ClientSocket& operator=(const ClientSocket&) = delete;

  int descriptor() const { return descriptor_; }

  Sent Send(std::string_view packet, std::span<const int> descriptors);
  void WaitForRoom() const;

  /// Receives a packet that is there. `packet` lives until the next call; the descriptors become
  /// the caller's.
  Received Receive(std::string_view* packet, std::vector<int>* descriptors);

  /// Waits until a packet or the end has come, `timeout_ms` at most. Returns false where a signal
  /// came first.
  bool WaitForPacket(int timeout_ms);

  /// Has nothing go either way any more, also for whoever waits.
  void Shutdown() const;

 private:
  const int descriptor_;
  BriefWait wait_;
  std::vector<char> buffer_ = std::vector<char>(runtime::kPacketBytesMax);
};

/// Makes a pair of sockets and sends one through a hub's reception; returns the other. Throws
/// std::runtime_error where nobody is left who could answer.
int ConnectThrough(int reception);

}  // namespace penstock::python
