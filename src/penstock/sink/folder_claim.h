#pragma once

#include <filesystem>
#include <string>

#include "penstock/base/status.h"

namespace penstock {

/// How a write's temporary files begin and end, in whatever folder.
std::string TemporaryPrefix(const std::string& write_name);
inline constexpr const char* kTemporarySuffix = ".tmp";

/// Tells other writes to a local folder that this one lives: it holds a lock (flock) on the file
/// `.<write>.lock` there, which the system lets go of when the process dies, however it does.
/// On a file system without locks there is no such file, and nobody removes anything. One thread.
class FolderClaim {
 public:
  FolderClaim() = default;
  FolderClaim(const FolderClaim&) = delete;
  FolderClaim& operator=(const FolderClaim&) = delete;
  ~FolderClaim() { Release(); }

  Status Take(const std::filesystem::path& folder, const std::string& write_name);
  void Release();

 private:
  std::string path_;
  int descriptor_ = -1;
};

/// Removes the lock and the temporary files of every other write to the folder whose lock nobody
/// holds. What cannot be removed stays: the next write tries again.
void RemoveLeftovers(const std::filesystem::path& folder, const std::string& own_write_name);

}  // namespace penstock
