#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "penstock/base/status.h"
#include "penstock/plan/error_options.h"
#include "penstock/plan/retry_options.h"

namespace penstock {

/// Batches of rows of like length, so that little of a batch is padding. The rows of a window are
/// sorted by length, cut into batches, and put back into their order behind the stage.
struct LengthGrouping {
  std::string column;             // Text, binary, a list, or an integer that is the length itself.
  bool drops_column = false;      // It was made for this alone: the function does not see it.
  int64_t window_rows = 0;        // Rows sorted at once; 0: chosen from the batch size.
  int64_t padded_length_max = 0;  // A batch's rows times its longest, at most; 0: no limit.

  bool operator==(const LengthGrouping&) const = default;
};

/// How a stage of functions is run.
struct WorkerOptions {
  bool stateful = false;              // A class: built once a worker.
  std::optional<int64_t> batch_rows;  // Absent: whole blocks.
  bool grows_batches = false;         // Batches grow from small by measured time and bytes.
  std::optional<LengthGrouping> by_length;

  int workers_min = 0;      // 0: as many as the machine has processors.
  int workers_max = 0;      // 0: likewise, or as the others ask for, where that is more.
  int workers_initial = 0;  // 0: workers_max, as far as the machine's processors go.
  int in_flight_per_worker = 2;
  bool threads = false;       // The workers are threads of one process and share its functions.
  bool shares_model = false;  // The functions are built once, and the workers forked from that.
  std::vector<std::string> environment;  // "NAME=value", beside the engine's own.

  // What one worker asks for of the machine.
  std::optional<double> processors;  // Where the user said so.
  double gpus = 0;
  int64_t memory_bytes = 0;
  nlohmann::json resources = nlohmann::json::object();  // Of the job's own, by name.

  // What becomes of workers that fail, and of those that grow old.
  int max_restarts = -1;         // Of the stage's workers together; -1: no limit.
  int max_task_retries = 3;      // Of a batch whose worker died under it; -1: no limit.
  RetryOptions retries;          // By cause.
  int max_build_tries = 1;       // Of a class whose constructor raises.
  int64_t batch_timeout_ms = 0;  // A worker busy with one batch for longer is killed; 0: never.
  int64_t max_batches_per_worker = 0;  // Then a fresh worker takes its place; 0: never.
  int64_t max_worker_bytes = 0;        // So large after a batch, likewise; 0: never.

  ErrorOptions errors;

  bool operator==(const WorkerOptions&) const = default;
};

/// Checks the fields; Invalid naming the field, what it must be and what it is.
Status CheckErrorOptions(const ErrorOptions& errors);

/// Checks the fields; Invalid naming the field, what it must be and what it is.
Status CheckWorkerOptions(const WorkerOptions& options);

nlohmann::json WorkerOptionsToJson(const WorkerOptions& options);

/// Absent fields keep their defaults; Invalid for those of the wrong type.
Result<WorkerOptions> WorkerOptionsFromJson(const nlohmann::json& json);

}  // namespace penstock
