#include "penstock/base/local_files.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "penstock/base/crc32c.h"
#include "penstock/base/descriptor.h"
#include "penstock/base/system_failure.h"

namespace penstock {

Status SyncFolder(const std::string& path) {
  const OwnedDescriptor folder(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder.get() < 0) return SystemFailure(errno, "open the folder", path);
  // EINVAL: a file system whose folders cannot be synced.
  if (fsync(folder.get()) == 0 || errno == EINVAL) return Status::OK();
  return SystemFailure(errno, "sync the folder", path);
}

Result<FileChecksum> ReadChecksum(int descriptor, const std::string& path) {
  std::string piece(size_t{1} << 20, '\0');
  FileChecksum file;
  while (true) {
    const ssize_t bytes = pread(descriptor, piece.data(), piece.size(), file.bytes);
    if (bytes < 0 && errno == EINTR) continue;
    if (bytes < 0) return SystemFailure(errno, "read", path);
    if (bytes == 0) return file;
    file.crc32c = Crc32c({piece.data(), static_cast<size_t>(bytes)}, file.crc32c);
    file.bytes += bytes;
  }
}

}  // namespace penstock
