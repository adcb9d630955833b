#pragma once

#include <arrow/io/interfaces.h>

#include <functional>
#include <memory>
#include <string>

#include "penstock/base/mutex.h"
#include "penstock/base/status.h"
#include "penstock/files/retry.h"

namespace penstock {

/// Reads a remote file; a read that fails for a reason that may pass, or that ends before the file
/// does, opens the file anew and reads again. kRemoteFailure when it has another size by then.
/// Threads: ReadAt any, at once; what moves the position one at a time.
class RetryingFile final : public arrow::io::RandomAccessFile {
 public:
  using Opener = std::function<Result<std::shared_ptr<arrow::io::RandomAccessFile>>()>;

  /// `path` is how errors call the file.
  static Result<std::shared_ptr<RetryingFile>> Open(std::shared_ptr<const Retrier> retrier,
                                                    std::string path, Opener open);

  RetryingFile(std::shared_ptr<const Retrier> retrier, std::string path, Opener open,
               std::shared_ptr<arrow::io::RandomAccessFile> file, int64_t bytes);

  Status Close() override;
  bool closed() const override;
  Result<int64_t> Tell() const override;
  Status Seek(int64_t position) override;
  Result<int64_t> GetSize() override;
  Result<int64_t> Read(int64_t bytes, void* out) override;
  Result<std::shared_ptr<arrow::Buffer>> Read(int64_t bytes) override;
  Result<int64_t> ReadAt(int64_t position, int64_t bytes, void* out) override;
  Result<std::shared_ptr<arrow::Buffer>> ReadAt(int64_t position, int64_t bytes) override;

 private:
  Result<std::shared_ptr<arrow::io::RandomAccessFile>> FileFor(int attempt);

  const std::shared_ptr<const Retrier> retrier_;  // Shared with the file system.
  const std::string path_;
  const Opener open_;
  const int64_t bytes_;
  int64_t position_ = 0;

  mutable Mutex mutex_;
  std::shared_ptr<arrow::io::RandomAccessFile> file_ PENSTOCK_GUARDED_BY(mutex_);
};

}  // namespace penstock
