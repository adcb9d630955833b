#include "penstock/base/error.h"

#include <utility>

namespace penstock {
namespace {

arrow::StatusCode CodeOf(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kMissingPath:
    case ErrorKind::kCorruptData:
    case ErrorKind::kAccessDenied:
    case ErrorKind::kUnreachable:
    case ErrorKind::kRemoteFailure:
      return arrow::StatusCode::IOError;
    case ErrorKind::kBudgetTooSmall:
      return arrow::StatusCode::OutOfMemory;
    case ErrorKind::kCancelled:
    case ErrorKind::kDrained:
      return arrow::StatusCode::Cancelled;
    case ErrorKind::kUserFunction:
    case ErrorKind::kWorkerDied:
    case ErrorKind::kNoProgress:
      return arrow::StatusCode::ExecutionError;
    case ErrorKind::kSchemaMismatch:
    case ErrorKind::kBadReturn:
    case ErrorKind::kUnplaceable:
    case ErrorKind::kOutputTaken:
    case ErrorKind::kJobChanged:
      return arrow::StatusCode::Invalid;
  }
  return arrow::StatusCode::UnknownError;
}

}  // namespace

Status MakeError(ErrorKind kind, std::string message, std::string payload) {
  return Status(CodeOf(kind), std::move(message),
                std::make_shared<ErrorDetail>(kind, std::move(payload)));
}

const ErrorDetail* DetailOf(const Status& status) {
  return dynamic_cast<const ErrorDetail*>(status.detail().get());
}

}  // namespace penstock
