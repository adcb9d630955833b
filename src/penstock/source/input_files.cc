#include "penstock/source/input_files.h"

#include <arrow/filesystem/localfs.h>
#include <arrow/io/compressed.h>
#include <arrow/util/compression.h>
#include <arrow/util/io_util.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cerrno>
#include <string_view>
#include <utility>

#include "penstock/base/error.h"
#include "penstock/source/glob.h"

namespace penstock {
namespace {

using arrow::fs::FileInfo;
using arrow::fs::FileType;

struct CodecSuffix {
  std::string_view suffix;
  arrow::Compression::type codec;
};
constexpr CodecSuffix kCodecs[] = {{".gz", arrow::Compression::GZIP},
                                   {".zst", arrow::Compression::ZSTD},
                                   {".bz2", arrow::Compression::BZ2},
                                   {".lz4", arrow::Compression::LZ4_FRAME}};

std::string LowerCase(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char letter) { return std::tolower(letter); });
  return lower;
}

bool HasExtension(const std::string& path, const std::vector<std::string>& extensions) {
  const std::string lower = LowerCase(path);
  const auto ends_so = [&lower](const std::string& extension) {
    const std::string ending = LowerCase(extension);
    if (!lower.ends_with(ending) || lower.size() == ending.size()) return false;
    return ending.starts_with('.') || lower[lower.size() - ending.size() - 1] == '.';
  };
  return extensions.empty() || std::ranges::any_of(extensions, ends_so);
}

/// Says whether a name below `folder` is one that readers pass over.
bool IsHidden(std::string_view path, std::string_view folder) {
  path.remove_prefix(std::min(folder.size(), path.size()));
  for (size_t i = 0; i + 1 < path.size(); ++i) {
    const bool begins_name = path[i] == '/';
    if (begins_name && (path[i + 1] == '.' || path[i + 1] == '_')) return true;
  }
  return false;
}

std::string ExtensionsText(const std::vector<std::string>& extensions) {
  return extensions.empty() ? "any name"
                            : fmt::format("names that end in .{}", fmt::join(extensions, ", ."));
}

class FileLister {
 public:
  FileLister(const FileOptions& options, const std::vector<std::string>& folder_extensions)
      : options_(options),
        named_extensions_(options.file_extensions.value_or(std::vector<std::string>{})),
        folder_extensions_(options.file_extensions.value_or(folder_extensions)) {}

  Result<std::vector<InputFile>> List() {
    for (const std::string& path : options_.paths) PENSTOCK_RETURN_NOT_OK(AddPath(path));
    if (files_.empty()) {
      return MakeError(
          ErrorKind::kMissingPath,
          fmt::format("There is no file to read: looked for files with {}; got: {}",
                      ExtensionsText(folder_extensions_), fmt::join(options_.paths, ", ")));
    }
    return std::move(files_);
  }

 private:
  Status AddPath(const std::string& path) {
    PENSTOCK_RETURN_NOT_OK(EnterFileSystem(path));
    std::string location = location_;
    while (location.size() > 1 && location.ends_with('/')) location.pop_back();
    PENSTOCK_TRY(const FileInfo info, file_system_->GetFileInfo(location));
    if (info.type() == FileType::Directory) return AddFolder(location, path);
    if (info.type() != FileType::NotFound) {
      AddFile(info, named_extensions_);
      return Status::OK();
    }
    if (IsGlob(location)) return AddGlob(location, path);
    if (options_.ignore_missing_paths) return Status::OK();
    return MakeError(ErrorKind::kMissingPath,
                     fmt::format("There is no such file or folder; looked for a file, a folder or "
                                 "a glob on the {} file system; got: {}",
                                 file_system_->type_name(), path));
  }

  Status EnterFileSystem(const std::string& path) {
    const size_t scheme_end = path.find("://");
    if (scheme_end == std::string::npos) {
      file_system_ = local_;
      location_ = path;
      prefix_.clear();
      return Status::OK();
    }
    PENSTOCK_TRY(file_system_, arrow::fs::FileSystemFromUri(path, &location_));
    const std::string scheme = path.substr(0, scheme_end);
    prefix_ = scheme == "file" ? "" : scheme + "://";
    return Status::OK();
  }

  Status AddFolder(const std::string& location, const std::string& path) {
    const size_t before = files_.size();
    PENSTOCK_RETURN_NOT_OK(AddMembers(location));
    if (files_.size() > before || options_.ignore_missing_paths) return Status::OK();
    return Status::Invalid(
        fmt::format("The folder and its subfolders have no file to read: looked for files with "
                    "{}, not beginning with \".\" or \"_\"; got: {}",
                    ExtensionsText(folder_extensions_), path));
  }

  Status AddMembers(const std::string& location) {
    PENSTOCK_TRY(const auto infos, SortedInfos(location));
    for (const FileInfo& info : infos) {
      if (info.IsFile() && !IsHidden(info.path(), location)) AddFile(info, folder_extensions_);
    }
    return Status::OK();
  }

  Status AddGlob(const std::string& location, const std::string& path) {
    const std::string folder = GlobFolder(location);
    // Paths below "." are listed as "./name"; the pattern must look alike.
    const std::string pattern =
        folder == "." && !location.starts_with("./") ? "./" + location : location;
    const size_t before = files_.size();
    PENSTOCK_TRY(const auto infos, SortedInfos(folder));
    for (const FileInfo& info : infos) {
      if (!MatchesGlob(pattern, info.path())) continue;
      if (info.IsDirectory()) {
        PENSTOCK_RETURN_NOT_OK(AddMembers(info.path()));
      } else if (info.IsFile()) {
        AddFile(info, named_extensions_);
      }
    }
    DropTwins(before);
    if (files_.size() > before || options_.ignore_missing_paths) return Status::OK();
    return MakeError(
        ErrorKind::kMissingPath,
        fmt::format("No file matches the pattern; looked in the folder {} for files with {}; got: "
                    "{}",
                    folder, ExtensionsText(named_extensions_), path));
  }

  /// A pattern may match both a folder and the files in it.
  void DropTwins(size_t begin) {
    const auto first = files_.begin() + static_cast<std::ptrdiff_t>(begin);
    std::ranges::sort(first, files_.end(), {}, &InputFile::path);
    const auto twins = std::ranges::unique(first, files_.end(), {}, &InputFile::path);
    files_.erase(twins.begin(), twins.end());
  }

  Result<std::vector<FileInfo>> SortedInfos(const std::string& folder) {
    arrow::fs::FileSelector selector;
    selector.base_dir = folder;
    selector.recursive = true;
    selector.allow_not_found = true;
    PENSTOCK_TRY(auto infos, file_system_->GetFileInfo(selector));
    std::ranges::sort(infos, {}, &FileInfo::path);
    return infos;
  }

  void AddFile(const FileInfo& info, const std::vector<std::string>& extensions) {
    if (!HasExtension(info.path(), extensions)) return;
    const bool relative = info.path().starts_with("./");
    files_.push_back({.path = prefix_ + (relative ? info.path().substr(2) : info.path()),
                      .file_system = file_system_,
                      .location = info.path(),
                      .bytes = info.size()});
  }

  const FileOptions& options_;
  const std::vector<std::string> named_extensions_;
  const std::vector<std::string> folder_extensions_;
  const std::shared_ptr<arrow::fs::FileSystem> local_ =
      std::make_shared<arrow::fs::LocalFileSystem>();
  std::vector<InputFile> files_;

  std::shared_ptr<arrow::fs::FileSystem> file_system_;  // Of the path that is being added,
  std::string location_;                                // its place there,
  std::string prefix_;                                  // and what its files' paths begin with.
};

const CodecSuffix* CodecOf(const std::string& path) {
  const auto* found = std::find_if(std::begin(kCodecs), std::end(kCodecs),
                                   [lower = LowerCase(path)](const CodecSuffix& codec) {
                                     return lower.ends_with(codec.suffix);
                                   });
  return found == std::end(kCodecs) ? nullptr : found;
}

}  // namespace

Result<FileOptions> ReadFileOptions(OptionReader& options) {
  FileOptions read;
  PENSTOCK_TRY(auto paths, options.Texts("paths"));
  if (!paths || paths->empty()) {
    return Status::Invalid("There is no path to read; give at least one in \"paths\"");
  }
  read.paths = std::move(*paths);
  PENSTOCK_TRY(read.include_paths, options.Bool("include_paths", false));
  PENSTOCK_TRY(read.ignore_missing_paths, options.Bool("ignore_missing_paths", false));
  PENSTOCK_TRY(read.file_extensions, options.Texts("file_extensions"));
  return read;
}

Result<std::vector<InputFile>> ListFiles(const FileOptions& options,
                                         const std::vector<std::string>& folder_extensions) {
  return FileLister(options, folder_extensions).List();
}

std::vector<std::string> WithCodecs(const std::vector<std::string>& extensions) {
  std::vector<std::string> all = extensions;
  for (const std::string& extension : extensions) {
    for (const CodecSuffix& codec : kCodecs) all.push_back(extension + std::string(codec.suffix));
  }
  return all;
}

Result<std::shared_ptr<arrow::io::RandomAccessFile>> OpenFile(const InputFile& file) {
  auto opened = file.file_system->OpenInputFile(file.location);
  if (!opened.ok()) return ReadFailure(opened.status(), file.path);
  return opened;
}

Result<std::shared_ptr<arrow::io::InputStream>> OpenStream(const InputFile& file) {
  auto opened = file.file_system->OpenInputStream(file.location);
  if (!opened.ok()) return ReadFailure(opened.status(), file.path);
  const CodecSuffix* suffix = CodecOf(file.path);
  if (suffix == nullptr) return opened;
  PENSTOCK_TRY(std::shared_ptr<arrow::util::Codec> codec,
               arrow::util::Codec::Create(suffix->codec));
  PENSTOCK_TRY(std::shared_ptr<arrow::io::InputStream> plain,
               arrow::io::CompressedInputStream::Make(codec.get(), opened.MoveValueUnsafe()));
  return plain;
}

Status ReadFailure(const Status& status, const std::string& where) {
  if (status.ok() || DetailOf(status) != nullptr) return status;
  const int error = arrow::internal::ErrnoFromStatus(status);
  if (error == ENOENT) {
    return MakeError(ErrorKind::kMissingPath, fmt::format("{}: {}", where, status.message()));
  }
  if (error != 0 || status.IsOutOfMemory() || status.IsCancelled() || status.IsNotImplemented()) {
    return status.WithMessage(where, ": ", status.message());
  }
  return MakeError(ErrorKind::kCorruptData,
                   fmt::format("{} is damaged or of another format: {}", where, status.message()));
}

}  // namespace penstock
