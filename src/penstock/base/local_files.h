#pragma once

#include <cstdint>
#include <string>

#include "penstock/base/status.h"

namespace penstock {

/// Makes the names in a folder of this machine survive a power cut; does nothing on file systems
/// that cannot sync folders. IOError, or kMissingPath, naming the folder.
Status SyncFolder(const std::string& path);

/// How many bytes a file has, and their checksum.
struct FileChecksum {
  int64_t bytes = 0;
  uint32_t crc32c = 0;
};

/// Reads an open file from its beginning; errors name `path`.
Result<FileChecksum> ReadChecksum(int descriptor, const std::string& path);

}  // namespace penstock
