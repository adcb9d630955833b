#pragma once

#include <cstdint>
#include <string>

/// Bitmaps as Arrow has them: least significant bit first.
namespace penstock::python {

inline bool GetBit(const uint8_t* bits, int64_t index) {
  return ((bits[index >> 3] >> (index & 7)) & 1) != 0;
}

inline void SetBit(uint8_t* bits, int64_t index) {
  bits[index >> 3] = static_cast<uint8_t>(bits[index >> 3] | (1U << (index & 7)));
}

inline int64_t BitmapBytes(int64_t bits) { return (bits + 7) / 8; }

/// Packs one byte a value (zero or not) into bits.
inline std::string PackBits(const uint8_t* values, int64_t count) {
  std::string bits(static_cast<size_t>(BitmapBytes(count)), '\0');
  auto* out = reinterpret_cast<uint8_t*>(bits.data());
  for (int64_t i = 0; i < count; ++i) {
    if (values[i] != 0) SetBit(out, i);
  }
  return bits;
}

/// Copies `count` bits from bit `offset` on to a bitmap that starts at bit 0.
inline std::string CopyBits(const uint8_t* bits, int64_t offset, int64_t count) {
  std::string copy(static_cast<size_t>(BitmapBytes(count)), '\0');
  auto* out = reinterpret_cast<uint8_t*>(copy.data());
  for (int64_t i = 0; i < count; ++i) {
    if (GetBit(bits, offset + i)) SetBit(out, i);
  }
  return copy;
}

inline int64_t CountUnset(const uint8_t* bits, int64_t offset, int64_t count) {
  int64_t unset = 0;
  for (int64_t i = 0; i < count; ++i) unset += GetBit(bits, offset + i) ? 0 : 1;
  return unset;
}

}  // namespace penstock::python
