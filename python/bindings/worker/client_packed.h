#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "client_segments.h"
#include "penstock/runtime/message.h"

namespace penstock::python {

/// How an object's bytes begin (see ClientValue).
struct ObjectHeader {
  uint32_t buffers = 0;
  uint32_t reserved = 0;
  uint64_t pickled_bytes = 0;
};
struct BufferPlace {
  uint64_t offset = 0;
  uint64_t bytes = 0;
};
static_assert(sizeof(ObjectHeader) == 16 && sizeof(BufferPlace) == 16);

/// An object's bytes on their way to the hub: inline, or in a segment of this process's own, which
/// goes back to the others where it is never sent.
///
/// Threads: one at a time.
class Packed {
 public:
  Packed(std::string bytes, std::vector<uint64_t> contained)
      : inline_(std::move(bytes)), contained_(std::move(contained)) {}
  Packed(std::shared_ptr<OwnSegments> segments, std::shared_ptr<SegmentMemory> memory,
         int64_t bytes, std::vector<uint64_t> contained)
      : segments_(std::move(segments)),
        memory_(std::move(memory)),
        bytes_(bytes),
        contained_(std::move(contained)) {}
  ~Packed();
  Packed(const Packed&) = delete;
  Packed& operator=(const Packed&) = delete;

  bool is_shared() const { return segments_ != nullptr; }
  int64_t size() const { return is_shared() ? bytes_ : static_cast<int64_t>(inline_.size()); }

  /// Writes it into a message as a value, after which its segment is the hub's too. Throws
  /// std::invalid_argument where that has been done before: a segment is one object's.
  void Send(uint8_t flags, runtime::MessageWriter* message);

 private:
  std::string inline_;
  std::shared_ptr<OwnSegments> segments_;  // Null: the bytes are inline.
  std::shared_ptr<SegmentMemory> memory_;  // Null: they are, or it is sent.
  int64_t bytes_ = 0;
  std::vector<uint64_t> contained_;  // Objects and actors that it refers to.
};

/// Where an object's parts lie.
class ObjectLayout {
 public:
  ObjectLayout(std::span<const uint8_t> pickled, std::vector<std::span<const uint8_t>> buffers);

  int64_t bytes() const { return bytes_; }
  void Write(uint8_t* place) const;

 private:
  static constexpr uint64_t kAlignment = 64;

  std::span<const uint8_t> pickled_;
  std::vector<std::span<const uint8_t>> buffers_;
  std::vector<BufferPlace> places_;
  int64_t bytes_ = 0;
};

}  // namespace penstock::python
