#pragma once

#include <string>
#include <string_view>

#include "penstock/base/status.h"

namespace penstock {

/// Appends a file to a tar archive (ustar; names beyond 100 bytes by an extended header of pax).
/// Owner, mode and time are always the same, so that equal data makes equal archives. Invalid for
/// a name that is empty or has a null character, and for 8 GiB and more.
Status AppendTarMember(std::string_view name, std::string_view data, std::string* out);

/// Returns what ends an archive that has so many bytes.
std::string TarEnd(int64_t archive_bytes);

}  // namespace penstock
