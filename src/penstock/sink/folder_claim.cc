#include "penstock/sink/folder_claim.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "penstock/base/system_failure.h"

namespace penstock {
namespace {

namespace files = std::filesystem;

constexpr std::string_view kLockSuffix = ".lock";
constexpr size_t kWriteNameLength = 32;

/// Returns the write whose lock a file is by its name; empty for any other file.
std::string_view WriteNameOf(std::string_view file) {
  if (!file.starts_with('.') || !file.ends_with(kLockSuffix)) return {};
  const std::string_view name = file.substr(1, file.size() - 1 - kLockSuffix.size());
  constexpr std::string_view kDigits = "0123456789abcdef";
  const bool is_write =
      name.size() == kWriteNameLength && name.find_first_not_of(kDigits) == std::string_view::npos;
  return is_write ? name : std::string_view();
}

std::vector<std::string> NamesIn(const files::path& folder) {
  std::vector<std::string> names;
  std::error_code error;
  files::directory_iterator entry(folder, error);
  for (; !error && entry != files::directory_iterator(); entry.increment(error)) {
    names.push_back(entry->path().filename());
  }
  return names;
}

/// Locks at once or not at all. The file may have been removed by whoever held it before.
bool Lock(int descriptor) {
  struct stat held{};
  return flock(descriptor, LOCK_EX | LOCK_NB) == 0 && fstat(descriptor, &held) == 0 &&
         held.st_nlink > 0;
}

}  // namespace

std::string TemporaryPrefix(const std::string& write_name) {
  return fmt::format(".{}_", write_name);
}

Status FolderClaim::Take(const files::path& folder, const std::string& write_name) {
  path_ = folder / fmt::format(".{}{}", write_name, kLockSuffix);
  while (true) {
    const int descriptor = open(path_.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0666);
    if (descriptor < 0) return SystemFailure(errno, "create", path_);
    // Whoever looks at a lock that is not held yet takes it for a moment, and removes the file.
    const int error = flock(descriptor, LOCK_EX) == 0 ? 0 : errno;
    struct stat held{};
    if (error == 0 && fstat(descriptor, &held) == 0 && held.st_nlink > 0) {
      descriptor_ = descriptor;
      return Status::OK();
    }
    close(descriptor);
    if (error != 0 && error != EINTR) {
      unlink(path_.c_str());
      return Status::OK();
    }
  }
}

void FolderClaim::Release() {
  const int descriptor = std::exchange(descriptor_, -1);
  if (descriptor < 0) return;
  unlink(path_.c_str());
  flock(descriptor, LOCK_UN);  // A fork of this process may have the descriptor too.
  close(descriptor);
}

void RemoveLeftovers(const files::path& folder, const std::string& own_write_name) {
  const std::vector<std::string> names = NamesIn(folder);
  for (const std::string& lock : names) {
    const std::string write_name(WriteNameOf(lock));
    if (write_name.empty() || write_name == own_write_name) continue;
    const int descriptor = open((folder / lock).c_str(), O_WRONLY | O_CLOEXEC);
    if (descriptor < 0) continue;
    if (Lock(descriptor)) {
      for (const std::string& name : names) {
        if (name.starts_with(TemporaryPrefix(write_name)) && name.ends_with(kTemporarySuffix)) {
          unlink((folder / name).c_str());
        }
      }
      unlink((folder / lock).c_str());
    }
    close(descriptor);
  }
}

}  // namespace penstock
