#include "penstock/sink/remote_folder.h"

#include <arrow/io/file.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <utility>

#include "penstock/base/system_failure.h"
#include "penstock/files/upload.h"
#include "penstock/sink/folder_claim.h"
#include "penstock/sink/named_stream.h"

namespace penstock {
namespace {

namespace fs = arrow::fs;

/// Grows on this machine, in a file without a name, and goes to its own place as a whole: an upload
/// that breaks off can begin anew, and formats that write their beginning last can do so.
class RemoteTemporaryFile final : public TemporaryFile {
 public:
  static Result<std::unique_ptr<TemporaryFile>> Create(PlacedPath place, std::string name) {
    std::string pattern = std::filesystem::temp_directory_path() / "penstock_XXXXXX";
    const int descriptor = mkostemp(pattern.data(), O_CLOEXEC);
    if (descriptor < 0) return SystemFailure(errno, "create", pattern);
    unlink(pattern.c_str());
    PENSTOCK_TRY(auto file, arrow::io::FileOutputStream::Open(descriptor));
    return std::make_unique<RemoteTemporaryFile>(
        std::move(place), std::move(name), descriptor,
        std::make_shared<NamedStream>(std::move(file), pattern));
  }

  /// `spool` owns the descriptor.
  RemoteTemporaryFile(PlacedPath place, std::string name, int descriptor,
                      std::shared_ptr<NamedStream> spool)
      : place_(std::move(place)),
        name_(std::move(name)),
        descriptor_(descriptor),
        spool_(std::move(spool)),
        stream_(spool_) {}

  ~RemoteTemporaryFile() override {
    spool_->Drop();
    if (uploads_ && !kept_) static_cast<void>(place_.file_system->DeleteFile(place_.location));
  }

  const std::string& name() const override { return name_; }
  const std::shared_ptr<arrow::io::OutputStream>& stream() const override { return stream_; }

  Status OverwriteStart(const std::string& head) override { return spool_->WriteAtStart(head); }

  Result<FileChecksum> Keep() override {
    FileChecksum kept;
    PENSTOCK_TRY(kept.bytes, spool_->Tell());
    const int other = fcntl(descriptor_, F_DUPFD_CLOEXEC, 0);
    if (other < 0) return SystemFailure(errno, "read again", place_.location);
    PENSTOCK_TRY(const auto written, arrow::io::ReadableFile::Open(other));
    uploads_ = true;
    PENSTOCK_RETURN_NOT_OK(Upload(*written, place_));
    kept_ = true;
    return kept;
  }

 private:
  const PlacedPath place_;
  const std::string name_;
  const int descriptor_;                                   // The spool's.
  const std::shared_ptr<NamedStream> spool_;               // Shared with who writes to it,
  const std::shared_ptr<arrow::io::OutputStream> stream_;  // under this type.
  bool uploads_ = false;
  bool kept_ = false;
};

bool IsHidden(const std::string& relative) {
  return relative.starts_with('.') || relative.starts_with('_') ||
         relative.find("/.") != std::string::npos || relative.find("/_") != std::string::npos;
}

class RemoteFolder final : public OutputFolder {
 public:
  RemoteFolder(const PlacedPath& place, std::string write_name)
      : file_system_(place.file_system),
        retrier_(place.retrier),
        prefix_(place.prefix),
        path_(place.location),
        write_name_(std::move(write_name)) {
    while (path_.size() > 1 && path_.ends_with('/')) path_.pop_back();
  }

  Status Create() override {
    PENSTOCK_TRY(const bool exists, Exists());
    if (exists) return Status::OK();
    created_ = true;
    return file_system_->CreateDir(path_, /*recursive=*/true);
  }

  Status Claim() override { return Status::OK(); }
  void Release() override {}

  void RemoveIfCreated() override {
    if (!std::exchange(created_, false)) return;
    const auto files = file_system_->GetFileInfo(Everything());
    const bool empty = files.ok() && std::ranges::all_of(*files, &fs::FileInfo::IsDirectory);
    if (empty) static_cast<void>(file_system_->DeleteDir(path_));
  }

  Result<bool> Exists() override {
    PENSTOCK_TRY(const fs::FileInfo info, file_system_->GetFileInfo(path_));
    if (info.IsFile()) {
      return Status::IOError("Cannot write into a file; choose a folder; got: ", prefix_, path_);
    }
    return info.IsDirectory();
  }

  Result<std::vector<std::string>> List(const std::string& extension) override {
    PENSTOCK_TRY(const auto files, file_system_->GetFileInfo(Everything()));
    std::vector<std::string> names;
    for (const fs::FileInfo& file : files) {
      std::string relative = file.path().substr(std::min(path_.size() + 1, file.path().size()));
      if (!file.IsFile() || IsHidden(relative) || !relative.ends_with(extension)) continue;
      names.push_back(std::move(relative));
    }
    std::ranges::sort(names);
    return names;
  }

  Result<std::unique_ptr<TemporaryFile>> CreateTemporary(const std::string& final_name) override {
    std::string name =
        fmt::format("{}{:06}{}", TemporaryPrefix(write_name_), next_temporary_++, kTemporarySuffix);
    PlacedPath place{.file_system = file_system_,
                     .location = PathOf(name),
                     .prefix = prefix_,
                     .retrier = retrier_};
    return RemoteTemporaryFile::Create(std::move(place), std::move(name));
  }

  Status Publish(const std::string& temporary_name, const std::string& final_name,
                 bool replace) override {
    PENSTOCK_TRY(const fs::FileInfo info, file_system_->GetFileInfo(PathOf(final_name)));
    if (!replace && info.type() != fs::FileType::NotFound) {
      return Status::AlreadyExists(
          "Cannot give a part its final name: there is one; got: ", prefix_, PathOf(final_name));
    }
    const size_t slash = final_name.rfind('/');
    if (slash != std::string::npos) {
      PENSTOCK_RETURN_NOT_OK(file_system_->CreateDir(PathOf(final_name.substr(0, slash)),
                                                     /*recursive=*/true));
    }
    return file_system_->Move(PathOf(temporary_name), PathOf(final_name));
  }

  Status Remove(const std::string& name) override {
    PENSTOCK_TRY(const fs::FileInfo info, file_system_->GetFileInfo(PathOf(name)));
    return info.IsFile() ? file_system_->DeleteFile(PathOf(name)) : Status::OK();
  }

  void RemoveTemporary(const std::string& temporary_name) override {
    static_cast<void>(Remove(temporary_name));
  }

  Status Sync() override { return Status::OK(); }

 private:
  std::string PathOf(const std::string& name) const { return path_ + "/" + name; }

  fs::FileSelector Everything() const {
    fs::FileSelector selector;
    selector.base_dir = path_;
    selector.allow_not_found = true;
    selector.recursive = true;
    return selector;
  }

  const std::shared_ptr<fs::FileSystem> file_system_;  // Shared with the temporary files,
  const std::shared_ptr<const Retrier> retrier_;       // as is this.
  const std::string prefix_;
  std::string path_;
  const std::string write_name_;
  std::atomic<int64_t> next_temporary_ = 0;
  bool created_ = false;
};

}  // namespace

std::unique_ptr<OutputFolder> MakeRemoteFolder(const PlacedPath& place, std::string write_name) {
  return std::make_unique<RemoteFolder>(place, std::move(write_name));
}

}  // namespace penstock
