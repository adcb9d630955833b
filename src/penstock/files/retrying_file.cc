#include "penstock/files/retrying_file.h"

#include <arrow/buffer.h>
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "penstock/base/error.h"

namespace penstock {

using arrow::io::RandomAccessFile;

Result<std::shared_ptr<RetryingFile>> RetryingFile::Open(std::shared_ptr<const Retrier> retrier,
                                                         std::string path, Opener open) {
  std::shared_ptr<RandomAccessFile> file;
  int64_t bytes = 0;
  PENSTOCK_RETURN_NOT_OK(retrier->Run("open the file", path, [&](int /*attempt*/) -> Status {
    PENSTOCK_TRY(file, open());
    PENSTOCK_TRY(bytes, file->GetSize());
    return Status::OK();
  }));
  return std::make_shared<RetryingFile>(std::move(retrier), std::move(path), std::move(open),
                                        std::move(file), bytes);
}

RetryingFile::RetryingFile(std::shared_ptr<const Retrier> retrier, std::string path, Opener open,
                           std::shared_ptr<RandomAccessFile> file, int64_t bytes)
    : retrier_(std::move(retrier)),
      path_(std::move(path)),
      open_(std::move(open)),
      bytes_(bytes),
      file_(std::move(file)) {}

Status RetryingFile::Close() {
  MutexLock lock(mutex_);
  const auto file = std::exchange(file_, nullptr);
  return file == nullptr ? Status::OK() : file->Close();
}

bool RetryingFile::closed() const {
  MutexLock lock(mutex_);
  return file_ == nullptr;
}

Result<int64_t> RetryingFile::Tell() const { return position_; }

Status RetryingFile::Seek(int64_t position) {
  if (position < 0 || position > bytes_) {
    return Status::Invalid("Cannot go to a place outside of the file ", path_, "; got: ", position);
  }
  position_ = position;
  return Status::OK();
}

Result<int64_t> RetryingFile::GetSize() { return bytes_; }

Result<int64_t> RetryingFile::Read(int64_t bytes, void* out) {
  PENSTOCK_TRY(const int64_t read, ReadAt(position_, bytes, out));
  position_ += read;
  return read;
}

Result<std::shared_ptr<arrow::Buffer>> RetryingFile::Read(int64_t bytes) {
  PENSTOCK_TRY(auto buffer, ReadAt(position_, bytes));
  position_ += buffer->size();
  return buffer;
}

Result<int64_t> RetryingFile::ReadAt(int64_t position, int64_t bytes, void* out) {
  const int64_t wanted = std::clamp<int64_t>(bytes_ - position, 0, std::max<int64_t>(bytes, 0));
  if (wanted == 0) return 0;
  PENSTOCK_RETURN_NOT_OK(retrier_->Run("read", path_, [&](int attempt) -> Status {
    PENSTOCK_TRY(const auto file, FileFor(attempt));
    PENSTOCK_TRY(const int64_t read, file->ReadAt(position, wanted, out));
    if (read == wanted) return Status::OK();
    return MakeError(ErrorKind::kUnreachable,
                     fmt::format("the connection ended after {} of {} bytes", read, wanted));
  }));
  return wanted;
}

Result<std::shared_ptr<arrow::Buffer>> RetryingFile::ReadAt(int64_t position, int64_t bytes) {
  const int64_t wanted = std::clamp<int64_t>(bytes_ - position, 0, std::max<int64_t>(bytes, 0));
  PENSTOCK_TRY(std::shared_ptr<arrow::Buffer> buffer, arrow::AllocateBuffer(wanted));
  PENSTOCK_RETURN_NOT_OK(ReadAt(position, wanted, buffer->mutable_data()).status());
  return buffer;
}

/// Returns the file that is open for the first attempt, and one that is opened anew for the next.
Result<std::shared_ptr<RandomAccessFile>> RetryingFile::FileFor(int attempt) {
  {
    MutexLock lock(mutex_);
    if (file_ == nullptr) return Status::Invalid("The file is closed");
    if (attempt == 0) return file_;
  }
  PENSTOCK_TRY(auto file, open_());
  PENSTOCK_TRY(const int64_t bytes, file->GetSize());
  if (bytes != bytes_) {
    return MakeError(
        ErrorKind::kRemoteFailure,
        fmt::format("the file has changed while it was read, from {} to {} bytes", bytes_, bytes));
  }
  MutexLock lock(mutex_);
  if (file_ != nullptr) file_ = file;
  return file;
}

}  // namespace penstock
