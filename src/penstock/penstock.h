#pragma once

#include <arrow/record_batch.h>
#include <arrow/result.h>
#include <arrow/status.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

/// Penstock from C++: the same plans as the Python face builds, with C++ functions as operators,
/// run without Python in the process.
///
///     #include <penstock/penstock.h>
///
///     namespace ps = penstock;
///
///     arrow::Status Score() {
///       return ps::ReadParquet({"in/"})
///           .Filter(ps::Col("length") > ps::Lit(0))
///           .MapBatches(Predict, {.name = "Predict", .batch_rows = 4096})
///           .WriteParquet("out");
///     }
///
/// Errors are Arrow's Status. Bad arguments are found when the data set runs (or at Explain), and
/// named then. Everything here may be used by any thread; a data set is a value and never changes.
namespace penstock {

#define PENSTOCK_API __attribute__((visibility("default")))

struct LogicalPlan;

/// Takes a batch, returns what becomes of it: any number of rows, any columns.
using BatchFunction = std::function<arrow::Result<std::shared_ptr<arrow::RecordBatch>>(
    const std::shared_ptr<arrow::RecordBatch>&)>;

/// A value computed row by row from columns by Arrow's compute functions.
class PENSTOCK_API Expression {
 public:
  /// For Col, Lit and Call: the JSON form (see plan/expression.h).
  explicit Expression(std::string json) : json_(std::move(json)) {}

  const std::string& json() const { return json_; }

 private:
  std::string json_;
};

/// The column of this name.
PENSTOCK_API Expression Col(const std::string& name);

/// A constant.
PENSTOCK_API Expression Lit(bool value);
PENSTOCK_API Expression Lit(int value);
PENSTOCK_API Expression Lit(int64_t value);
PENSTOCK_API Expression Lit(double value);
PENSTOCK_API Expression Lit(const char* value);
PENSTOCK_API Expression Lit(const std::string& value);

/// The call of an Arrow compute function by its name, such as "utf8_upper" or "power".
PENSTOCK_API Expression Call(const std::string& function, const std::vector<Expression>& arguments);

PENSTOCK_API Expression operator==(const Expression& left, const Expression& right);
PENSTOCK_API Expression operator!=(const Expression& left, const Expression& right);
PENSTOCK_API Expression operator<(const Expression& left, const Expression& right);
PENSTOCK_API Expression operator<=(const Expression& left, const Expression& right);
PENSTOCK_API Expression operator>(const Expression& left, const Expression& right);
PENSTOCK_API Expression operator>=(const Expression& left, const Expression& right);
PENSTOCK_API Expression operator+(const Expression& left, const Expression& right);
PENSTOCK_API Expression operator-(const Expression& left, const Expression& right);
PENSTOCK_API Expression operator*(const Expression& left, const Expression& right);
PENSTOCK_API Expression operator/(const Expression& left, const Expression& right);

/// And, or, not with Kleene's rules for null. (Not && and ||: those would lose their short
/// circuit.)
PENSTOCK_API Expression operator&(const Expression& left, const Expression& right);
PENSTOCK_API Expression operator|(const Expression& left, const Expression& right);
PENSTOCK_API Expression operator!(const Expression& operand);

/// What becomes of rows for which a function fails. A batch that fails is run again in halves until
/// those rows stand alone; what the function returns for a row must not depend on the others.
enum class OnError : uint8_t {
  kRaise,       // The job ends with the error.
  kDeadLetter,  // They are left out, and written to `_penstock/dead_letters` beside the output.
  kDrop,        // They are left out.
};

struct MapOptions {
  std::string name = "function";      // As shown in Explain and errors.
  std::optional<int64_t> batch_rows;  // Rows of a batch; absent: whole blocks.
  int threads = 0;                    // Batches at once; 0: one a processor.
  bool keeps_rows = false;            // Promised: one row out for one row in, in order.
  OnError on_error = OnError::kRaise;
  int64_t max_errors = -1;  // Rows that may be left out before the job ends; -1: no limit.
  std::string version;      // Changes with what the function does, for WriteMode::kResume.
};

/// How a data set is run.
struct RunOptions {
  int64_t memory_bytes = 0;    // What is in flight at most; 0: a quarter of the machine's memory.
  int processors = 0;          // 0: all.
  bool preserve_order = true;  // Rows come out in the order of the input.
};

enum class WriteMode : uint8_t {
  kAppend,     // Add to what the folder holds.
  kOverwrite,  // Replace it, once the new files are whole.
  kIgnore,     // Write nothing where there are files.
  kError,      // AlreadyExists where there are files.
  kResume,     // Go on where the same job was cut off; do nothing where it is done. Its ledger lies
               // in `_penstock` in the folder, which must be of this machine.
};

struct WriteOptions {
  WriteMode mode = WriteMode::kAppend;
  int64_t rows_per_file_min = 0;   // Rows that a file gathers before it is closed.
  int64_t rows_per_file_max = 0;   // Rows after which the next file begins; 0: no limit.
  int64_t bytes_per_file_min = 0;  // Bytes in memory that a file gathers, beside its rows.
  int64_t files_at_once = 0;       // Blocks that are written at once; 0: one a processor.
};

/// A recipe for rows: where they are read and what happens to them. Lazy: the methods that return a
/// Dataset only extend the recipe, the others run it, each time anew.
class PENSTOCK_API Dataset {
 public:
  /// For the Read functions below.
  explicit Dataset(std::shared_ptr<const LogicalPlan> plan) : plan_(std::move(plan)) {}

  /// Keeps these columns, in this order.
  Dataset Select(const std::vector<std::string>& columns) const;
  Dataset Drop(const std::vector<std::string>& columns) const;

  /// Renames columns: pairs of old and new name.
  Dataset Rename(const std::vector<std::pair<std::string, std::string>>& columns) const;

  /// Keeps the rows for which the condition is true (null counts as false).
  Dataset Filter(const Expression& condition) const;

  /// Keeps the first rows; what lies behind them is not read.
  Dataset Limit(int64_t rows) const;

  /// Cuts the rows into so many blocks, whose sizes differ by one row at most; a write that follows
  /// makes a file of each.
  Dataset Repartition(int64_t blocks) const;

  /// These rows, then those of the others in turn; columns are matched by name.
  Dataset Union(const std::vector<Dataset>& others) const;

  /// The columns of the others beside these, row by row; all must have equally many rows. A name
  /// that is taken gets "_1" behind it, or the next free number.
  Dataset Zip(const std::vector<Dataset>& others) const;

  /// Runs a function over batches on several threads at once: it must be safe to call so. An error
  /// that it returns or an exception derived from std::exception ends the run.
  Dataset MapBatches(BatchFunction function, MapOptions options = {}) const;

  /// As MapBatches, but `make` gives each of the batches that run at once a function of its own,
  /// such as a session of a model: a function is never called by two threads at once.
  Dataset MapBatchesWith(std::function<arrow::Result<BatchFunction>()> make,
                         MapOptions options = {}) const;

  /// Runs, and calls `take` with each batch of the result, in order, in this thread. An error that
  /// it returns stops the run and is returned.
  arrow::Status ForEach(
      const std::function<arrow::Status(const std::shared_ptr<arrow::RecordBatch>&)>& take,
      const RunOptions& run = {}) const;

  /// Returns all batches of the result.
  arrow::Result<std::vector<std::shared_ptr<arrow::RecordBatch>>> Collect(
      const RunOptions& run = {}) const;

  /// Returns the number of rows: from metadata where that is enough, else by running.
  arrow::Result<int64_t> Count(const RunOptions& run = {}) const;

  /// Returns the columns of the result; null where functions decide them.
  arrow::Result<std::shared_ptr<arrow::Schema>> Schema() const;

  /// Writes files of this kind ("parquet", "csv", "json", …) into a folder. They appear together
  /// when all rows are written; a failed run leaves none. `options_json`: the format's own options
  /// as a JSON object.
  arrow::Status Write(const std::string& kind, const std::string& folder,
                      const WriteOptions& options = {}, const RunOptions& run = {},
                      const std::string& options_json = "{}") const;
  arrow::Status WriteParquet(const std::string& folder, const WriteOptions& options = {},
                             const RunOptions& run = {}) const;

  /// Returns the plan as written, the rules that change it, and the stages that will run.
  arrow::Result<std::string> Explain() const;

  const std::shared_ptr<const LogicalPlan>& plan() const { return plan_; }

 private:
  std::shared_ptr<const LogicalPlan> plan_;
};

/// Reads files, folders and globs, of local and remote file systems that Arrow knows. `kind` names
/// a reader, such as "parquet", "csv", "json", "images"; `options_json` holds its options (each
/// reader's source file lists them), "paths" among them.
PENSTOCK_API Dataset Read(const std::string& kind, const std::string& options_json);

PENSTOCK_API Dataset ReadParquet(const std::vector<std::string>& paths);
PENSTOCK_API Dataset ReadCsv(const std::vector<std::string>& paths);
PENSTOCK_API Dataset ReadJson(const std::vector<std::string>& paths);

/// The integers from 0 to `count` - 1, as column "id".
PENSTOCK_API Dataset Range(int64_t count);

/// Rows that are in memory already.
PENSTOCK_API Dataset FromBatches(std::vector<std::shared_ptr<arrow::RecordBatch>> batches);

}  // namespace penstock
