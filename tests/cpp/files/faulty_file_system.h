#pragma once

#include <arrow/buffer.h>
#include <arrow/filesystem/filesystem.h>
#include <arrow/filesystem/mockfs.h>
#include <arrow/io/interfaces.h>
#include <arrow/util/io_util.h>

#include <cerrno>
#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "penstock/files/retry.h"

namespace penstock::testing {

/// A clock that stands still but for what is waited, and writes that down.
class ManualClock final : public RetryClock {
 public:
  std::chrono::steady_clock::time_point Now() override { return now_; }
  void Wait(std::chrono::nanoseconds time) override {
    now_ += time;
    waits_ms.push_back(std::chrono::duration_cast<std::chrono::milliseconds>(time).count());
  }
  double Draw() override { return draw; }

  /// Lets time pass as if an attempt had taken it.
  void Pass(std::chrono::nanoseconds time) { now_ += time; }

  double draw = 0;
  std::vector<int64_t> waits_ms;

 private:
  std::chrono::steady_clock::time_point now_;
};

/// Fails the next `left` times that anything is asked, with `failure`.
struct Faults {
  int left = 0;
  Status failure =
      arrow::internal::StatusFromErrno(ECONNRESET, arrow::StatusCode::IOError, "reset by peer");
  int asked = 0;

  Status Next() {
    ++asked;
    return left-- > 0 ? failure : Status::OK();
  }
};

class FaultyFile final : public arrow::io::RandomAccessFile {
 public:
  FaultyFile(std::shared_ptr<arrow::io::RandomAccessFile> inner, std::shared_ptr<Faults> faults,
             std::shared_ptr<int> short_reads)
      : inner_(std::move(inner)),
        faults_(std::move(faults)),
        short_reads_(std::move(short_reads)) {}

  Status Close() override { return inner_->Close(); }
  bool closed() const override { return inner_->closed(); }
  Result<int64_t> Tell() const override { return inner_->Tell(); }
  Status Seek(int64_t position) override { return inner_->Seek(position); }
  Result<int64_t> GetSize() override { return inner_->GetSize(); }
  Result<int64_t> Read(int64_t bytes, void* out) override { return inner_->Read(bytes, out); }
  Result<std::shared_ptr<arrow::Buffer>> Read(int64_t bytes) override {
    return inner_->Read(bytes);
  }
  Result<int64_t> ReadAt(int64_t position, int64_t bytes, void* out) override {
    PENSTOCK_RETURN_NOT_OK(faults_->Next());
    return inner_->ReadAt(position, (*short_reads_)-- > 0 ? bytes / 2 : bytes, out);
  }

 private:
  const std::shared_ptr<arrow::io::RandomAccessFile> inner_;
  const std::shared_ptr<Faults> faults_;
  const std::shared_ptr<int> short_reads_;
};

class FaultyStream final : public arrow::io::OutputStream {
 public:
  FaultyStream(std::shared_ptr<arrow::io::OutputStream> inner, std::shared_ptr<Faults> faults)
      : inner_(std::move(inner)), faults_(std::move(faults)) {}

  Status Close() override { return inner_->Close(); }
  bool closed() const override { return inner_->closed(); }
  Result<int64_t> Tell() const override { return inner_->Tell(); }
  using OutputStream::Write;
  Status Write(const void* data, int64_t bytes) override {
    PENSTOCK_RETURN_NOT_OK(inner_->Write(data, bytes));
    return faults_->Next();  // After half of the file has arrived.
  }

 private:
  const std::shared_ptr<arrow::io::OutputStream> inner_;
  const std::shared_ptr<Faults> faults_;
};

/// A file system in memory that fails as it is told.
class FaultyFileSystem final : public arrow::fs::SubTreeFileSystem {
 public:
  FaultyFileSystem()
      : SubTreeFileSystem(
            "", std::make_shared<arrow::fs::internal::MockFileSystem>(arrow::fs::TimePoint{})) {}

  using FileSystem::OpenOutputStream;
  using SubTreeFileSystem::GetFileInfo;

  std::string type_name() const override { return "faulty"; }
  Result<arrow::fs::FileInfo> GetFileInfo(const std::string& path) override {
    PENSTOCK_RETURN_NOT_OK(looking->Next());
    return base_fs_->GetFileInfo(path);
  }
  Result<arrow::fs::FileInfoVector> GetFileInfo(const arrow::fs::FileSelector& select) override {
    PENSTOCK_RETURN_NOT_OK(listing->Next());
    return base_fs_->GetFileInfo(select);
  }
  Result<std::shared_ptr<arrow::io::RandomAccessFile>> OpenInputFile(
      const std::string& path) override {
    PENSTOCK_RETURN_NOT_OK(opening->Next());
    PENSTOCK_TRY(auto file, base_fs_->OpenInputFile(path));
    return std::make_shared<FaultyFile>(std::move(file), reading, short_reads);
  }
  Result<std::shared_ptr<arrow::io::OutputStream>> OpenOutputStream(
      const std::string& path,
      const std::shared_ptr<const arrow::KeyValueMetadata>& metadata) override {
    PENSTOCK_TRY(auto stream, base_fs_->OpenOutputStream(path, metadata));
    return std::make_shared<FaultyStream>(std::move(stream), writing);
  }
  /// Moves and removes, and only then fails: the answer gets lost.
  Status Move(const std::string& from, const std::string& to) override {
    PENSTOCK_RETURN_NOT_OK(base_fs_->Move(from, to));
    return moving->Next();
  }
  Status DeleteFile(const std::string& path) override {
    PENSTOCK_RETURN_NOT_OK(base_fs_->DeleteFile(path));
    return removing->Next();
  }

  const std::shared_ptr<Faults> looking = std::make_shared<Faults>();
  const std::shared_ptr<Faults> listing = std::make_shared<Faults>();
  const std::shared_ptr<Faults> opening = std::make_shared<Faults>();
  const std::shared_ptr<Faults> reading = std::make_shared<Faults>();
  const std::shared_ptr<Faults> writing = std::make_shared<Faults>();
  const std::shared_ptr<Faults> moving = std::make_shared<Faults>();
  const std::shared_ptr<Faults> removing = std::make_shared<Faults>();
  const std::shared_ptr<int> short_reads = std::make_shared<int>(0);
};

}  // namespace penstock::testing
