#pragma once

#include <arrow/filesystem/type_fwd.h>
#include <arrow/record_batch.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "penstock/base/status.h"
#include "penstock/plan/file_names.h"
#include "penstock/plan/worker_options.h"

namespace penstock {

/// Where rows come from. `kind` names a reader (source/registry.h); `options` are that reader's
/// own. The other fields are what the rewrite rules push down into any reader.
struct ReadOp {
  std::string kind;
  nlohmann::json options = nlohmann::json::object();
  std::vector<std::shared_ptr<arrow::RecordBatch>> batches;  // For kind "memory" only.
  std::shared_ptr<arrow::fs::FileSystem> file_system;        // Of the paths; null: they say.
  std::optional<std::vector<std::string>> columns;           // Only these, in this order.
  std::optional<nlohmann::json> filter;                      // expression.h; a hint where inexact.
  std::optional<int64_t> row_limit;                          // Rows beyond it need not be read.
  std::optional<int64_t> splits;                             // Wish of repartition or the user.
  std::optional<int64_t> splits_at_once;                     // At most so many are read at once.
  std::optional<int64_t> order_seed;                         // Splits in an order drawn from it.
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

  // What makes it the same in another run, by digests: "the code of Model", "the arguments of
  // Model"; empty: nobody can tell. And files and folders that its arguments name.
  std::map<std::string, std::string> identity;
  std::vector<std::string> files;
};

/// A C++ function over batches; may return any number of rows. As in penstock.h.
using BatchFunction = std::function<Result<std::shared_ptr<arrow::RecordBatch>>(
    const std::shared_ptr<arrow::RecordBatch>&)>;

/// Runs a C++ function on native threads of this process.
struct NativeOp {
  std::string name;                             // As shown in explain(), stats() and errors.
  std::function<Result<BatchFunction>()> make;  // Called once for each batch that runs at once.
  std::optional<int64_t> batch_rows;            // Absent: whole blocks.
  int threads = 0;                              // Batches at once; 0: one a processor.
  bool keeps_rows = false;                      // Promised: one row out for one row in, in order.
  std::string version;                          // Changes with what it does. "": nobody says.
  ErrorOptions errors;

  /// Returns whether each row in makes one row out, in order: not where rows may fail.
  bool keeps_each_row() const { return keeps_rows && !errors.leave_rows_out(); }
};

struct FunctionsOp {
  std::vector<FunctionSpec> functions;  // Run one after the other in one worker.
  WorkerOptions options;

  /// Returns whether each row in makes one row out, in order: not where rows may fail.
  bool keeps_each_row() const;
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
/// Adds or replaces columns, computed row by row from the input's: pairs of (name, expression). All
/// expressions read the input; none sees what another one makes.
struct AssignOp {
  std::vector<std::pair<std::string, nlohmann::json>> columns;
};
/// Keeps the rows for which the expression is true (null counts as false).
struct FilterOp {
  nlohmann::json expression;
};
/// Draws a place in [0, 1) for each row and keeps those in [begin, end). The place follows from the
/// seed and the row's position in the input (its split, and the row in that), or from the seed and
/// the value in `column`: never from batches, blocks or workers.
struct SampleOp {
  int64_t seed = 0;
  double begin = 0;
  double end = 1;
  std::optional<std::string> column;  // Of integers, text or binary.
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
  std::shared_ptr<FileNames> file_names;  // Null: the writer names the files. Shared by copies,
  std::shared_ptr<arrow::fs::FileSystem> file_system;  // as is this. Null: the path says.
};

struct LogicalPlan;

/// How the rows of several plans come together.
enum class CombineKind : uint8_t {
  kUnion,  // One plan's rows after the other's.
  kZip,    // Side by side, row by row; all must have equally many. See block/zip.h for the names.
};

/// Brings in the rows of other plans, none of which writes.
struct CombineOp {
  CombineKind kind = CombineKind::kUnion;
  std::vector<std::shared_ptr<const LogicalPlan>> others;  // Shared with the plans they came from.
  std::optional<int64_t> row_limit;                        // The inputs were cut to so many rows.
};

using LogicalOp = std::variant<ReadOp, FunctionsOp, NativeOp, ProjectOp, DropOp, RenameOp, AssignOp,
                               FilterOp, SampleOp, LimitOp, RepartitionOp, CombineOp, WriteOp>;

/// A plan as data: operators in the way of the rows, the first a ReadOp; a CombineOp holds the
/// plans whose rows join these there. Immutable once shared; extending it makes a new one.
struct LogicalPlan {
  std::vector<LogicalOp> ops;
};

/// Returns `Read(parquet)`, `MapBatches(Model)`, … as explain() and stats() show them.
std::string OpName(const LogicalOp& op);

/// Checks the order of operators and their fields; Invalid naming operator and field.
Status ValidatePlan(const LogicalPlan& plan);

/// Serialises all but in-memory batches and file systems (NotImplemented for those). Payloads are
/// base64.
Result<nlohmann::json> PlanToJson(const LogicalPlan& plan);
Result<LogicalPlan> PlanFromJson(const nlohmann::json& json);

/// Returns one line an operator, last operator first; below a CombineOp its inputs in order.
std::string PlanText(const LogicalPlan& plan);

}  // namespace penstock
