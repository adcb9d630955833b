#pragma once

#include <arrow/io/file.h>

#include <memory>
#include <string>

#include "penstock/base/crc32c.h"
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
    checksum_ = Crc32c({static_cast<const char*>(data), static_cast<size_t>(bytes)}, checksum_);
    return Named(file_->Write(data, bytes));
  }

  Status WriteAtStart(const std::string& bytes);

  /// Makes the file durable and closes it; returns the CRC-32C of its bytes.
  Result<uint32_t> SyncAndClose();

  /// Closes the file; errors are of no interest.
  void Drop() { static_cast<void>(file_->Abort()); }

 private:
  Status Named(const Status& status) const;
  Result<uint32_t> ReadChecksum() const;

  const std::shared_ptr<arrow::io::FileOutputStream> file_;  // Shared as Arrow hands it out.
  const std::string path_;
  bool closed_ = false;
  uint32_t checksum_ = 0;
  bool was_changed_ = false;  // Behind what was written: the checksum is not the file's.
};

}  // namespace penstock
