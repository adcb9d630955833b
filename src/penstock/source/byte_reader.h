#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace penstock {

/// Reads numbers at any place of a file's bytes; 0 where they end, which `failed` tells.
class ByteReader {
 public:
  explicit ByteReader(std::span<const uint8_t> bytes, bool big_endian = false)
      : bytes_(bytes), big_endian_(big_endian) {}

  uint8_t Byte(size_t at) { return static_cast<uint8_t>(Number(at, 1)); }
  uint16_t Short(size_t at) { return static_cast<uint16_t>(Number(at, 2)); }
  uint32_t Long(size_t at) { return static_cast<uint32_t>(Number(at, 4)); }
  int32_t SignedLong(size_t at) { return static_cast<int32_t>(Long(at)); }

  /// Returns the bytes from `at` on, at most `count`: fewer where the file ends.
  std::span<const uint8_t> Bytes(size_t at, size_t count) const {
    if (at >= bytes_.size()) return {};
    return bytes_.subspan(at, count < bytes_.size() - at ? count : bytes_.size() - at);
  }

  size_t size() const { return bytes_.size(); }
  bool failed() const { return failed_; }

 private:
  uint64_t Number(size_t at, size_t count) {
    if (at > bytes_.size() || bytes_.size() - at < count) {
      failed_ = true;
      return 0;
    }
    uint64_t number = 0;
    for (size_t i = 0; i < count; ++i) {
      const size_t place = big_endian_ ? i : count - 1 - i;
      number = number << 8 | bytes_[at + place];
    }
    return number;
  }

  const std::span<const uint8_t> bytes_;
  const bool big_endian_;
  bool failed_ = false;
};

}  // namespace penstock
