#pragma once

#include <cstdint>
#include <string_view>

namespace penstock {

/// Returns the CRC-32C (Castagnoli) of the bytes, as TFRecord files carry it: turned and shifted,
/// so that a checksum of data that holds checksums tells as much.
uint32_t MaskedCrc32c(std::string_view bytes);

}  // namespace penstock
