#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <vector>

#include "penstock/base/mutex.h"
#include "penstock/base/status.h"

namespace penstock {

/// The connections to a process that serves a file system. Threads: any.
class FileService {
 public:
  /// Takes the sockets over.
  explicit FileService(const std::vector<int>& sockets);
  ~FileService();
  FileService(const FileService&) = delete;
  FileService& operator=(const FileService&) = delete;

  /// Asks and waits for the answer; waits for a connection before, where all are in use. `sent`
  /// goes with the request; bytes that come with the answer are put into `room`, which must hold
  /// them. Errors are those of the other side, by kind, and kRemoteFailure when it has gone.
  Result<nlohmann::json> Ask(const nlohmann::json& request, std::string_view sent = {},
                             std::span<uint8_t> room = {});

 private:
  int Take();
  void PutBack(int socket, bool broken);

  Mutex mutex_;
  ConditionVariable changed_;
  std::vector<int> idle_ PENSTOCK_GUARDED_BY(mutex_);
  size_t alive_ PENSTOCK_GUARDED_BY(mutex_);
};

}  // namespace penstock
