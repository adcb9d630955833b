#pragma once

#include <arrow/io/file.h>

#include <memory>
#include <string>
#include <string_view>

#include "penstock/base/crc32c.h"
#include "penstock/base/local_files.h"
#include "penstock/base/status.h"

namespace penstock {

/// Passes writes on to a file of this machine and says in errors which one it is. Closing it leaves
/// the file open, for what is still to be done to it. One thread.
class NamedStream final : public arrow::io::OutputStream {
 public:
  NamedStream(std::shared_ptr<arrow::io::FileOutputStream> file, std::string path)
      : file_(std::move(file)), path_(std::move(path)) {}

  Status Close() override {
    closed_ = true;
    return Status::OK();
  }
  bool closed() const override { return closed_; }
  Result<int64_t> Tell() const override { return file_->Tell(); }
  Status Flush() override { return Named(file_->Flush()); }
  using arrow::io::OutputStream::Write;
  Status Write(const void* data, int64_t bytes) override {
    const std::string_view added(static_cast<const char*>(data), static_cast<size_t>(bytes));
    written_ = {.bytes = written_.bytes + bytes, .crc32c = Crc32c(added, written_.crc32c)};
    return Named(file_->Write(data, bytes));
  }

  Status WriteAtStart(const std::string& bytes);

  /// Makes the file durable and closes it; returns what it is.
  Result<FileChecksum> SyncAndClose();

  /// Closes the file; errors are of no interest.
  void Drop() { static_cast<void>(file_->Abort()); }

 private:
  Status Named(const Status& status) const;

  const std::shared_ptr<arrow::io::FileOutputStream> file_;  // Shared as Arrow hands it out.
  const std::string path_;
  bool closed_ = false;
  FileChecksum written_;
  bool was_changed_ = false;  // Behind what was written: the checksum is not the file's.
};

}  // namespace penstock
