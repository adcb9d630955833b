#pragma once

#include <cstdint>

namespace penstock {

/// What becomes of rows for which functions fail.
enum class ErrorPolicy : uint8_t {
  kRaise,       // The job ends with the error.
  kDeadLetter,  // They are left out, and put on record beside the output.
  kDrop,        // They are left out.
};

/// What becomes of them, and how many there may be before the job ends with the last error.
struct ErrorOptions {
  ErrorPolicy on_error = ErrorPolicy::kRaise;
  int64_t max_errors = -1;           // Rows; -1: no limit.
  int64_t max_errored_batches = -1;  // Batches that they are in; -1: no limit.
  double max_error_share = 1;        // Of the stage's rows.

  bool leave_rows_out() const { return on_error != ErrorPolicy::kRaise; }

  bool operator==(const ErrorOptions&) const = default;
};

}  // namespace penstock
