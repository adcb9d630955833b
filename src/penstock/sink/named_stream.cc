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

Result<FileChecksum> NamedStream::SyncAndClose() {
  const int descriptor = file_->file_descriptor();
  if (fsync(descriptor) != 0) return SystemFailure(errno, "sync", path_);
  FileChecksum written = written_;
  if (was_changed_) {
    PENSTOCK_TRY(written, ReadChecksum(descriptor, path_));
  }
  PENSTOCK_RETURN_NOT_OK(Named(file_->Close()));
  return written;
}

Status NamedStream::Named(const Status& status) const {
  const int error = arrow::internal::ErrnoFromStatus(status);
  return error == 0 ? status : SystemFailure(error, "write", path_);
}

}  // namespace penstock
