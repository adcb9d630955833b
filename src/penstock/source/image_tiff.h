#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

/// The two codings of TIFF's own. Both stop after `bytes` bytes, or before where the coded text is
/// broken or cut off.
namespace penstock {

std::vector<uint8_t> UnpackBits(std::span<const uint8_t> packed, size_t bytes);
std::vector<uint8_t> UnpackLzw(std::span<const uint8_t> packed, size_t bytes);

}  // namespace penstock
