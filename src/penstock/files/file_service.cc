#include "penstock/files/file_service.h"

#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <bit>
#include <cerrno>
#include <cstring>
#include <optional>

#include "penstock/base/error.h"

namespace penstock {
namespace {

using Json = nlohmann::json;

static_assert(std::endian::native == std::endian::little, "Frames have the machine's byte order");

constexpr int kAnswerSecondsMax = 300;
constexpr uint64_t kHeaderBytesMax = uint64_t{1} << 30;

/// Before each frame: the bytes of its JSON, and of what follows that.
struct FrameSizes {
  uint64_t json = 0;
  uint64_t bytes = 0;
};

Status Gone() {
  return MakeError(ErrorKind::kRemoteFailure,
                   "the process that runs the file system's Python code has ended, or has not "
                   "answered for five minutes");
}

bool SendAll(int socket, const void* data, size_t size) {
  const auto* next = static_cast<const uint8_t*>(data);
  while (size > 0) {
    const ssize_t sent = send(socket, next, size, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) return false;
    next += sent;
    size -= static_cast<size_t>(sent);
  }
  return true;
}

bool ReceiveAll(int socket, void* data, size_t size) {
  auto* next = static_cast<uint8_t*>(data);
  while (size > 0) {
    const ssize_t came = recv(socket, next, size, 0);
    if (came < 0 && errno == EINTR) continue;
    if (came <= 0) return false;
    next += came;
    size -= static_cast<size_t>(came);
  }
  return true;
}

/// Returns the answer's JSON; nothing when the connection is of no more use.
std::optional<Json> Exchange(int socket, const std::string& request, std::string_view sent,
                             std::span<uint8_t> room) {
  const FrameSizes asked{.json = request.size(), .bytes = sent.size()};
  if (!SendAll(socket, &asked, sizeof(asked)) || !SendAll(socket, request.data(), request.size()) ||
      !SendAll(socket, sent.data(), sent.size())) {
    return std::nullopt;
  }
  FrameSizes answered;
  if (!ReceiveAll(socket, &answered, sizeof(answered)) || answered.json > kHeaderBytesMax ||
      answered.bytes > room.size()) {
    return std::nullopt;
  }
  std::string text(answered.json, '\0');
  if (!ReceiveAll(socket, text.data(), text.size()) ||
      !ReceiveAll(socket, room.data(), answered.bytes)) {
    return std::nullopt;
  }
  Json answer = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!answer.is_object()) return std::nullopt;
  answer["bytes"] = answered.bytes;
  return answer;
}

Status FailureIn(const Json& answer) {
  const std::string message = answer.value("message", "");
  const std::string kind = answer.value("error", "");
  if (kind == "missing") return MakeError(ErrorKind::kMissingPath, message);
  if (kind == "denied") return MakeError(ErrorKind::kAccessDenied, message);
  if (kind == "unreachable") return MakeError(ErrorKind::kUnreachable, message);
  if (kind == "unsupported") return Status::NotImplemented(message);
  if (kind == "memory") return Status::OutOfMemory(message);
  return MakeError(ErrorKind::kRemoteFailure, message);
}

}  // namespace

FileService::FileService(const std::vector<int>& sockets) : idle_(sockets), alive_(sockets.size()) {
  const timeval longest{.tv_sec = kAnswerSecondsMax, .tv_usec = 0};
  for (const int socket : sockets) {
    setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &longest, sizeof(longest));
    setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &longest, sizeof(longest));
  }
}

FileService::~FileService() {
  for (const int socket : idle_) close(socket);
}

Result<Json> FileService::Ask(const Json& request, std::string_view sent, std::span<uint8_t> room) {
  const int socket = Take();
  if (socket < 0) return Gone();
  const std::string text = request.dump(-1, ' ', false, Json::error_handler_t::replace);
  const auto answer = Exchange(socket, text, sent, room);
  PutBack(socket, /*broken=*/!answer.has_value());
  if (!answer) return Gone();
  if (answer->contains("error")) return FailureIn(*answer);
  return *answer;
}

/// Returns a connection that nobody uses; -1 where none is left.
int FileService::Take() {
  MutexLock lock(mutex_);
  while (idle_.empty() && alive_ > 0) changed_.Wait(mutex_);
  if (alive_ == 0) return -1;
  const int socket = idle_.back();
  idle_.pop_back();
  return socket;
}

void FileService::PutBack(int socket, bool broken) {
  MutexLock lock(mutex_);
  if (broken) {
    close(socket);
    --alive_;
    changed_.NotifyAll();
    return;
  }
  idle_.push_back(socket);
  changed_.NotifyOne();
}

}  // namespace penstock
