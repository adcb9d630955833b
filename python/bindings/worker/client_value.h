#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "client_segments.h"
#include "penstock/runtime/wire.h"

namespace penstock::python {

/// What the hub sent for an object: bytes in memory that it keeps, or why there are none.
///
/// The bytes of an object are laid out thus: uint32 buffers, uint32 0, uint64 pickled bytes, for
/// each buffer {uint64 offset, uint64 bytes}, what was pickled, the buffers at multiples of 64.
class ClientValue {
 public:
  ClientValue() = default;
  ClientValue(uint8_t flags, std::shared_ptr<const void> memory, std::span<const uint8_t> bytes,
              const SegmentMemory* segment)
      : flags_(flags), segment_(segment), memory_(std::move(memory)), bytes_(bytes) {}

  uint32_t flags() const { return flags_; }
  bool is_shared() const { return segment_ != nullptr; }
  const SegmentMemory* segment() const { return segment_; }  // That `memory` keeps.
  bool is_error() const { return (flags_ & (runtime::kIsError | runtime::kIsSystemError)) != 0; }
  const std::shared_ptr<const void>& memory() const { return memory_; }
  std::span<const uint8_t> bytes() const { return bytes_; }

  /// What was pickled, and the buffers beside it; a value without bytes, as a generator leaves at
  /// its end, is None. Throws std::runtime_error where the bytes are no object's.
  std::span<const uint8_t> Pickled() const;
  std::vector<std::span<const uint8_t>> Buffers() const;

  /// Of a system error: its number and text; of an item: its object's id.
  uint32_t Code() const;
  std::string Text() const;
  uint64_t Item() const;

 private:
  uint8_t flags_ = 0;
  const SegmentMemory* segment_ = nullptr;
  std::shared_ptr<const void> memory_;
  std::span<const uint8_t> bytes_;
};

}  // namespace penstock::python
