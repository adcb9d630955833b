#pragma once

#include <arrow/record_batch.h>

#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "penstock/base/status.h"

namespace penstock {

/// Where rows come from. `kind` names a reader (source/registry.h); `options` are that reader's
/// own. The other fields are what the rewrite rules push down into any reader.
struct ReadOp {
  std::string kind;
  nlohmann::json options = nlohmann::json::object();
  std::vector<std::shared_ptr<arrow::RecordBatch>> batches;  // For kind "memory" only.
  std::optional<std::vector<std::string>> columns;           // Only these, in this order.
  std::optional<nlohmann::json> filter;                      // expression.h; a hint where inexact.
  std::optional<int64_t> row_limit;                          // Rows beyond it need not be read.
  std::optional<int64_t> splits;                             // Wish of repartition or the user.
};

/// What a function sees and returns.
enum class FunctionKind : uint8_t {
  kBatches,    // A batch to a batch, or to several (generator).
  kRow,        // A row to a row.
  kFlatRow,    // A row to any number of rows.
  kFilterRow,  // A row to whether it stays.
};

/// One function of the user. `payload` is opaque to the core: the worker's side unpacks it.
struct FunctionSpec {
  std::string name;  // As shown in explain(), stats() and errors.
  FunctionKind kind = FunctionKind::kBatches;
  std::string payload;
  bool keeps_rows = false;  // Promised to be one row out for one row in, in order.
};

/// How a stage of functions is run.
struct WorkerOptions {
  bool stateful = false;              // A class: built once a worker.
  std::optional<int64_t> batch_rows;  // Absent: whole blocks.
  int workers_min = 0;                // 0: as many as the machine has processors.
  int workers_max = 0;
  int in_flight_per_worker = 2;
  std::optional<double> processors;  // Per worker, where the user said so.
  double gpus = 0;
  nlohmann::json resources = nlohmann::json::object();  // Other limits a worker asks for.

  bool operator==(const WorkerOptions&) const = default;
};

struct FunctionsOp {
  std::vector<FunctionSpec> functions;  // Run one after the other in one worker.
  WorkerOptions options;
};

/// Chooses, orders and renames columns: pairs of (name in the input, name in the output).
struct ProjectOp {
  std::vector<std::pair<std::string, std::string>> columns;
};
/// Removes columns by name; all must exist.
struct DropOp {
  std::vector<std::string> columns;
};
/// Renames columns by name, (from, to); the others and the order stay. All `from` must exist.
struct RenameOp {
  std::vector<std::pair<std::string, std::string>> columns;
};
/// Keeps the rows for which the expression is true (null counts as false).
struct FilterOp {
  nlohmann::json expression;
};
/// Keeps the first rows, in order.
struct LimitOp {
  int64_t rows = 0;
};
/// Cuts the rows into blocks anew; exactly one of the two is set. With `blocks`, their sizes
/// differ by at most one row.
struct RepartitionOp {
  std::optional<int64_t> blocks;
  std::optional<int64_t> rows_per_block;
};
/// Writes part files. `kind` names a writer (sink/registry.h); `options` are its own, among them
/// "path". Must be the last operator.
struct WriteOp {
  std::string kind;
  nlohmann::json options = nlohmann::json::object();
};

using LogicalOp = std::variant<ReadOp, FunctionsOp, ProjectOp, DropOp, RenameOp, FilterOp, LimitOp,
                               RepartitionOp, WriteOp>;

/// A plan as data: operators in the way of the rows, the first a ReadOp. Immutable once shared;
/// extending it makes a new one. (Operators with several inputs will make this a tree: only
/// rules and the planner look at the order, through inputs of index - 1.)
struct LogicalPlan {
  std::vector<LogicalOp> ops;
};

/// Returns `Read(parquet)`, `MapBatches(Model)`, … as explain() and stats() show them.
std::string OpName(const LogicalOp& op);

/// Checks the order of operators and their fields; Invalid naming operator and field.
Status ValidatePlan(const LogicalPlan& plan);

/// Serialises all but in-memory batches (NotImplemented for those). Payloads are base64.
Result<nlohmann::json> PlanToJson(const LogicalPlan& plan);
Result<LogicalPlan> PlanFromJson(const nlohmann::json& json);

/// Returns one line an operator, last operator first.
std::string PlanText(const LogicalPlan& plan);

}  // namespace penstock
