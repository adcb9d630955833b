#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "penstock/base/status.h"

namespace penstock {

/// Says what kind of failure a Status tells of, where the status code alone is too coarse.
enum class ErrorKind : uint8_t {
  kMissingPath,     // A path that was to be read does not exist.
  kCorruptData,     // A file's bytes are not what its format demands.
  kSchemaMismatch,  // Blocks that must share one schema do not.
  kUserFunction,    // The user's function raised; the payload is what the worker packed of it.
  kBadReturn,       // The user's function returned what cannot become columns.
  kWorkerDied,      // A worker process ended while it held work.
  kBudgetTooSmall,  // One batch alone does not fit the byte budget.
  kNoProgress,      // Nothing has happened for longer than the job may wait.
  kUnplaceable,     // A stage asks for resources that this machine does not have.
  kCancelled,       // The caller stopped the job.
  kAccessDenied,    // A remote file system wants other credentials.
  kUnreachable,     // A remote file system does not answer, or breaks off.
  kRemoteFailure,   // A remote file system refuses for another reason.
  kDrained,         // The job was asked to stop, and can go on from what it has committed.
  kOutputTaken,     // Another run writes the same output.
  kJobChanged,      // The output is of another job than the one that was to go on.
};

/// Rides on a Status: the kind, and for kUserFunction the packed exception (opaque bytes).
class ErrorDetail final : public arrow::StatusDetail {
 public:
  explicit ErrorDetail(ErrorKind kind, std::string payload = "")
      : kind_(kind), payload_(std::move(payload)) {}

  const char* type_id() const override { return "penstock::ErrorDetail"; }
  std::string ToString() const override { return ""; }
  ErrorKind kind() const { return kind_; }
  const std::string& payload() const { return payload_; }

 private:
  const ErrorKind kind_;
  const std::string payload_;
};

/// Makes a Status with a kind. The code follows from the kind (IOError for paths, corrupt data and
/// remote file systems, OutOfMemory for the budget, Cancelled, else Invalid or ExecutionError).
Status MakeError(ErrorKind kind, std::string message, std::string payload = "");

/// Returns the detail of `status`, or nullptr when it has none of ours.
const ErrorDetail* DetailOf(const Status& status);

}  // namespace penstock
