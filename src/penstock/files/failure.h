#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "penstock/base/status.h"

namespace penstock {

/// What a failed operation on a file system other than this machine's tells.
enum class FailureClass : uint8_t {
  kTransient,  // The same again may succeed: the network, an overloaded server.
  kMissing,    // There is no such file, folder or bucket.
  kDenied,     // The credentials are missing, wrong or not enough.
  kLasting,    // Anything else; trying again is of no use.
};

/// Decides which failures are worth another attempt, and what the others are: by the system's
/// error number, the kind of our own errors, and what the stores' libraries write in their
/// messages. What contains one of `retried_errors` is transient.
FailureClass ClassOf(const Status& status, const std::vector<std::string>& retried_errors);

/// Says what could not be done, why, what to do about it, and the path last: kMissingPath,
/// kAccessDenied, kUnreachable or kRemoteFailure. What is no IOError or has a kind that says as
/// much keeps its own.
Status RemoteFailure(const Status& status, FailureClass failure, const std::string& doing,
                     const std::string& path, int attempts);

}  // namespace penstock
