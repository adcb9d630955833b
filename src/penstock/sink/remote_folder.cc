#include "penstock/sink/remote_folder.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <utility>

#include "penstock/sink/folder_claim.h"

namespace penstock {
namespace {

namespace fs = arrow::fs;

class RemoteTemporaryFile final : public TemporaryFile {
 public:
  RemoteTemporaryFile(std::shared_ptr<fs::FileSystem> file_system, std::string path,
                      std::string name, std::shared_ptr<arrow::io::OutputStream> stream)
      : file_system_(std::move(file_system)),
        path_(std::move(path)),
        name_(std::move(name)),
        stream_(std::move(stream)) {}

  ~RemoteTemporaryFile() override {
    if (kept_) return;
    static_cast<void>(stream_->Abort());
    static_cast<void>(file_system_->DeleteFile(path_));
  }

  const std::string& name() const override { return name_; }
  const std::shared_ptr<arrow::io::OutputStream>& stream() const override { return stream_; }

  Status OverwriteStart(const std::string& head) override {
    return Status::NotImplemented(
        "Files of a format that is written back to front cannot go to the ",
        file_system_->type_name(), " file system; write to a local folder; got: ", path_);
  }

  Result<int64_t> Keep() override {
    if (!stream_->closed()) {
      PENSTOCK_RETURN_NOT_OK(stream_->Close());
    }
    PENSTOCK_TRY(const fs::FileInfo info, file_system_->GetFileInfo(path_));
    kept_ = true;
    return info.size();
  }

 private:
  const std::shared_ptr<fs::FileSystem> file_system_;  // Shared with the folder.
  const std::string path_;
  const std::string name_;
  const std::shared_ptr<arrow::io::OutputStream> stream_;  // Shared with who writes to it.
  bool kept_ = false;
};

bool IsHidden(const std::string& relative) {
  return relative.starts_with('.') || relative.starts_with('_') ||
         relative.find("/.") != std::string::npos || relative.find("/_") != std::string::npos;
}

class RemoteFolder final : public OutputFolder {
 public:
  RemoteFolder(std::shared_ptr<fs::FileSystem> file_system, std::string path,
               std::string write_name)
      : file_system_(std::move(file_system)),
        path_(std::move(path)),
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
      return Status::IOError("Cannot write into a file; choose a folder; got: ", path_);
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
    std::string path = PathOf(name);
    PENSTOCK_TRY(auto stream, file_system_->OpenOutputStream(path));
    return std::make_unique<RemoteTemporaryFile>(file_system_, std::move(path), std::move(name),
                                                 std::move(stream));
  }

  Status Publish(const std::string& temporary_name, const std::string& final_name,
                 bool replace) override {
    PENSTOCK_TRY(const fs::FileInfo info, file_system_->GetFileInfo(PathOf(final_name)));
    if (!replace && info.type() != fs::FileType::NotFound) {
      return Status::AlreadyExists("Cannot give a part its final name: there is one; got: ",
                                   PathOf(final_name));
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

  const std::shared_ptr<fs::FileSystem> file_system_;  // Shared with the temporary files.
  std::string path_;
  const std::string write_name_;
  std::atomic<int64_t> next_temporary_ = 0;
  bool created_ = false;
};

}  // namespace

std::unique_ptr<OutputFolder> MakeRemoteFolder(std::shared_ptr<fs::FileSystem> file_system,
                                               std::string path, std::string write_name) {
  return std::make_unique<RemoteFolder>(std::move(file_system), std::move(path),
                                        std::move(write_name));
}

}  // namespace penstock
