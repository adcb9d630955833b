#include "penstock/files/failure.h"

#include <arrow/util/io_util.h>
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <string_view>

#include "penstock/base/error.h"

namespace penstock {
namespace {

/// What Arrow's file systems, and the libraries below them, write of failures. S3 names its errors,
/// Google its status codes, and Azure's library the error of the service or of the connection.
constexpr std::string_view kDenied[] = {"AWS Error ACCESS_DENIED",
                                        "AWS Error INVALID_ACCESS_KEY_ID",
                                        "AWS Error INVALID_CLIENT",
                                        "AWS Error SIGNATURE_DOES_NOT_MATCH",
                                        "AWS Error UNRECOGNIZED",
                                        "AWS Error MISSING_AUTHENTICATION",
                                        "ExpiredToken",
                                        "(HTTP status 401)",
                                        "(HTTP status 403)",
                                        "Status(PERMISSION_DENIED",
                                        "Status(UNAUTHENTICATED",
                                        "Could not create a OAuth2 access token",
                                        "AuthenticationFailed",
                                        "AuthorizationFailure",
                                        "AuthorizationPermissionMismatch"};
constexpr std::string_view kMissing[] = {
    "AWS Error NO_SUCH_KEY", "AWS Error NO_SUCH_BUCKET", "AWS Error RESOURCE_NOT_FOUND",
    "(HTTP status 404)",     "Status(NOT_FOUND",         "ContainerNotFound",
    "BlobNotFound",          "Path does not exist",      "To create buckets, enable"};
constexpr std::string_view kTransient[] = {"AWS Error INTERNAL_FAILURE",
                                           "AWS Error NETWORK_CONNECTION",
                                           "AWS Error REQUEST_TIMEOUT",
                                           "AWS Error SERVICE_UNAVAILABLE",
                                           "AWS Error SLOW_DOWN",
                                           "AWS Error THROTTLING",
                                           "(HTTP status 429)",
                                           "(HTTP status 500)",
                                           "(HTTP status 502)",
                                           "(HTTP status 503)",
                                           "(HTTP status 504)",
                                           "Status(UNAVAILABLE",
                                           "Status(DEADLINE_EXCEEDED",
                                           "Status(INTERNAL",
                                           "Status(RESOURCE_EXHAUSTED",
                                           "ServerBusy",
                                           "OperationTimedOut",
                                           "Fail to get a new connection",
                                           "Error while polling for socket"};
constexpr int kTransientErrors[] = {
    EAGAIN,   ECONNABORTED, ECONNREFUSED, ECONNRESET, EHOSTDOWN, EHOSTUNREACH, EINTR,
    ENETDOWN, ENETRESET,    ENETUNREACH,  EPIPE,      EREMOTEIO, ETIMEDOUT};

template <typename Texts>
bool HasAny(const std::string& message, const Texts& texts) {
  return std::ranges::any_of(
      texts, [&message](const auto& text) { return message.find(text) != std::string::npos; });
}

FailureClass ClassOfError(int error) {
  if (error == ENOENT || error == ENOTDIR) return FailureClass::kMissing;
  if (error == EACCES || error == EPERM) return FailureClass::kDenied;
  return std::ranges::find(kTransientErrors, error) != std::end(kTransientErrors)
             ? FailureClass::kTransient
             : FailureClass::kLasting;
}

FailureClass ClassOfKind(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kMissingPath:
      return FailureClass::kMissing;
    case ErrorKind::kAccessDenied:
      return FailureClass::kDenied;
    case ErrorKind::kUnreachable:
      return FailureClass::kTransient;
    default:
      return FailureClass::kLasting;
  }
}

struct Told {
  ErrorKind kind;
  const char* advice;
};

Told ToldOf(FailureClass failure) {
  switch (failure) {
    case FailureClass::kMissing:
      return {ErrorKind::kMissingPath,
              "check the name of the bucket and of the file, and that it still is there"};
    case FailureClass::kDenied:
      return {ErrorKind::kAccessDenied,
              "give credentials that allow it, in the environment or with a file system "
              "(filesystem=), or read public data with anonymous=True there"};
    case FailureClass::kTransient:
      return {ErrorKind::kUnreachable,
              "check the network, the endpoint and that the server runs, and run it again"};
    case FailureClass::kLasting:
      break;
  }
  return {ErrorKind::kRemoteFailure, "check the path and the file system's options"};
}

}  // namespace

FailureClass ClassOf(const Status& status, const std::vector<std::string>& retried_errors) {
  const std::string& message = status.message();
  if (HasAny(message, retried_errors)) return FailureClass::kTransient;
  if (const ErrorDetail* detail = DetailOf(status)) return ClassOfKind(detail->kind());
  const int error = arrow::internal::ErrnoFromStatus(status);
  if (error != 0) return ClassOfError(error);
  if (!status.IsIOError() && !status.IsUnknownError()) return FailureClass::kLasting;
  if (HasAny(message, kDenied)) return FailureClass::kDenied;
  if (HasAny(message, kMissing)) return FailureClass::kMissing;
  return HasAny(message, kTransient) ? FailureClass::kTransient : FailureClass::kLasting;
}

Status RemoteFailure(const Status& status, FailureClass failure, const std::string& doing,
                     const std::string& path, int attempts) {
  const bool lasts = failure == FailureClass::kLasting;
  if (lasts && (status.IsNotImplemented() || status.IsOutOfMemory() || status.IsCancelled() ||
                status.IsAlreadyExists())) {
    return status.WithMessage("Cannot ", doing, ": ", status.message(), "; got: ", path);
  }
  const Told told = ToldOf(failure);
  const std::string tries = attempts > 1 ? fmt::format(" (tried {} times)", attempts) : "";
  return MakeError(told.kind, fmt::format("Cannot {}: {}{}; {}; got: {}", doing, status.message(),
                                          tries, told.advice, path));
}

}  // namespace penstock
