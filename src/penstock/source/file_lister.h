#pragma once

#include <arrow/filesystem/filesystem.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "penstock/base/status.h"
#include "penstock/files/path_placer.h"
#include "penstock/source/folder_names.h"
#include "penstock/source/glob.h"
#include "penstock/source/input_files.h"
#include "penstock/source/recorded_files.h"

namespace penstock {

/// Whether the sizes of local files are worth asking the system for each of them.
enum class FileSizes : uint8_t { kWanted, kWhereFree };

/// Lists files a few at a time: what ListFiles returns, in the same order, with the same errors,
/// each when its turn comes.
///
/// Holds the names of the folder that it is in, and of those above it; never all files. A folder
/// that a link leads back into is passed over. One thread at a time.
class FileLister {
 public:
  FileLister(FileOptions options, const std::vector<std::string>& folder_extensions,
             FileSizes sizes);

  /// Returns the next files, at most `count_max`; none at the end. Nothing may be asked after an
  /// error.
  Result<std::vector<InputFile>> Next(int64_t count_max);

 private:
  /// A folder that is being listed.
  struct Folder {
    std::string location;
    FolderNames names;
    size_t next = 0;
    GlobNames::Places places;  // How far the pattern has come; empty: not by it.
    bool chosen = false;       // All its files are wanted, but for hidden names.

    // Instead of names, where it has a record:
    std::vector<RecordedPlace> recorded;
    std::shared_ptr<arrow::fs::FileSystem> moving;  // On which they lie; null: as all files.
  };

  bool IsDone() const { return folders_.empty() && next_path_ == options_.paths.size(); }
  Status Advance();
  Status BeginPath(const std::string& path);
  Status EndPath(const std::string& path) const;
  Status EndOfPaths() const;
  Status EnterFolder(std::string location, GlobNames::Places places, bool chosen);
  Result<bool> EnterIfRecorded(const std::string& location);
  Status EnterRecorded(const std::string& location, const RecordedFolder& record);
  Status WithWayOut(const Status& status, const std::string& location) const;
  std::string GlobFor(const std::string& location) const;
  std::string Shown(const std::string& location) const;
  Status TakeName(Folder& folder);
  void TakeRecorded(Folder& folder);
  void AddFile(std::string location, int64_t bytes);

  const FileOptions options_;
  const std::vector<std::string> named_extensions_;
  const std::vector<std::string> folder_extensions_;
  const FileSizes sizes_;
  PathPlacer placer_;

  std::vector<InputFile> found_;
  size_t next_path_ = 0;
  int64_t files_ = 0;       // So far, of all paths,
  int64_t path_files_ = 0;  // and of the path that is being listed.

  std::shared_ptr<arrow::fs::FileSystem> file_system_;  // Of that path; shared with its files.
  std::string location_;                                // Its place there,
  std::string prefix_;                                  // what its files' paths begin with,
  GlobNames glob_{""};                                  // and its pattern.
  bool by_glob_ = false;
  std::vector<Folder> folders_;  // Each in the one before.
};

}  // namespace penstock
