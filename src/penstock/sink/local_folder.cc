#include <arrow/filesystem/localfs.h>
#include <arrow/io/file.h>
#include <arrow/util/io_util.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <system_error>
#include <utility>

#include "penstock/base/error.h"
#include "penstock/sink/output_folder.h"

namespace penstock {
namespace {

namespace files = std::filesystem;

const char* AdviceFor(int error) {
  switch (error) {
    case ENOSPC:
    case EDQUOT:
      return "; free some space or write elsewhere";
    case EFBIG:
      return "; the file is larger than this process may write";
    case EACCES:
    case EPERM:
    case EROFS:
      return "; check the folder's permissions";
    case ENAMETOOLONG:
      return "; choose a shorter path";
    case ENOTDIR:
      return "; choose a path that is no file and has no file in it";
    case EMFILE:
    case ENFILE:
      return "; raise the number of files that may be open (ulimit -n)";
    case ENOENT:
      return "; make sure that the folder is there and stays";
    default:
      return "";
  }
}

Status SystemFailure(int error, const std::string& doing, const std::string& path) {
  const std::string message =
      fmt::format("Cannot {}: {}{}; got: {}", doing, std::generic_category().message(error),
                  AdviceFor(error), path);
  if (error == ENOENT) return MakeError(ErrorKind::kMissingPath, message);
  return arrow::internal::StatusFromErrno(
      error, error == EEXIST ? arrow::StatusCode::AlreadyExists : arrow::StatusCode::IOError,
      message);
}

/// Returns the mode of what lies at the path; 0 where nothing does.
Result<mode_t> ModeAt(const files::path& path, const std::string& doing) {
  struct stat found{};
  if (stat(path.c_str(), &found) == 0) return found.st_mode;
  if (errno == ENOENT) return mode_t{0};
  return SystemFailure(errno, doing, path);
}

std::string TemporaryPath(const files::path& folder, const std::string& final_name) {
  return folder / fmt::format(".{}.tmp", final_name);
}

/// Passes writes on and says in errors which file it is.
class NamedStream final : public arrow::io::OutputStream {
 public:
  NamedStream(std::shared_ptr<arrow::io::FileOutputStream> file, std::string path)
      : file_(std::move(file)), path_(std::move(path)) {}

  Status Close() override { return Named(file_->Close()); }
  Status Abort() override { return file_->Abort(); }
  bool closed() const override { return file_->closed(); }
  Result<int64_t> Tell() const override { return file_->Tell(); }
  Status Flush() override { return Named(file_->Flush()); }
  using arrow::io::OutputStream::Write;
  Status Write(const void* data, int64_t bytes) override {
    return Named(file_->Write(data, bytes));
  }
  int file_descriptor() const { return file_->file_descriptor(); }

 private:
  Status Named(const Status& status) const {
    const int error = arrow::internal::ErrnoFromStatus(status);
    return error == 0 ? status : SystemFailure(error, "write", path_);
  }

  const std::shared_ptr<arrow::io::FileOutputStream> file_;
  const std::string path_;
};

class LocalTemporaryFile final : public TemporaryFile {
 public:
  LocalTemporaryFile(std::string path, std::shared_ptr<NamedStream> file)
      : path_(std::move(path)), file_(std::move(file)), stream_(file_) {}

  ~LocalTemporaryFile() override {
    if (kept_) return;
    static_cast<void>(file_->Abort());
    unlink(path_.c_str());
  }

  const std::shared_ptr<arrow::io::OutputStream>& stream() const override { return stream_; }

  Result<int64_t> Keep() override {
    PENSTOCK_TRY(const int64_t bytes, file_->Tell());
    if (fsync(file_->file_descriptor()) != 0) return SystemFailure(errno, "sync", path_);
    PENSTOCK_RETURN_NOT_OK(file_->Close());
    kept_ = true;
    return bytes;
  }

 private:
  const std::string path_;
  const std::shared_ptr<NamedStream> file_;                // Shared with who writes to it,
  const std::shared_ptr<arrow::io::OutputStream> stream_;  // under this type.
  bool kept_ = false;
};

class LocalFolder final : public OutputFolder {
 public:
  explicit LocalFolder(const std::string& path) : path_(files::path(path).lexically_normal()) {
    if (!path_.has_filename()) path_ = path_.parent_path();
  }

  Status Create() override {
    std::vector<files::path> missing;
    for (files::path folder = path_; !folder.empty(); folder = folder.parent_path()) {
      PENSTOCK_TRY(const mode_t mode, ModeAt(folder, "write into"));
      if (mode != 0) break;
      missing.push_back(folder);
    }
    for (auto folder = missing.rbegin(); folder != missing.rend(); ++folder) {
      if (mkdir(folder->c_str(), 0777) == 0) {
        created_.push_back(*folder);
      } else if (errno != EEXIST) {
        return SystemFailure(errno, "make the folder", folder->string());
      }
    }
    PENSTOCK_TRY(const mode_t mode, ModeAt(path_, "write into"));
    return S_ISDIR(mode) ? Status::OK() : SystemFailure(ENOTDIR, "write into", path_);
  }

  void RemoveIfCreated() override {
    while (!created_.empty()) {
      rmdir(created_.back().c_str());
      created_.pop_back();
    }
  }

  Result<bool> Exists() override {
    PENSTOCK_TRY(const mode_t mode, ModeAt(path_, "write into"));
    return S_ISDIR(mode);
  }

  Result<std::vector<std::string>> List(const std::string& extension) override {
    std::vector<std::string> names;
    std::error_code error;
    files::recursive_directory_iterator entry(path_, error);
    for (; !error && entry != files::recursive_directory_iterator(); entry.increment(error)) {
      const std::string name = entry->path().filename();
      if (name.starts_with('.') || name.starts_with('_')) {
        entry.disable_recursion_pending();
        continue;
      }
      std::error_code gone;
      if (name.ends_with(extension) && !entry->is_directory(gone)) {
        names.push_back(entry->path().lexically_relative(path_));
      }
    }
    if (error && error.value() != ENOENT) return SystemFailure(error.value(), "list", path_);
    std::ranges::sort(names);
    return names;
  }

  Result<std::unique_ptr<TemporaryFile>> CreateTemporary(const std::string& final_name) override {
    const std::string path = TemporaryPath(path_, final_name);
    const int file = open(path.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0666);
    if (file < 0) return SystemFailure(errno, "create", path);
    PENSTOCK_TRY(auto stream, arrow::io::FileOutputStream::Open(file));
    return std::make_unique<LocalTemporaryFile>(
        path, std::make_shared<NamedStream>(std::move(stream), path_ / final_name));
  }

  Status Publish(const std::string& final_name) override {
    const std::string from = TemporaryPath(path_, final_name);
    const std::string to = path_ / final_name;
    if (renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) {
      return Status::OK();
    }
    // Some network file systems know no rename without replace, but links.
    const bool unsupported = errno == EINVAL || errno == ENOSYS || errno == ENOTSUP;
    if (!unsupported || link(from.c_str(), to.c_str()) != 0) {
      return SystemFailure(errno, "give a part its final name", to);
    }
    unlink(from.c_str());
    return Status::OK();
  }

  Status Remove(const std::string& name) override {
    const std::string path = path_ / name;
    if (unlink(path.c_str()) == 0 || errno == ENOENT) return Status::OK();
    return SystemFailure(errno, "remove", path);
  }

  void RemoveTemporary(const std::string& final_name) override {
    unlink(TemporaryPath(path_, final_name).c_str());
  }

  Status Sync() override {
    PENSTOCK_RETURN_NOT_OK(SyncOne(path_));
    for (const files::path& folder : created_) {
      const files::path parent = folder.parent_path();
      PENSTOCK_RETURN_NOT_OK(SyncOne(parent.empty() ? "." : parent));
    }
    return Status::OK();
  }

 private:
  static Status SyncOne(const files::path& folder) {
    const int descriptor = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0) return SystemFailure(errno, "open the folder", folder);
    const int error = fsync(descriptor) == 0 ? 0 : errno;
    close(descriptor);
    // EINVAL: a file system whose folders cannot be synced.
    if (error == 0 || error == EINVAL) return Status::OK();
    return SystemFailure(error, "sync the folder", folder);
  }

  files::path path_;
  std::vector<files::path> created_;  // Outermost first.
};

}  // namespace

Result<std::unique_ptr<OutputFolder>> OpenOutputFolder(const std::string& path) {
  if (path.find("://") == std::string::npos) return std::make_unique<LocalFolder>(path);
  std::string location;
  PENSTOCK_TRY(const auto file_system, arrow::fs::FileSystemFromUri(path, &location));
  if (file_system->type_name() != "local") {
    return Status::NotImplemented(
        fmt::format("Writing to the {} file system is not there yet; write to a local folder; "
                    "got: {}",
                    file_system->type_name(), path));
  }
  return std::make_unique<LocalFolder>(location);
}

}  // namespace penstock
