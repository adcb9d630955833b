#pragma once

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>

namespace penstock {

/// A file system of its own (ext4 in a file) that can be stopped without writing what is still in
/// memory, and mounted again.
class CutDisk {
 public:
  ~CutDisk() {
    if (folder_.empty()) return;
    Shell("umount " + path());
    std::filesystem::remove_all(folder_);
  }

  /// Makes and mounts it; false: this machine lets nobody.
  bool Make() {
    std::string pattern = std::filesystem::temp_directory_path() / "penstock_power_XXXXXX";
    folder_ = mkdtemp(pattern.data());
    std::filesystem::create_directory(path());
    return geteuid() == 0 && Shell("truncate -s 24M " + image()) &&
           Shell("mkfs.ext4 -q -F " + image()) && Mount();
  }

  /// Mounts it again, once it has been stopped.
  bool Remount() { return Shell("umount " + path()) && Mount(); }

  const std::string& folder() const { return folder_; }  // Where the file lies.
  std::string path() const { return folder_ + "/disk"; }

 private:
  static bool Shell(const std::string& command) {
    return std::system((command + " >/dev/null 2>&1").c_str()) == 0;
  }
  std::string image() const { return folder_ + "/image"; }
  bool Mount() const { return Shell("mount -o loop " + image() + " " + path()); }

  std::string folder_;
};

inline constexpr const char* kNoCutDisk =
    "this machine lets nobody mount a file system of a file's (ext4)";

}  // namespace penstock
