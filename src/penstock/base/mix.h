#pragma once

#include <cstdint>
#include <string_view>

namespace penstock {

/// Spreads a number over all 64 bits: what looks alike gives what looks random. The same
/// everywhere and for ever, so that a seed means the same rows on every machine.
constexpr uint64_t Mix(uint64_t value) {
  value += 0x9E3779B97F4A7C15;
  value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9;
  value = (value ^ (value >> 27)) * 0x94D049BB133111EB;
  return value ^ (value >> 31);
}

/// Draws a number from a text, for ever the same; Mix it before use.
constexpr uint64_t HashText(std::string_view text) {
  uint64_t hash = 0xCBF29CE484222325;
  for (const char character : text) {
    hash = (hash ^ static_cast<unsigned char>(character)) * 0x100000001B3;
  }
  return hash;
}

}  // namespace penstock
