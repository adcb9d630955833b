#pragma once

#include <cstdint>

namespace penstock {

/// Spreads a number over all 64 bits: what looks alike gives what looks random. The same
/// everywhere and for ever, so that a seed means the same rows on every machine.
constexpr uint64_t Mix(uint64_t value) {
  value += 0x9E3779B97F4A7C15;
  value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9;
  value = (value ^ (value >> 27)) * 0x94D049BB133111EB;
  return value ^ (value >> 31);
}

}  // namespace penstock
