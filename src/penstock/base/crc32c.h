#pragma once

#include <cstdint>
#include <string_view>

namespace penstock {

/// Returns the CRC-32C (Castagnoli) of the bytes; `before`: that of the bytes that came before
/// them.
uint32_t Crc32c(std::string_view bytes, uint32_t before = 0);

/// Returns it as TFRecord files carry it: turned and shifted, so that a checksum of data that holds
/// checksums tells as much.
uint32_t MaskedCrc32c(std::string_view bytes);

}  // namespace penstock
