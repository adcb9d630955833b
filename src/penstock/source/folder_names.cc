#include "penstock/source/folder_names.h"

#include <arrow/util/io_util.h>
#include <dirent.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

namespace penstock {
namespace {

using arrow::fs::FileInfo;
using arrow::internal::IOErrorFromErrno;

struct CloseFolder {
  void operator()(DIR* folder) const { closedir(folder); }
};

enum class Kind : uint8_t { kFile, kFolder, kOther };

Kind KindOf(DIR& folder, const dirent& entry) {
  if (entry.d_type == DT_REG) return Kind::kFile;
  if (entry.d_type == DT_DIR) return Kind::kFolder;
  if (entry.d_type != DT_LNK && entry.d_type != DT_UNKNOWN) return Kind::kOther;
  struct stat found = {};
  if (fstatat(dirfd(&folder), entry.d_name, &found, 0) != 0) return Kind::kOther;
  if (S_ISREG(found.st_mode)) return Kind::kFile;
  return S_ISDIR(found.st_mode) ? Kind::kFolder : Kind::kOther;
}

}  // namespace

Result<FolderNames> FolderNames::List(arrow::fs::FileSystem& file_system,
                                      const std::string& location) {
  FolderNames names;
  const bool local = file_system.type_name() == "local";
  PENSTOCK_RETURN_NOT_OK(local ? names.ListLocal(location)
                               : names.ListThroughArrow(file_system, location));
  names.Sort();
  return names;
}

std::string_view FolderNames::name(size_t index) const {
  std::string_view name = text(entries_[index]);
  if (is_folder(index)) name.remove_suffix(1);
  return name;
}

bool FolderNames::is_folder(size_t index) const { return text(entries_[index]).ends_with('/'); }

Status FolderNames::ListLocal(const std::string& location) {
  const std::unique_ptr<DIR, CloseFolder> folder(opendir(location.c_str()));
  if (folder == nullptr) {
    if (errno == ENOENT || errno == ENOTDIR) return Status::OK();
    return IOErrorFromErrno(errno, "The folder cannot be listed; got: ", location);
  }
  struct stat found = {};
  if (fstat(dirfd(folder.get()), &found) == 0) identity_ = {found.st_dev, found.st_ino};
  while (true) {
    errno = 0;
    const dirent* entry = readdir(folder.get());
    if (entry == nullptr) {
      if (errno == 0) return Status::OK();
      return IOErrorFromErrno(errno, "The folder cannot be listed to its end; got: ", location);
    }
    const std::string_view name = entry->d_name;
    if (name == "." || name == "..") continue;
    const Kind kind = KindOf(*folder, *entry);
    if (kind != Kind::kOther) Add(name, kind == Kind::kFolder, /*bytes=*/-1);
  }
}

Status FolderNames::ListThroughArrow(arrow::fs::FileSystem& file_system,
                                     const std::string& location) {
  arrow::fs::FileSelector selector;
  selector.base_dir = location;
  selector.allow_not_found = true;
  PENSTOCK_TRY(const auto infos, file_system.GetFileInfo(selector));
  for (const FileInfo& info : infos) {
    if (info.IsFile() || info.IsDirectory()) Add(info.base_name(), info.IsDirectory(), info.size());
  }
  return Status::OK();
}

void FolderNames::Add(std::string_view name, bool is_folder, int64_t bytes) {
  const size_t begin = text_.size();
  text_.append(name);
  if (is_folder) text_.push_back('/');
  entries_.push_back({.begin = begin,
                      .length = static_cast<uint32_t>(text_.size() - begin),
                      .bytes = is_folder ? -1 : bytes});
}

void FolderNames::Sort() {
  std::ranges::sort(entries_, {}, [this](const Entry& entry) { return text(entry); });
}

}  // namespace penstock
