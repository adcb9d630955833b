#pragma once

#include <arrow/record_batch.h>
#include <arrow/result.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace penstock {

/// Takes a batch, returns what becomes of it: any number of rows, any columns. The batch is never
/// null and must not be changed in place: its memory may be shared with other batches. What is
/// returned must not be null nor change later; it may share memory with the batch.
using BatchFunction = std::function<arrow::Result<std::shared_ptr<arrow::RecordBatch>>(
    const std::shared_ptr<arrow::RecordBatch>&)>;

/// What becomes of rows for which a function fails. A batch that fails is run again in halves until
/// those rows stand alone; what the function returns for a row must not depend on the others. How
/// many were left out is told on the standard error at the end of the run.
enum class OnError : uint8_t {
  kRaise,       // The job ends with the error.
  kDeadLetter,  // They are left out, and written to `_penstock/dead_letters` beside the output;
                // where nothing is written, as kDrop.
  kDrop,        // They are left out.
};

/// How a function is run.
struct MapOptions {
  std::string name = "function";        // As shown in Explain and errors.
  std::optional<int64_t> batch_rows{};  // Rows of a batch, at least 1; absent: whole blocks.
  int threads = 0;                      // Batches at once, at least 0; 0: one a processor.
  bool keeps_rows = false;              // Promised: one row out for one row in, in order. Checked.
  OnError on_error = OnError::kRaise;   // What becomes of rows for which it fails.
  int64_t max_errors = -1;   // Rows that may be left out before the job ends; -1: no limit.
  std::string version = "";  // Changes with what the function does; WriteMode::kResume needs it.
};

}  // namespace penstock
