#include "fault/fault_calls.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <string_view>

namespace penstock {
namespace {

constexpr size_t kDescriptorsMax = 4096;

char folder[4096] = "";
Fault armed;
std::array<std::atomic<bool>, kDescriptorsMax> watched;

char entries_of[4096] = "";
thread_local bool renames = false;  // The call that is made now does.

struct Shared {
  std::atomic<int64_t> calls;
  std::atomic<int64_t> entries;
};

/// Shared with forked processes, so that the counts of one that was killed are not lost.
Shared& Counts() {
  static auto* const counts = static_cast<Shared*>(
      mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  return *counts;
}
std::atomic<int64_t>& Counter() { return Counts().calls; }

/// Stops the file system that the folder is on, without writing what is still in memory.
void CutPower() {
  int64_t entries = renames ? 0 : -1;
  if (DIR* const log = opendir(entries_of)) {
    while (const dirent* const entry = readdir(log)) entries += entry->d_name[0] == '.' ? 0 : 1;
    closedir(log);
  }
  Counts().entries = entries;
  constexpr unsigned long kShutdown = _IOR('X', 125, uint32_t);
  uint32_t without_flush = 2;
  const std::string root = std::string(folder).substr(0, std::string_view(folder).rfind('/'));
  const auto descriptor = static_cast<int>(
      syscall(SYS_openat, AT_FDCWD, root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0));
  if (ioctl(descriptor, kShutdown, &without_flush) != 0) _exit(4);
  syscall(SYS_kill, getpid(), SIGKILL);
}

bool IsInFolder(const char* path) {
  const size_t length = std::strlen(folder);
  return length > 0 && path != nullptr && std::strncmp(path, folder, length) == 0;
}

bool IsWatched(int descriptor) {
  return folder[0] != '\0' && descriptor >= 0 &&
         static_cast<size_t>(descriptor) < kDescriptorsMax &&
         watched[static_cast<size_t>(descriptor)];
}

enum class Verdict : uint8_t { kGoOn, kFail, kShort };

/// Counts a call, and says what is to become of it.
Verdict Meet(bool changes_the_folder) {
  if (!changes_the_folder) return Verdict::kGoOn;
  const int64_t number = Counter()++;
  const bool is_here = number == armed.at;
  const bool is_past = armed.kind == FaultKind::kFailOnward && number > armed.at;
  if (!is_here && !is_past) return Verdict::kGoOn;
  switch (armed.kind) {
    case FaultKind::kNone:
      return Verdict::kGoOn;
    case FaultKind::kKill:
      syscall(SYS_kill, getpid(), SIGKILL);
      return Verdict::kGoOn;
    case FaultKind::kPowerCut:
      CutPower();
      return Verdict::kGoOn;
    case FaultKind::kFail:
    case FaultKind::kFailOnward:
      errno = armed.error;
      return Verdict::kFail;
    case FaultKind::kShortWrite:
      return Verdict::kShort;
  }
  return Verdict::kGoOn;
}

template <typename... Arguments>
long Carry(bool changes_the_folder, long number, Arguments... arguments) {
  if (Meet(changes_the_folder) == Verdict::kFail) return -1;
  return syscall(number, arguments...);
}

int Open(const char* path, int flags, mode_t mode) {
  const bool makes = (flags & (O_CREAT | O_TRUNC)) != 0;
  const bool inside = IsInFolder(path);
  const auto descriptor =
      static_cast<int>(Carry(makes && inside, SYS_openat, AT_FDCWD, path, flags, mode));
  if (descriptor >= 0 && static_cast<size_t>(descriptor) < kDescriptorsMax) {
    watched[static_cast<size_t>(descriptor)] = inside;
  }
  return descriptor;
}

}  // namespace

void ArmFault(const std::string& watched_folder, const Fault& fault) {
  Counter() = 0;
  armed = fault;
  std::snprintf(folder, sizeof folder, "%s", watched_folder.c_str());
}

void CountEntriesOf(const std::string& log) {
  Counts().entries = 0;
  std::snprintf(entries_of, sizeof entries_of, "%s", log.c_str());
}

int64_t EntriesOnRecordBeforeCut() { return Counts().entries; }

int64_t TakeCallsCounted() { return Counter().exchange(0); }

}  // namespace penstock

// The C library's functions, as this whole program has them.
extern "C" {

using penstock::Carry;
using penstock::IsInFolder;
using penstock::IsWatched;
using penstock::Meet;
using penstock::Verdict;

int open(const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const auto mode = static_cast<mode_t>(va_arg(arguments, int));
  va_end(arguments);
  return penstock::Open(path, flags, mode);
}

int open64(const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const auto mode = static_cast<mode_t>(va_arg(arguments, int));
  va_end(arguments);
  return penstock::Open(path, flags, mode);
}

ssize_t write(int descriptor, const void* bytes, size_t count) {
  const Verdict verdict = Meet(IsWatched(descriptor));
  if (verdict == Verdict::kFail) return -1;
  const bool is_short = verdict == Verdict::kShort && count > 1;
  return syscall(SYS_write, descriptor, bytes, is_short ? count / 2 : count);
}

ssize_t pwrite(int descriptor, const void* bytes, size_t count, off_t offset) {
  const Verdict verdict = Meet(IsWatched(descriptor));
  if (verdict == Verdict::kFail) return -1;
  const bool is_short = verdict == Verdict::kShort && count > 1;
  return syscall(SYS_pwrite64, descriptor, bytes, is_short ? count / 2 : count, offset);
}

int fsync(int descriptor) {
  return static_cast<int>(Carry(IsWatched(descriptor), SYS_fsync, descriptor));
}
int fdatasync(int descriptor) {
  return static_cast<int>(Carry(IsWatched(descriptor), SYS_fdatasync, descriptor));
}
int ftruncate(int descriptor, off_t length) noexcept {
  return static_cast<int>(Carry(IsWatched(descriptor), SYS_ftruncate, descriptor, length));
}
int rename(const char* from, const char* to) noexcept {
  penstock::renames = IsInFolder(to);
  const auto done = static_cast<int>(Carry(IsInFolder(to), SYS_rename, from, to));
  penstock::renames = false;
  return done;
}
int renameat2(int from_folder, const char* from, int to_folder, const char* to,
              unsigned int flags) noexcept {
  return static_cast<int>(
      Carry(IsInFolder(to), SYS_renameat2, from_folder, from, to_folder, to, flags));
}
int link(const char* from, const char* to) noexcept {
  return static_cast<int>(Carry(IsInFolder(to), SYS_link, from, to));
}
int unlink(const char* path) noexcept {
  return static_cast<int>(Carry(IsInFolder(path), SYS_unlink, path));
}
int rmdir(const char* path) noexcept {
  return static_cast<int>(Carry(IsInFolder(path), SYS_rmdir, path));
}
int mkdir(const char* path, mode_t mode) noexcept {
  return static_cast<int>(Carry(IsInFolder(path), SYS_mkdir, path, mode));
}
int remove(const char* path) noexcept {
  if (Meet(IsInFolder(path)) == Verdict::kFail) return -1;
  if (syscall(SYS_unlink, path) == 0) return 0;
  return errno == EISDIR ? static_cast<int>(syscall(SYS_rmdir, path)) : -1;
}
}
