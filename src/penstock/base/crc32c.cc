#include "penstock/base/crc32c.h"

#ifdef __x86_64__
#include <nmmintrin.h>
#endif

#include <array>
#include <cstddef>
#include <cstring>

namespace penstock {
namespace {

using Tables = std::array<std::array<uint32_t, 256>, 8>;

/// Table k holds what a byte does to the checksum from k bytes further on.
constexpr Tables MakeTables() {
  constexpr uint32_t kReversedPolynomial = 0x82F63B78;
  Tables tables{};
  for (uint32_t byte = 0; byte < 256; ++byte) {
    uint32_t value = byte;
    for (int bit = 0; bit < 8; ++bit) {
      value = (value >> 1) ^ ((value & 1) != 0 ? kReversedPolynomial : 0);
    }
    tables[0][byte] = value;
  }
  for (size_t k = 1; k < tables.size(); ++k) {
    for (size_t byte = 0; byte < 256; ++byte) {
      const uint32_t before = tables[k - 1][byte];
      tables[k][byte] = (before >> 8) ^ tables[0][before & 0xFF];
    }
  }
  return tables;
}

constexpr Tables kTables = MakeTables();

/// Returns the state of the checksum after the bytes, by tables.
uint32_t Continue(std::string_view bytes, uint32_t crc) {
  size_t place = 0;
  const auto byte = [&](size_t index) {
    return static_cast<uint32_t>(static_cast<unsigned char>(bytes[index]));
  };
  for (; place + 8 <= bytes.size(); place += 8) {
    uint32_t next = 0;
    for (size_t i = 0; i < 4; ++i) {
      next ^= kTables[7 - i][((crc >> (8 * i)) ^ byte(place + i)) & 0xFF];
      next ^= kTables[3 - i][byte(place + 4 + i)];
    }
    crc = next;
  }
  for (; place < bytes.size(); ++place) {
    crc = (crc >> 8) ^ kTables[0][(crc ^ byte(place)) & 0xFF];
  }
  return crc;
}

#ifdef __x86_64__
/// Likewise, by the processor's own instruction.
__attribute__((target("sse4.2"))) uint32_t ContinueInHardware(std::string_view bytes,
                                                              uint32_t crc) {
  uint64_t state = crc;
  size_t place = 0;
  for (; place + 8 <= bytes.size(); place += 8) {
    uint64_t word;
    std::memcpy(&word, bytes.data() + place, sizeof word);
    state = _mm_crc32_u64(state, word);
  }
  auto narrow = static_cast<uint32_t>(state);
  for (; place < bytes.size(); ++place) {
    narrow = _mm_crc32_u8(narrow, static_cast<uint8_t>(bytes[place]));
  }
  return narrow;
}
#endif

using Continuation = uint32_t (*)(std::string_view, uint32_t);

Continuation ChooseContinuation() {
#ifdef __x86_64__
  if (__builtin_cpu_supports("sse4.2") != 0) return ContinueInHardware;
#endif
  return Continue;
}

}  // namespace

uint32_t Crc32c(std::string_view bytes, uint32_t before) {
  static const Continuation go_on = ChooseContinuation();
  return ~go_on(bytes, ~before);
}

uint32_t MaskedCrc32c(std::string_view bytes) {
  constexpr uint32_t kShift = 0xA282EAD8;
  const uint32_t crc = Crc32c(bytes);
  return ((crc >> 15) | (crc << 17)) + kShift;
}

}  // namespace penstock
