#include "penstock/ledger/small_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <string_view>
#include <utility>

#include "penstock/base/crc32c.h"
#include "penstock/base/descriptor.h"
#include "penstock/base/local_files.h"
#include "penstock/base/system_failure.h"

namespace penstock {
namespace {

constexpr std::string_view kChecksumLine = "\ncrc32c:";

Status WriteTemporary(const std::string& path, const std::string& text) {
  const OwnedDescriptor file(open(path.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0666));
  if (file.get() < 0) return SystemFailure(errno, "create", path);
  PENSTOCK_RETURN_NOT_OK(WriteAll(file.get(), text, path));
  return fsync(file.get()) == 0 ? Status::OK() : SystemFailure(errno, "make durable", path);
}

/// Gives the file its name where that is free, or is known to be taken by the same file: a
/// network may carry out twice what was asked for once.
Result<bool> Link(const std::string& temporary, const std::string& path, const std::string& text) {
  if (link(temporary.c_str(), path.c_str()) == 0) return true;
  const bool knows_no_links = errno == EPERM || errno == ENOTSUP || errno == ENOSYS;
  if (knows_no_links &&
      renameat2(AT_FDCWD, temporary.c_str(), AT_FDCWD, path.c_str(), RENAME_NOREPLACE) == 0) {
    return true;
  }
  if (errno != EEXIST) return SystemFailure(errno, "add an entry to the log", path);
  PENSTOCK_TRY(const std::string there, ReadSmallFile(path));
  return there == text;
}

}  // namespace

Status WriteAll(int descriptor, std::string_view bytes, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t written = write(descriptor, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return SystemFailure(errno, "write", path);
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return Status::OK();
}

Result<std::string> ReadSmallFile(const std::string& path) {
  const OwnedDescriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) return SystemFailure(errno, "read", path);
  std::string text;
  char piece[16 * 1024];
  while (true) {
    const ssize_t bytes = read(file.get(), piece, sizeof piece);
    if (bytes < 0 && errno == EINTR) continue;
    if (bytes < 0) return SystemFailure(errno, "read", path);
    if (bytes == 0) return text;
    text.append(piece, static_cast<size_t>(bytes));
  }
}

Status MakeFolder(const std::string& path) {
  if (mkdir(path.c_str(), 0777) == 0) {
    return SyncFolder(std::filesystem::path(path).parent_path());
  }
  return errno == EEXIST ? Status::OK() : SystemFailure(errno, "make the folder", path);
}

Result<bool> PutSmallFile(const std::string& folder, const std::string& name,
                          const std::string& text, uint32_t draw) {
  const std::string path = fmt::format("{}/{}", folder, name);
  const std::string temporary = fmt::format("{}/.{}.{:08x}", folder, name, draw);
  const Status written = WriteTemporary(temporary, text);
  Result<bool> put = written.ok() ? Link(temporary, path, text) : written;
  unlink(temporary.c_str());
  if (put.ok() && *put) PENSTOCK_RETURN_NOT_OK(SyncFolder(folder));
  return put;
}

std::string WithChecksum(std::string body) {
  const uint32_t checksum = Crc32c(body);
  return fmt::format("{}{}{:08x}\n", std::move(body), kChecksumLine, checksum);
}

Result<std::string> CheckedBody(const std::string& text) {
  const size_t end = text.rfind(kChecksumLine);
  if (end == std::string::npos) return Status::Invalid("it has no checksum");
  std::string body = text.substr(0, end);
  if (WithChecksum(body) != text) return Status::Invalid("its checksum is another");
  return body;
}

}  // namespace penstock
