#include "penstock/source/recorded_files.h"

#include <arrow/filesystem/localfs.h>
#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <set>
#include <utility>

#include "penstock/base/error.h"
#include "penstock/source/folder_names.h"

namespace penstock {
namespace {

bool IsThere(const std::string& location) {
  struct stat found{};
  return stat(location.c_str(), &found) == 0;
}

std::string Joined(const std::string& folder, std::string_view name) {
  return folder + (folder.ends_with('/') ? "" : "/") + std::string(name);
}

std::atomic<RecordReader> set_record_reader = nullptr;

/// This machine's files, of which some lie elsewhere until they are moved to their locations.
class MovingFiles final : public arrow::fs::LocalFileSystem {
 public:
  explicit MovingFiles(std::map<std::string, std::string> lie_at) : lie_at_(std::move(lie_at)) {}

  using LocalFileSystem::GetFileInfo;
  Result<arrow::fs::FileInfo> GetFileInfo(const std::string& location) override {
    const auto found = lie_at_.find(location);
    if (found != lie_at_.end()) {
      auto info = LocalFileSystem::GetFileInfo(found->second);
      if (info.ok() && info->IsFile()) return info;
    }
    return LocalFileSystem::GetFileInfo(location);
  }

  using LocalFileSystem::OpenInputFile;
  Result<std::shared_ptr<arrow::io::RandomAccessFile>> OpenInputFile(
      const std::string& location) override {
    const auto found = lie_at_.find(location);
    if (found != lie_at_.end()) {
      auto opened = LocalFileSystem::OpenInputFile(found->second);
      if (opened.ok()) return opened;
    }
    return LocalFileSystem::OpenInputFile(location);
  }

  using LocalFileSystem::OpenInputStream;
  Result<std::shared_ptr<arrow::io::InputStream>> OpenInputStream(
      const std::string& location) override {
    const auto found = lie_at_.find(location);
    if (found != lie_at_.end()) {
      auto opened = LocalFileSystem::OpenInputStream(found->second);
      if (opened.ok()) return opened;
    }
    return LocalFileSystem::OpenInputStream(location);
  }

 private:
  const std::map<std::string, std::string> lie_at_;  // By location.
};

class Finder {
 public:
  Finder(arrow::fs::FileSystem& file_system, const NameFilter& is_read)
      : file_system_(file_system), is_read_(is_read) {}

  Status Find(const std::string& folder, const RecordedFolder& record) {
    std::set<std::string> there;
    PENSTOCK_RETURN_NOT_OK(List(folder, there));
    for (const RecordedFile& file : record.files) {
      if (is_read_(file.name)) PENSTOCK_RETURN_NOT_OK(Take(folder, file, there));
    }
    found_.strays.insert(found_.strays.end(), there.begin(), there.end());
    return Status::OK();
  }

  RecordedPlaces Sorted() {
    std::ranges::sort(found_.files, {}, &RecordedPlace::location);
    return std::move(found_);
  }

 private:
  /// Adds the locations of the files that are read and have no record nearer than the folder's.
  Status List(const std::string& folder, std::set<std::string>& there) {
    PENSTOCK_TRY(const FolderNames names, FolderNames::List(file_system_, folder));
    for (size_t index = 0; index < names.size(); ++index) {
      const std::string_view name = names.name(index);
      if (name.starts_with('.') || name.starts_with('_')) continue;
      const std::string location = Joined(folder, name);
      if (!names.is_folder(index)) {
        if (is_read_(name)) there.insert(location);
        continue;
      }
      PENSTOCK_TRY(const auto record, ReadRecord(location));
      PENSTOCK_RETURN_NOT_OK(record ? Find(location, *record) : List(location, there));
    }
    return Status::OK();
  }

  Status Take(const std::string& folder, const RecordedFile& file, std::set<std::string>& there) {
    const std::string location = Joined(folder, file.name);
    const std::string temporary = Joined(folder, file.temporary_name);
    if (there.erase(location) > 0 || IsThere(location)) {
      found_.files.push_back({.location = location, .lies_at = ""});
    } else if (!file.temporary_name.empty() && IsThere(temporary)) {
      found_.files.push_back({.location = location, .lies_at = temporary});
    } else if (IsThere(location)) {  // Its job has just named it.
      found_.files.push_back({.location = location, .lies_at = ""});
    } else if (file.is_own) {
      return MakeError(ErrorKind::kCorruptData,
                       "A file that its job has on record is not there; got: " + location);
    }
    return Status::OK();
  }

  arrow::fs::FileSystem& file_system_;
  const NameFilter& is_read_;
  RecordedPlaces found_;
};

}  // namespace

void SetRecordReader(RecordReader read_record) { set_record_reader = read_record; }

Result<std::optional<RecordedFolder>> ReadRecord(const std::string& folder) {
  const RecordReader read = set_record_reader;
  if (read == nullptr) return std::nullopt;
  return read(folder);
}

std::shared_ptr<arrow::fs::FileSystem> RecordedPlaces::FileSystem() const {
  std::map<std::string, std::string> lie_at;
  for (const RecordedPlace& place : files) {
    if (!place.lies_at.empty()) lie_at.emplace(place.location, place.lies_at);
  }
  if (lie_at.empty()) return nullptr;
  return std::make_shared<MovingFiles>(std::move(lie_at));
}

Result<RecordedPlaces> FindRecorded(arrow::fs::FileSystem& file_system, const std::string& folder,
                                    const RecordedFolder& record, const NameFilter& is_read) {
  Finder finder(file_system, is_read);
  PENSTOCK_RETURN_NOT_OK(finder.Find(folder, record));
  return finder.Sorted();
}

}  // namespace penstock
