#include "penstock/source/file_lister.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/stat.h>

#include <algorithm>
#include <cctype>
#include <string_view>
#include <utility>

#include "penstock/base/error.h"
#include "penstock/base/tell_once.h"

namespace penstock {
namespace {

using arrow::fs::FileInfo;
using arrow::fs::FileType;

bool EndsWithoutCase(std::string_view text, std::string_view ending) {
  if (text.size() < ending.size()) return false;
  text.remove_prefix(text.size() - ending.size());
  return std::ranges::equal(text, ending, [](unsigned char one, unsigned char other) {
    return std::tolower(one) == std::tolower(other);
  });
}

bool HasExtension(std::string_view whole, const std::vector<std::string>& extensions) {
  const std::string_view path = NamePart(whole);
  const auto ends_so = [path](const std::string& extension) {
    if (path.size() <= extension.size() || !EndsWithoutCase(path, extension)) return false;
    return extension.starts_with('.') || path[path.size() - extension.size() - 1] == '.';
  };
  return extensions.empty() || std::ranges::any_of(extensions, ends_so);
}

bool IsHidden(std::string_view name) { return name.starts_with('.') || name.starts_with('_'); }

std::string Joined(const std::string& folder, std::string_view name) {
  return fmt::format("{}{}{}", folder, folder.ends_with('/') ? "" : "/", name);
}

std::string ExtensionsText(const std::vector<std::string>& extensions) {
  return extensions.empty() ? "any name"
                            : fmt::format("names that end in .{}", fmt::join(extensions, ", ."));
}

int64_t LocalBytes(const std::string& location) {
  struct stat found = {};
  return stat(location.c_str(), &found) == 0 ? found.st_size : -1;
}

}  // namespace

FileLister::FileLister(FileOptions options, const std::vector<std::string>& folder_extensions,
                       FileSizes sizes)
    : options_(std::move(options)),
      named_extensions_(options_.file_extensions.value_or(std::vector<std::string>{})),
      folder_extensions_(options_.file_extensions.value_or(folder_extensions)),
      sizes_(sizes),
      placer_(options_.access) {}

Result<std::vector<InputFile>> FileLister::Next(int64_t count_max) {
  while (static_cast<int64_t>(found_.size()) < count_max && !IsDone()) {
    PENSTOCK_RETURN_NOT_OK(Advance());
  }
  return std::exchange(found_, {});
}

/// Takes one name, or one path; adds one file at most.
Status FileLister::Advance() {
  if (folders_.empty()) {
    PENSTOCK_RETURN_NOT_OK(BeginPath(options_.paths[next_path_]));
  } else if (folders_.back().next < folders_.back().recorded.size()) {
    TakeRecorded(folders_.back());
  } else if (folders_.back().next < folders_.back().names.size()) {
    PENSTOCK_RETURN_NOT_OK(TakeName(folders_.back()));
  } else {
    folders_.pop_back();
  }
  if (!folders_.empty()) return Status::OK();
  PENSTOCK_RETURN_NOT_OK(EndPath(options_.paths[next_path_++]));
  return IsDone() ? EndOfPaths() : Status::OK();
}

Status FileLister::BeginPath(const std::string& path) {
  path_files_ = 0;
  by_glob_ = false;
  PENSTOCK_TRY(PlacedPath placed, placer_.Place(path));
  file_system_ = std::move(placed.file_system);
  location_ = std::move(placed.location);
  prefix_ = std::move(placed.prefix);
  while (location_.size() > 1 && location_.ends_with('/')) location_.pop_back();
  PENSTOCK_TRY(const FileInfo info, file_system_->GetFileInfo(location_));
  if (info.type() == FileType::Directory) return EnterFolder(location_, {}, /*chosen=*/true);
  if (info.type() != FileType::NotFound) {
    if (HasExtension(location_, named_extensions_)) AddFile(info.path(), info.size());
    ++path_files_;
    return Status::OK();
  }
  if (IsGlob(location_) && file_system_->type_name() != "http") {
    by_glob_ = true;
    const std::string folder = GlobFolder(location_);
    const bool names_folder = location_.starts_with(folder == "/" ? folder : folder + "/");
    glob_ = GlobNames(std::string_view(location_).substr(names_folder ? folder.size() : 0));
    return EnterFolder(folder, glob_.Start(), /*chosen=*/false);
  }
  if (options_.ignore_missing_paths) return Status::OK();
  return MakeError(ErrorKind::kMissingPath,
                   fmt::format("There is no such file or folder; looked for a file, a folder or "
                               "a glob on the {} file system; got: {}",
                               file_system_->type_name(), path));
}

Status FileLister::EndPath(const std::string& path) const {
  if (path_files_ > 0 || options_.ignore_missing_paths) return Status::OK();
  if (by_glob_) {
    return MakeError(
        ErrorKind::kMissingPath,
        fmt::format("No file matches the pattern; looked in the folder {} for files with {}; got: "
                    "{}",
                    GlobFolder(location_), ExtensionsText(named_extensions_), path));
  }
  return Status::Invalid(
      fmt::format("The folder and its subfolders have no file to read: looked for files with "
                  "{}, not beginning with \".\" or \"_\"; got: {}",
                  ExtensionsText(folder_extensions_), path));
}

Status FileLister::EndOfPaths() const {
  if (files_ > 0) return Status::OK();
  return MakeError(
      ErrorKind::kMissingPath,
      fmt::format("There is no file to read: looked for files with {}; got: {}",
                  ExtensionsText(folder_extensions_), fmt::join(options_.paths, ", ")));
}

Status FileLister::EnterFolder(std::string location, GlobNames::Places places, bool chosen) {
  if (chosen && file_system_->type_name() == "local") {
    const Result<bool> entered = EnterIfRecorded(location);
    if (!entered.ok()) return WithWayOut(entered.status(), location);
    if (*entered) return Status::OK();
  }
  PENSTOCK_TRY(FolderNames names, FolderNames::List(*file_system_, location));
  const auto is_same = [&names](const Folder& folder) {
    return folder.names.identity() == names.identity() &&
           names.identity() != FolderNames::Identity();
  };
  if (std::ranges::any_of(folders_, is_same)) return Status::OK();
  folders_.push_back({.location = std::move(location),
                      .names = std::move(names),
                      .places = std::move(places),
                      .chosen = chosen});
  return Status::OK();
}

Status FileLister::TakeName(Folder& folder) {
  const size_t index = folder.next++;
  const std::string name(folder.names.name(index));
  const auto places = by_glob_ ? glob_.Step(folder.places, name) : GlobNames::Places();
  const bool matches = by_glob_ && glob_.IsWhole(places);
  const bool chosen = folder.chosen && !IsHidden(name);
  if (folder.names.is_folder(index)) {
    if (places.empty() && !chosen) return Status::OK();
    return EnterFolder(Joined(folder.location, name), places, chosen || matches);
  }
  if ((matches && HasExtension(name, named_extensions_)) ||
      (chosen && HasExtension(name, folder_extensions_))) {
    AddFile(Joined(folder.location, name), folder.names.bytes(index));
    ++path_files_;
  }
  return Status::OK();
}

/// Enters a folder that a job writes or has written; all of it, with what is below.
Result<bool> FileLister::EnterIfRecorded(const std::string& location) {
  PENSTOCK_TRY(const auto record, ReadRecord(location));
  if (!record) return false;
  PENSTOCK_RETURN_NOT_OK(EnterRecorded(location, *record));
  return true;
}

Status FileLister::EnterRecorded(const std::string& location, const RecordedFolder& record) {
  const NameFilter is_read = [this](std::string_view name) {
    return HasExtension(name, folder_extensions_);
  };
  PENSTOCK_TRY(RecordedPlaces places, FindRecorded(*file_system_, location, record, is_read));
  if (!record.is_finished) {
    TellOnce(
        fmt::format("the job that writes {} has not finished; what it has on record by now is "
                    "read, and running it again finishes it",
                    Shown(location)));
  }
  if (!places.strays.empty()) {
    TellOnce(fmt::format(
        "{} of the files in {}, such as {}, are on no record of its job, and are "
        "passed over: a write that was cut off or another program has left them; "
        "to read all files name them by a glob, such as {}",
        places.strays.size(), Shown(location), Shown(places.strays.front()), GlobFor(location)));
  }
  auto moving = places.FileSystem();
  folders_.push_back(
      {.location = location, .recorded = std::move(places.files), .moving = std::move(moving)});
  return Status::OK();
}

Status FileLister::WithWayOut(const Status& status, const std::string& location) const {
  return status.WithMessage(
      fmt::format("Cannot tell which files in {} are whole; to read those that lie there name them "
                  "by a glob, such as {}: {}",
                  Shown(location), GlobFor(location), status.message()));
}

std::string FileLister::GlobFor(const std::string& location) const {
  const bool has_one = !folder_extensions_.empty();
  return Joined(Shown(location), has_one ? "*." + folder_extensions_.front() : "*.*");
}

/// Returns how the user knows a location.
std::string FileLister::Shown(const std::string& location) const {
  return prefix_ + location.substr(location.starts_with("./") ? 2 : 0);
}

void FileLister::TakeRecorded(Folder& folder) {
  RecordedPlace& place = folder.recorded[folder.next++];
  const bool has_name = place.lies_at.empty();
  const int64_t bytes = has_name ? -1 : LocalBytes(place.lies_at);
  AddFile(std::move(place.location), bytes);
  if (!has_name) found_.back().file_system = folder.moving;
  ++path_files_;
}

void FileLister::AddFile(std::string location, int64_t bytes) {
  ++files_;
  if (bytes < 0 && sizes_ == FileSizes::kWanted && file_system_->type_name() == "local") {
    bytes = LocalBytes(location);
  }
  found_.push_back({.path = Shown(location),
                    .file_system = file_system_,
                    .location = std::move(location),
                    .bytes = bytes,
                    .codec = options_.codec});
}

}  // namespace penstock
