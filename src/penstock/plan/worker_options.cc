#include "penstock/plan/worker_options.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>

#include "penstock/plan/at_least.h"
#include "penstock/plan/json_fields.h"

namespace penstock {
namespace {

using Json = nlohmann::json;

/// Calls `visit(name, field)` for each field that JSON holds as it is.
template <typename Options, typename Visit>
void VisitFields(Options& options, Visit visit) {
  visit("stateful", options.stateful);
  visit("grows_batches", options.grows_batches);
  visit("workers_min", options.workers_min);
  visit("workers_max", options.workers_max);
  visit("workers_initial", options.workers_initial);
  visit("in_flight_per_worker", options.in_flight_per_worker);
  visit("threads", options.threads);
  visit("shares_model", options.shares_model);
  visit("environment", options.environment);
  visit("gpus", options.gpus);
  visit("memory_bytes", options.memory_bytes);
  visit("resources", options.resources);
  visit("max_restarts", options.max_restarts);
  visit("max_task_retries", options.max_task_retries);
  visit("max_build_tries", options.max_build_tries);
  visit("batch_timeout_ms", options.batch_timeout_ms);
  visit("max_batches_per_worker", options.max_batches_per_worker);
  visit("max_worker_bytes", options.max_worker_bytes);
  visit("max_errors", options.errors.max_errors);
  visit("max_errored_batches", options.errors.max_errored_batches);
  visit("max_error_share", options.errors.max_error_share);
}

constexpr std::array<const char*, 3> kPolicyNames{"raise", "dead_letter", "drop"};

Status TakePolicy(const Json& json, ErrorPolicy& policy) {
  std::string name = kPolicyNames[0];
  PENSTOCK_RETURN_NOT_OK(Take(json, "on_error", name));
  const auto found = std::ranges::find(kPolicyNames, name);
  if (found == kPolicyNames.end()) {
    return Status::Invalid("on_error must be raise, dead_letter or drop; got: ", name);
  }
  policy = static_cast<ErrorPolicy>(found - kPolicyNames.begin());
  return Status::OK();
}

Status CheckErrors(const WorkerOptions& options) {
  PENSTOCK_RETURN_NOT_OK(CheckErrorOptions(options.errors));
  if (options.errors.leave_rows_out() && options.by_length) {
    return Status::Invalid(
        "by_length restores the order of all rows; leave out one of them: by_length, on_error");
  }
  return Status::OK();
}

template <typename Grouping, typename Visit>
void VisitGrouping(Grouping& grouping, Visit visit) {
  visit("column", grouping.column);
  visit("drops_column", grouping.drops_column);
  visit("window_rows", grouping.window_rows);
  visit("padded_length_max", grouping.padded_length_max);
}

Status CheckPool(const WorkerOptions& options) {
  PENSTOCK_RETURN_NOT_OK(AtLeast("workers_min", 0, options.workers_min));
  PENSTOCK_RETURN_NOT_OK(AtLeast("workers_max", 0, options.workers_max));
  PENSTOCK_RETURN_NOT_OK(AtLeast("workers_initial", 0, options.workers_initial));
  if (options.workers_max > 0) {
    PENSTOCK_RETURN_NOT_OK(AtLeast("workers_max", options.workers_min, options.workers_max));
    PENSTOCK_RETURN_NOT_OK(AtLeast("workers_max", options.workers_initial, options.workers_max));
  }
  if (options.workers_initial > 0) {
    PENSTOCK_RETURN_NOT_OK(
        AtLeast("workers_initial", options.workers_min, options.workers_initial));
  }
  if (options.threads && options.shares_model) {
    return Status::Invalid("threads share their functions already; leave out shares_model");
  }
  if (options.threads && (options.max_batches_per_worker > 0 || options.max_worker_bytes > 0)) {
    return Status::Invalid(
        "threads live as long as their process; leave out max_batches_per_worker and "
        "max_worker_bytes");
  }
  return AtLeast("in_flight_per_worker", 1, options.in_flight_per_worker);
}

Status CheckGrouping(const LengthGrouping& grouping) {
  if (grouping.column.empty()) return Status::Invalid("by_length must name a column");
  PENSTOCK_RETURN_NOT_OK(AtLeast<int64_t>("window_rows", 0, grouping.window_rows));
  return AtLeast<int64_t>("padded_length_max", 0, grouping.padded_length_max);
}

Status CheckBatches(const WorkerOptions& options) {
  PENSTOCK_RETURN_NOT_OK(AtLeast<int64_t>("batch_rows", 1, options.batch_rows));
  if (!options.by_length) return Status::OK();
  PENSTOCK_RETURN_NOT_OK(CheckGrouping(*options.by_length));
  if (options.grows_batches) return Status::Invalid("by_length leaves no room for grows_batches");
  if (options.batch_rows || options.by_length->padded_length_max > 0) return Status::OK();
  return Status::Invalid("by_length needs batch_rows or padded_length_max");
}

}  // namespace

Status CheckErrorOptions(const ErrorOptions& errors) {
  PENSTOCK_RETURN_NOT_OK(AtLeast<int64_t>("max_errors", -1, errors.max_errors));
  PENSTOCK_RETURN_NOT_OK(AtLeast<int64_t>("max_errored_batches", -1, errors.max_errored_batches));
  if (errors.max_error_share >= 0 && errors.max_error_share <= 1) return Status::OK();
  return Status::Invalid("max_error_share must lie between 0 and 1; got: ", errors.max_error_share);
}

Status CheckWorkerOptions(const WorkerOptions& options) {
  PENSTOCK_RETURN_NOT_OK(CheckBatches(options));
  PENSTOCK_RETURN_NOT_OK(CheckPool(options));
  PENSTOCK_RETURN_NOT_OK(CheckErrors(options));
  PENSTOCK_RETURN_NOT_OK(AtLeast("processors", 0.0, options.processors));
  PENSTOCK_RETURN_NOT_OK(AtLeast("gpus", 0.0, options.gpus));
  if (options.gpus > 1 && options.gpus != std::floor(options.gpus)) {
    return Status::Invalid("gpus must be whole above 1: ", options.gpus);
  }
  PENSTOCK_RETURN_NOT_OK(AtLeast<int64_t>("memory_bytes", 0, options.memory_bytes));
  if (!options.resources.is_object()) return Status::Invalid("resources must be an object");
  for (const auto& [name, amount] : options.resources.items()) {
    if (!amount.is_number() || amount.get<double>() < 0) {
      return Status::Invalid("resources must hold numbers of at least 0: '", name, "'");
    }
  }
  PENSTOCK_RETURN_NOT_OK(AtLeast("max_restarts", -1, options.max_restarts));
  PENSTOCK_RETURN_NOT_OK(AtLeast("max_task_retries", -1, options.max_task_retries));
  PENSTOCK_RETURN_NOT_OK(CheckRetryOptions(options.retries));
  PENSTOCK_RETURN_NOT_OK(AtLeast("max_build_tries", 1, options.max_build_tries));
  PENSTOCK_RETURN_NOT_OK(AtLeast<int64_t>("batch_timeout_ms", 0, options.batch_timeout_ms));
  PENSTOCK_RETURN_NOT_OK(
      AtLeast<int64_t>("max_batches_per_worker", 0, options.max_batches_per_worker));
  return AtLeast<int64_t>("max_worker_bytes", 0, options.max_worker_bytes);
}

Json WorkerOptionsToJson(const WorkerOptions& options) {
  Json json = Json::object();
  VisitFields(options, [&json](const char* name, const auto& field) { json[name] = field; });
  json["on_error"] = kPolicyNames.at(static_cast<size_t>(options.errors.on_error));
  PutOptional(json, "batch_rows", options.batch_rows);
  PutOptional(json, "processors", options.processors);
  if (options.retries != RetryOptions{}) json["retries"] = RetryOptionsToJson(options.retries);
  if (options.by_length) {
    Json& grouping = json["by_length"] = Json::object();
    VisitGrouping(*options.by_length,
                  [&grouping](const char* name, const auto& field) { grouping[name] = field; });
  }
  return json;
}

Result<WorkerOptions> WorkerOptionsFromJson(const Json& json) {
  WorkerOptions options;
  Status status;
  const auto take_from = [&status](const Json& from) {
    return [&status, &from](const char* name, auto& field) {
      if (status.ok()) status = Take(from, name, field);
    };
  };
  VisitFields(options, take_from(json));
  take_from(json)("batch_rows", options.batch_rows);
  take_from(json)("processors", options.processors);
  std::optional<Json> retries;
  take_from(json)("retries", retries);
  std::optional<Json> grouping;
  take_from(json)("by_length", grouping);
  if (grouping) VisitGrouping(options.by_length.emplace(), take_from(*grouping));
  PENSTOCK_RETURN_NOT_OK(status);
  if (retries) {
    PENSTOCK_TRY(options.retries, RetryOptionsFromJson(*retries));
  }
  PENSTOCK_RETURN_NOT_OK(TakePolicy(json, options.errors.on_error));
  return options;
}

}  // namespace penstock
