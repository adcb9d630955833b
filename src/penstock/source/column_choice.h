#pragma once

#include <arrow/record_batch.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "penstock/base/status.h"
#include "penstock/source/file_columns.h"

namespace penstock {

/// Which columns of its input a reader yields, in what order, and which of its files' own columns
/// are among them. Immutable.
class ColumnChoice {
 public:
  /// Chooses from the columns of `input` and those of `file_columns`: all of them in this order, or
  /// `columns` in theirs. A partition that `input` has as a column is left out: its values count.
  /// KeyError naming a column that is not there; Invalid for one that is there or asked for twice,
  /// the path's among them; all name `where`.
  static Result<ColumnChoice> Make(const arrow::Schema& input,
                                   const std::optional<std::vector<std::string>>& columns,
                                   const FileColumns& file_columns, const std::string& where);

  /// The same where the only column of the files' own is "path", if `include_paths` says so.
  static Result<ColumnChoice> Make(const arrow::Schema& input,
                                   const std::optional<std::vector<std::string>>& columns,
                                   bool include_paths, const std::string& where) {
    return Make(input, columns, FileColumns(include_paths), where);
  }

  /// The columns that must be read, without the files' own.
  const std::shared_ptr<arrow::Schema>& read_schema() const { return read_schema_; }

  /// The columns that Assemble yields.
  const std::shared_ptr<arrow::Schema>& output_schema() const { return output_schema_; }

  /// Whether columns of the files' own are among them.
  bool has_file_columns() const;

  /// Whether `columns` were given.
  bool only_chosen() const { return only_chosen_; }

  /// Picks the columns from `data`, which has at least those of read_schema(), in any order, and
  /// the values of a file. Where types of `data` are others they stay; what it has beyond
  /// read_schema() comes last, or not at all where `columns` were given.
  Result<std::shared_ptr<arrow::RecordBatch>> Assemble(
      const arrow::RecordBatch& data, const arrow::ScalarVector& file_values) const;

  /// The same for rows of several files; `of_files` has the values of each of the files' own
  /// columns, of all rows. It may be empty where has_file_columns() is false.
  Result<std::shared_ptr<arrow::RecordBatch>> Assemble(const arrow::RecordBatch& data,
                                                       const arrow::ArrayVector& of_files) const;

 private:
  ColumnChoice() = default;

  std::shared_ptr<arrow::Schema> read_schema_;  // Shared as all of Arrow's schemas are.
  std::shared_ptr<arrow::Schema> output_schema_;
  std::vector<int> file_columns_;  // For each of output_schema_: which of the files' own; -1: none.
  bool only_chosen_ = false;
};

}  // namespace penstock
