#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "penstock/base/status.h"

namespace penstock {

/// Writes all bytes to an open file; errors name `path`.
Status WriteAll(int descriptor, std::string_view bytes, const std::string& path);

/// Returns the bytes of a file. Fails as SystemFailure does.
Result<std::string> ReadSmallFile(const std::string& path);

/// Makes a folder, durably, in one that is there; does nothing where it is there already.
Status MakeFolder(const std::string& path);

/// Makes the file `name` in a folder, whole, and so that it survives a power cut; false: there is
/// one of this name, of other bytes. `draw` tells its temporary name from all others; that begins
/// with a dot, and is left behind by a process that is cut off.
Result<bool> PutSmallFile(const std::string& folder, const std::string& name,
                          const std::string& text, uint32_t draw);

/// Returns `body` with a line behind it that holds its checksum.
std::string WithChecksum(std::string body);

/// Returns what WithChecksum was given. Invalid, saying why, for bytes that it did not make.
Result<std::string> CheckedBody(const std::string& text);

}  // namespace penstock
