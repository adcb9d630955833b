#include <arrow/io/file.h>
#include <arrow/util/io_util.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <set>
#include <system_error>
#include <utility>

#include "penstock/base/ledger_folder.h"
#include "penstock/base/local_files.h"
#include "penstock/base/system_failure.h"
#include "penstock/sink/folder_claim.h"
#include "penstock/sink/named_stream.h"
#include "penstock/sink/output_folder.h"
#include "penstock/sink/remote_folder.h"

namespace penstock {
namespace {

namespace files = std::filesystem;

const std::string kPendingFolder = std::string(kLedgerFolder) + "/pending";

/// Returns the mode of what lies at the path; 0 where nothing does.
Result<mode_t> ModeAt(const files::path& path, const std::string& doing) {
  struct stat found{};
  if (stat(path.c_str(), &found) == 0) return found.st_mode;
  if (errno == ENOENT) return mode_t{0};
  return SystemFailure(errno, doing, path);
}

class LocalTemporaryFile final : public TemporaryFile {
 public:
  LocalTemporaryFile(const files::path& path, std::string name, std::shared_ptr<NamedStream> file)
      : path_(path), name_(std::move(name)), file_(std::move(file)), stream_(file_) {}

  ~LocalTemporaryFile() override {
    if (kept_) return;
    file_->Drop();
    unlink(path_.c_str());
  }

  const std::string& name() const override { return name_; }
  const std::shared_ptr<arrow::io::OutputStream>& stream() const override { return stream_; }

  Status OverwriteStart(const std::string& head) override { return file_->WriteAtStart(head); }

  Result<FileChecksum> Keep() override {
    PENSTOCK_TRY(const FileChecksum kept, file_->SyncAndClose());
    kept_ = true;
    return kept;
  }

 private:
  const std::string path_;
  const std::string name_;
  const std::shared_ptr<NamedStream> file_;                // Shared with who writes to it,
  const std::shared_ptr<arrow::io::OutputStream> stream_;  // under this type.
  bool kept_ = false;
};

class LocalFolder final : public OutputFolder {
 public:
  LocalFolder(const std::string& path, std::string write_name, bool with_ledger)
      : path_(files::path(path).lexically_normal()),
        write_name_(std::move(write_name)),
        with_ledger_(with_ledger) {
    if (!path_.has_filename()) path_ = path_.parent_path();
  }

  Status Create() override { return MakeFolders(path_); }

  Status Claim() override {
    PENSTOCK_RETURN_NOT_OK(claim_.Take(path_, write_name_));
    RemoveLeftovers(path_, write_name_);
    return Status::OK();
  }

  void Release() override { claim_.Release(); }

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
    // Unique for all time: an earlier run's ledger may name its own, which are then looked for.
    const std::string name = with_ledger_
                                 ? fmt::format("{}/{}_{:06}{}", kPendingFolder, write_name_,
                                               next_temporary_++, kTemporarySuffix)
                                 : fmt::format("{}{:06}{}", TemporaryPrefix(write_name_),
                                               next_temporary_++, kTemporarySuffix);
    const files::path path = path_ / name;
    const int file = open(path.c_str(), O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0666);
    if (file < 0) return SystemFailure(errno, "create", path_ / final_name);
    PENSTOCK_TRY(auto stream, arrow::io::FileOutputStream::Open(file));
    return std::make_unique<LocalTemporaryFile>(
        path, name, std::make_shared<NamedStream>(std::move(stream), path_ / final_name));
  }

  Status Publish(const std::string& temporary_name, const std::string& final_name,
                 bool replace) override {
    const files::path from = path_ / temporary_name;
    const files::path to = path_ / final_name;
    if (to.parent_path() != path_) PENSTOCK_RETURN_NOT_OK(MakeFolders(to.parent_path()));
    changed_.insert({path_, to.parent_path()});
    if (replace && rename(from.c_str(), to.c_str()) == 0) return Status::OK();
    if (!replace &&
        renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) {
      return Status::OK();
    }
    // Some network file systems know no rename without replace, but links.
    const bool unsupported = errno == EINVAL || errno == ENOSYS || errno == ENOTSUP;
    if (replace || !unsupported || link(from.c_str(), to.c_str()) != 0) {
      return SystemFailure(errno, "give a part its final name", to);
    }
    unlink(from.c_str());
    return Status::OK();
  }

  Status PublishAgain(const std::string& temporary_name, const std::string& final_name) override {
    const files::path to = path_ / final_name;
    if (to.parent_path() != path_) PENSTOCK_RETURN_NOT_OK(MakeFolders(to.parent_path()));
    changed_.insert(to.parent_path());
    if (rename((path_ / temporary_name).c_str(), to.c_str()) == 0) return Status::OK();
    const int error = errno;
    PENSTOCK_TRY(const mode_t there, ModeAt(to, "write into"));
    if (error == ENOENT && S_ISREG(there)) return Status::OK();
    return SystemFailure(error, "give a part its final name", to);
  }

  std::string LedgerFolder() const override {
    return with_ledger_ ? (path_ / kLedgerFolder).string() : "";
  }

  Status RemoveLedger(const std::set<std::string>& kept) override {
    const auto failure = [](const std::error_code& error, const files::path& path) {
      return SystemFailure(error.value(), "remove an earlier job's ledger", path);
    };
    std::vector<files::path> old{path_ / kLedgerFolder};  // Folders before what is in them.
    std::error_code error;
    files::recursive_directory_iterator entry(old.front(), error);
    for (; !error && entry != files::recursive_directory_iterator(); entry.increment(error)) {
      old.push_back(entry->path());
    }
    if (error == std::errc::no_such_file_or_directory) return Status::OK();
    if (error) return failure(error, old.front());
    for (auto path = old.rbegin(); path != old.rend(); ++path) {
      if (kept.contains(path->lexically_relative(path_))) continue;
      files::remove(*path, error);
      if (error && error != std::errc::directory_not_empty) return failure(error, *path);
    }
    return Status::OK();
  }

  Status RemoveTemporaries() override {
    PENSTOCK_RETURN_NOT_OK(MakeFolders(path_ / kPendingFolder));
    std::error_code error;
    files::directory_iterator entry(path_ / kPendingFolder, error);
    for (; !error && entry != files::directory_iterator(); entry.increment(error)) {
      files::remove(entry->path(), error);
    }
    if (!error) return Status::OK();
    return SystemFailure(error.value(), "remove what an earlier run left", path_ / kPendingFolder);
  }

  Status SyncTemporaries() override { return SyncFolder(path_ / kPendingFolder); }

  Status PutMarker(const std::string& name) override {
    const files::path path = path_ / name;
    const int file = open(path.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0666);
    if (file < 0) return SystemFailure(errno, "create", path);
    close(file);
    rmdir((path_ / kPendingFolder).c_str());  // Nothing will be.
    return SyncFolder(path_);
  }

  Status Remove(const std::string& name) override {
    const files::path path = path_ / name;
    changed_.insert(path.parent_path());
    if (unlink(path.c_str()) == 0 || errno == ENOENT) return Status::OK();
    return SystemFailure(errno, "remove", path);
  }

  void RemoveTemporary(const std::string& temporary_name) override {
    unlink((path_ / temporary_name).c_str());
  }

  Status Sync() override {
    for (const files::path& folder : std::exchange(changed_, {})) {
      PENSTOCK_RETURN_NOT_OK(SyncFolder(folder.empty() ? "." : folder));
    }
    return Status::OK();
  }

 private:
  Status MakeFolders(const files::path& wanted) {
    std::vector<files::path> missing;
    for (files::path folder = wanted; !folder.empty(); folder = folder.parent_path()) {
      PENSTOCK_TRY(const mode_t mode, ModeAt(folder, "write into"));
      if (mode != 0) break;
      missing.push_back(folder);
    }
    for (auto folder = missing.rbegin(); folder != missing.rend(); ++folder) {
      if (mkdir(folder->c_str(), 0777) == 0) {
        created_.push_back(*folder);
        changed_.insert(folder->parent_path());
      } else if (errno != EEXIST) {
        return SystemFailure(errno, "make the folder", folder->string());
      }
    }
    PENSTOCK_TRY(const mode_t mode, ModeAt(wanted, "write into"));
    return S_ISDIR(mode) ? Status::OK() : SystemFailure(ENOTDIR, "write into", wanted);
  }

  files::path path_;
  const std::string write_name_;
  const bool with_ledger_;
  std::atomic<int64_t> next_temporary_ = 0;
  std::vector<files::path> created_;  // Outermost first.
  std::set<files::path> changed_;     // Folders with names that are not synced yet.
  FolderClaim claim_;
};

}  // namespace

Result<std::unique_ptr<OutputFolder>> OpenOutputFolder(const std::string& path, FileAccess access,
                                                       const std::string& write_name,
                                                       bool with_ledger) {
  PENSTOCK_TRY(PlacedPath placed, PathPlacer(std::move(access)).Place(path));
  if (placed.file_system->type_name() == "local") {
    return std::make_unique<LocalFolder>(placed.location, write_name, with_ledger);
  }
  return MakeRemoteFolder(placed, write_name);
}

}  // namespace penstock
