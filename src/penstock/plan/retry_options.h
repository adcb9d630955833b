#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "penstock/base/status.h"

namespace penstock {

/// Exceptions after which a batch is run again, by the full names of their classes.
struct ExceptionRetries {
  std::string name;  // As errors say it.
  std::string exception_class;
  std::vector<std::string> but;  // Not these, though they are of that class.
  int retries = 0;               // -1: no limit.

  bool operator==(const ExceptionRetries&) const = default;
};

/// How often a batch is run again, by what ended it; -1: no limit.
struct RetryOptions {
  std::optional<int> crash;  // Absent: WorkerOptions::max_task_retries, as for the next two.
  std::optional<int> timeout;
  std::optional<int> out_of_memory;
  std::vector<ExceptionRetries> exceptions;
  int64_t wait_ms = 1000;  // Before the first run after an exception; then twice as long each time.
  int64_t wait_max_ms = 60'000;

  /// Of workers that somebody kills while they are built: so many in a row.
  int max_build_kills = 100;

  bool operator==(const RetryOptions&) const = default;
};

/// Checks the fields; Invalid naming the field, what it must be and what it is.
Status CheckRetryOptions(const RetryOptions& options);

nlohmann::json RetryOptionsToJson(const RetryOptions& options);

/// Absent fields keep their defaults; Invalid for those of the wrong type.
Result<RetryOptions> RetryOptionsFromJson(const nlohmann::json& json);

}  // namespace penstock
