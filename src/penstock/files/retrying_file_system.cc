#include "penstock/files/retrying_file_system.h"

#include <arrow/io/buffered.h>

#include <utility>

#include "penstock/files/failure.h"
#include "penstock/files/retrying_file.h"

namespace penstock {
namespace {

namespace fs = arrow::fs;
using Metadata = std::shared_ptr<const arrow::KeyValueMetadata>;

constexpr int64_t kReadAheadBytes = int64_t{4} << 20;

class RetryingFileSystem final : public fs::FileSystem {
 public:
  RetryingFileSystem(std::shared_ptr<fs::FileSystem> inner, std::shared_ptr<const Retrier> retrier,
                     std::string prefix)
      : inner_(std::move(inner)), retrier_(std::move(retrier)), prefix_(std::move(prefix)) {
    default_async_is_sync_ = false;
  }

  using FileSystem::CreateDir;
  using FileSystem::DeleteDirContents;
  using FileSystem::GetFileInfo;
  using FileSystem::OpenAppendStream;
  using FileSystem::OpenOutputStream;

  std::string type_name() const override { return inner_->type_name(); }

  bool Equals(const FileSystem& other) const override {
    const auto* retrying = dynamic_cast<const RetryingFileSystem*>(&other);
    return inner_->Equals(retrying == nullptr ? other : *retrying->inner_);
  }

  Result<std::string> PathFromUri(const std::string& uri) const override {
    return inner_->PathFromUri(uri);
  }

  Result<fs::FileInfo> GetFileInfo(const std::string& path) override {
    fs::FileInfo info;
    PENSTOCK_RETURN_NOT_OK(Try(
        "look at", path, [&](int /*attempt*/) { return inner_->GetFileInfo(path).Value(&info); }));
    return info;
  }

  Result<fs::FileInfoVector> GetFileInfo(const fs::FileSelector& select) override {
    fs::FileInfoVector infos;
    PENSTOCK_RETURN_NOT_OK(Try("list the folder", select.base_dir, [&](int /*attempt*/) {
      return inner_->GetFileInfo(select).Value(&infos);
    }));
    return infos;
  }

  Status CreateDir(const std::string& path, bool recursive) override {
    return Try("make the folder", path,
               [&](int /*attempt*/) { return inner_->CreateDir(path, recursive); });
  }

  Status DeleteDir(const std::string& path) override {
    return Remove("remove the folder", path, [&] { return inner_->DeleteDir(path); });
  }

  Status DeleteDirContents(const std::string& path, bool missing_dir_ok) override {
    return Try("empty the folder", path,
               [&](int /*attempt*/) { return inner_->DeleteDirContents(path, missing_dir_ok); });
  }

  Status DeleteRootDirContents() override { return inner_->DeleteRootDirContents(); }

  Status DeleteFile(const std::string& path) override {
    return Remove("remove the file", path, [&] { return inner_->DeleteFile(path); });
  }

  Status Move(const std::string& from, const std::string& to) override {
    return Try("move a file", to, [&](int attempt) {
      const Status moved = inner_->Move(from, to);
      return attempt > 0 && IsMissing(moved) && IsThere(to) ? Status::OK() : moved;
    });
  }

  Status CopyFile(const std::string& from, const std::string& to) override {
    return Try("copy a file", to, [&](int /*attempt*/) { return inner_->CopyFile(from, to); });
  }

  Result<std::shared_ptr<arrow::io::InputStream>> OpenInputStream(
      const std::string& path) override {
    PENSTOCK_TRY(auto file, OpenInputFile(path));
    return arrow::io::BufferedInputStream::Create(kReadAheadBytes, arrow::default_memory_pool(),
                                                  std::move(file));
  }

  Result<std::shared_ptr<arrow::io::RandomAccessFile>> OpenInputFile(
      const std::string& path) override {
    return RetryingFile::Open(retrier_, prefix_ + path,
                              [inner = inner_, path] { return inner->OpenInputFile(path); });
  }

  Result<std::shared_ptr<arrow::io::OutputStream>> OpenOutputStream(
      const std::string& path, const Metadata& metadata) override {
    return inner_->OpenOutputStream(path, metadata);
  }

  Result<std::shared_ptr<arrow::io::OutputStream>> OpenAppendStream(
      const std::string& path, const Metadata& metadata) override {
    return inner_->OpenAppendStream(path, metadata);
  }

 private:
  Status Try(const std::string& doing, const std::string& path,
             const std::function<Status(int)>& attempt) const {
    return retrier_->Run(doing, prefix_ + path, attempt);
  }

  Status Remove(const std::string& doing, const std::string& path,
                const std::function<Status()>& remove) const {
    return Try(doing, path, [&](int attempt) {
      const Status removed = remove();
      return attempt > 0 && IsMissing(removed) ? Status::OK() : removed;
    });
  }

  static bool IsMissing(const Status& status) {
    return !status.ok() && ClassOf(status, {}) == FailureClass::kMissing;
  }

  bool IsThere(const std::string& path) const {
    const auto info = inner_->GetFileInfo(path);
    return info.ok() && info->IsFile();
  }

  const std::shared_ptr<fs::FileSystem> inner_;   // Shared with its files,
  const std::shared_ptr<const Retrier> retrier_;  // as is this.
  const std::string prefix_;
};

}  // namespace

std::shared_ptr<fs::FileSystem> MakeRetryingFileSystem(std::shared_ptr<fs::FileSystem> inner,
                                                       std::shared_ptr<const Retrier> retrier,
                                                       std::string prefix) {
  return std::make_shared<RetryingFileSystem>(std::move(inner), std::move(retrier),
                                              std::move(prefix));
}

}  // namespace penstock
