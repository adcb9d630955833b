#include "penstock/sink/named_stream.h"

#include <arrow/util/io_util.h>
#include <unistd.h>

#include <cerrno>

#include "penstock/base/system_failure.h"

namespace penstock {

Status NamedStream::WriteAtStart(const std::string& bytes) {
  was_changed_ = true;
  const auto size = static_cast<ssize_t>(bytes.size());
  if (pwrite(file_->file_descriptor(), bytes.data(), bytes.size(), 0) == size) {
    return Status::OK();
  }
  return SystemFailure(errno, "write", path_);
}

Result<uint32_t> NamedStream::SyncAndClose() {
  if (fsync(file_->file_descriptor()) != 0) return SystemFailure(errno, "sync", path_);
  uint32_t checksum = checksum_;
  if (was_changed_) {
    PENSTOCK_TRY(checksum, ReadChecksum());
  }
  PENSTOCK_RETURN_NOT_OK(Named(file_->Close()));
  return checksum;
}

Result<uint32_t> NamedStream::ReadChecksum() const {
  std::string piece(size_t{1} << 20, '\0');
  uint32_t checksum = 0;
  for (off_t place = 0;;) {
    const ssize_t bytes = pread(file_->file_descriptor(), piece.data(), piece.size(), place);
    if (bytes < 0 && errno == EINTR) continue;
    if (bytes < 0) return SystemFailure(errno, "read again", path_);
    if (bytes == 0) return checksum;
    checksum = Crc32c({piece.data(), static_cast<size_t>(bytes)}, checksum);
    place += bytes;
  }
}

Status NamedStream::Named(const Status& status) const {
  const int error = arrow::internal::ErrnoFromStatus(status);
  return error == 0 ? status : SystemFailure(error, "write", path_);
}

}  // namespace penstock
