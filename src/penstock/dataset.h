#pragma once

#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <arrow/result.h>
#include <arrow/scalar.h>
#include <arrow/status.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "penstock/aggregates.h"
#include "penstock/export.h"
#include "penstock/expressions.h"
#include "penstock/functions.h"
#include "penstock/writing.h"

namespace penstock {

/// The engine's form of a data set; opaque here.
struct LogicalPlan;

/// How a data set is run.
struct RunOptions {
  int64_t memory_bytes = 0;    // What is in flight at most; 0: a quarter of the machine's memory.
  int processors = 0;          // Threads that read, compute and write; 0: one a processor.
  bool preserve_order = true;  // Rows come out in the order of the input; else as they are ready.
};

/// How TrainTestSplit draws: row by row, or by a column of integers, text or binary, where rows
/// with equal values stay together.
struct SplitOptions {
  std::optional<int64_t> seed{};           // Absent: drawn by chance, or 0 with by_column.
  std::optional<std::string> by_column{};  // Absent: row by row.
};

/// A recipe for rows: where they are read and what happens to them. Lazy: the methods that return a
/// Dataset only extend the recipe, the others run it, each time anew. Rows keep the order of the
/// input unless RunOptions::preserve_order is off. Copies are cheap: they share the plan.
class PENSTOCK_API Dataset {
 public:
  /// For the Read functions of reading.h.
  explicit Dataset(std::shared_ptr<const LogicalPlan> plan) : plan_(std::move(plan)) {}

  /// Keeps these columns, in this order. KeyError where one is not there, Invalid for one that is
  /// named twice.
  Dataset Select(const std::vector<std::string>& columns) const;

  /// Removes these columns; the others keep their order. KeyError where one is not there.
  Dataset Drop(const std::vector<std::string>& columns) const;

  /// Renames columns: pairs of old and new name, all at once; the order stays. KeyError where an
  /// old name is not there, Invalid where two columns would have one name.
  Dataset Rename(const std::vector<std::pair<std::string, std::string>>& columns) const;

  /// Adds columns, or replaces those that are there: pairs of a name and what is computed for it.
  /// All expressions read the columns as they are before. A replaced column keeps its place, new
  /// ones come last, in this order. Invalid where a name is given twice.
  Dataset WithColumns(const std::vector<std::pair<std::string, Expression>>& columns) const;

  /// Keeps the rows for which the condition is true (null counts as false). Invalid where it does
  /// not yield bool.
  Dataset Filter(const Expression& condition) const;

  /// Keeps the first rows, at least 0; what lies behind them is not read.
  Dataset Limit(int64_t rows) const;

  /// Keeps each row with the probability `fraction`, from 0 to 1. A row stays or goes by the seed
  /// and its place in the input (which file or piece of one, and which row of it), never by batches
  /// or processors; above a function that may change the number of rows, by its batch and the row
  /// in it. Without a seed one is drawn now: the same data set yields the same rows in each run.
  Dataset RandomSample(double fraction, std::optional<int64_t> seed = std::nullopt) const;

  /// Shares the rows out: the first data set is for training, the second, with about `test_share`
  /// of them (from 0 to 1), for testing. Each row is in exactly one of them. Both are lazy, and
  /// each reads the input on its own; rows are drawn as in RandomSample.
  std::pair<Dataset, Dataset> TrainTestSplit(double test_share,
                                             const SplitOptions& options = {}) const;

  /// Reads the pieces of the input (row groups, files, blocks) in an order drawn from the seed, or
  /// by chance without one; rows within a piece keep theirs. All pieces are listed before the first
  /// is read. NotImplemented, at once, behind what depends on the order: a limit, a repartition, a
  /// sample, a union or a zip.
  arrow::Result<Dataset> RandomizeBlockOrder(std::optional<int64_t> seed = std::nullopt) const;

  /// Cuts the rows into so many blocks, at least 1, whose sizes differ by one row at most (one a
  /// row where there are fewer rows); a write that follows makes a file of each. OutOfMemory where
  /// a block does not fit the memory of the run; where the number of rows does not follow from
  /// metadata, all blocks together must.
  Dataset Repartition(int64_t blocks) const;

  /// Cuts the rows into blocks of so many rows, at least 1; the last has what is left. A write that
  /// follows makes a file of each.
  Dataset RepartitionToRows(int64_t rows_per_block) const;

  /// These rows, then those of the others in turn. Columns are matched by name and types promoted
  /// where rows meet in a batch or a file; what a data set lacks is null there. Invalid without
  /// others.
  Dataset Union(const std::vector<Dataset>& others) const;

  /// The columns of the others beside these, row by row; Invalid unless all have equally many rows.
  /// A name that is taken gets "_1" behind it, or the next free number.
  Dataset Zip(const std::vector<Dataset>& others) const;

  /// Runs a function over batches on several threads at once: it must be safe to call so. An error
  /// that it returns or an exception derived from std::exception ends the run, unless
  /// MapOptions::on_error says otherwise. A copy of the function lives as long as the data set.
  Dataset MapBatches(BatchFunction function, MapOptions options = {}) const;

  /// As MapBatches, but `make` gives each of the batches that run at once a function of its own,
  /// such as a session of a model: a function is never called by two threads at once. Functions are
  /// made when they are first needed and end with the run; an error of `make` ends the run.
  Dataset MapBatchesWith(std::function<arrow::Result<BatchFunction>()> make,
                         MapOptions options = {}) const;

  /// Runs, and calls `take` with each batch of the result, in order, in this thread. An error that
  /// it returns stops the run and is returned. While it works on a batch the run goes on, until the
  /// memory of the run is full.
  arrow::Status ForEach(
      const std::function<arrow::Status(const std::shared_ptr<arrow::RecordBatch>&)>& take,
      const RunOptions& run = {}) const;

  /// Returns all batches of the result, in order; they may be more than the memory of the run.
  arrow::Result<std::vector<std::shared_ptr<arrow::RecordBatch>>> Collect(
      const RunOptions& run = {}) const;

  /// Returns the number of rows: from metadata where that is enough, else by running.
  arrow::Result<int64_t> Count(const RunOptions& run = {}) const;

  /// Returns a value for each call, in one pass that reads only the columns which it needs, in
  /// bounded memory: a whole number as int64, or decimal128(38, 0) where that is too small; a mean,
  /// deviation, share or sum of floats as double; a least or greatest value and a sum of decimals
  /// in the column's type; collections as a list. Null (of the type null) where there were no
  /// values, except for counts and collections.
  ///
  /// KeyError for a column that is not there, TypeError for one whose values cannot be aggregated
  /// so, CapacityError where a collection grows too large, Invalid without calls, or where one
  /// lacks its column.
  arrow::Result<std::vector<std::shared_ptr<arrow::Scalar>>> Aggregate(
      const std::vector<AggregateCall>& calls, const RunOptions& run = {}) const;

  /// Returns one aggregate of a column, passing over nulls; all else as Aggregate. Several at once
  /// cost less there.
  arrow::Result<std::shared_ptr<arrow::Scalar>> Sum(const std::string& column,
                                                    const RunOptions& run = {}) const;
  arrow::Result<std::shared_ptr<arrow::Scalar>> Min(const std::string& column,
                                                    const RunOptions& run = {}) const;
  arrow::Result<std::shared_ptr<arrow::Scalar>> Max(const std::string& column,
                                                    const RunOptions& run = {}) const;
  arrow::Result<std::shared_ptr<arrow::Scalar>> Mean(const std::string& column,
                                                     const RunOptions& run = {}) const;

  /// Returns the standard deviation of a column, dividing by the number of its values less `ddof`;
  /// all else as Sum.
  arrow::Result<std::shared_ptr<arrow::Scalar>> Std(const std::string& column, int64_t ddof = 1,
                                                    const RunOptions& run = {}) const;

  /// Returns the different values of a column, null among them, in the order in which they first
  /// come; of the type null where there are none. Fails as Aggregate.
  arrow::Result<std::shared_ptr<arrow::Array>> Unique(const std::string& column,
                                                      const RunOptions& run = {}) const;

  /// Returns the columns of the result; null where functions decide them. Looks into the files'
  /// metadata, or into the first rows where they have none.
  arrow::Result<std::shared_ptr<arrow::Schema>> Schema() const;

  /// Runs, and writes files of this kind ("parquet", "csv", "json", …; see WriteOptions) into a
  /// folder: of this machine, or a URI of a file system that Arrow knows. They appear together when
  /// all rows are written; a failed run leaves none. With WriteMode::kResume they appear some at a
  /// time, and what a failed run has finished stays. Invalid for columns that the format has no
  /// form for, naming them.
  arrow::Status Write(const std::string& kind, const std::string& folder,
                      const WriteOptions& options = {}, const RunOptions& run = {}) const;

  /// As Write, of the kind "parquet".
  arrow::Status WriteParquet(const std::string& folder, const WriteOptions& options = {},
                             const RunOptions& run = {}) const;

  /// Returns the plan as written, the rules that change it, and the stages that will run; without
  /// running it.
  arrow::Result<std::string> Explain() const;

  /// Returns the engine's form; for the engine's own use.
  const std::shared_ptr<const LogicalPlan>& plan() const { return plan_; }

 private:
  std::shared_ptr<const LogicalPlan> plan_;
};

}  // namespace penstock
