#pragma once

#include <arrow/record_batch.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "penstock/base/status.h"

namespace penstock {

/// Which columns of its input a reader yields, in what order, and whether the column "path" is
/// among them. Immutable.
class ColumnChoice {
 public:
  /// Chooses from the columns of `input`: all of them, or `columns` in their order. With
  /// `include_paths` there is one more, "path", at the end unless `columns` places it.
  /// KeyError naming a column that is not there, Invalid for one that is there or asked for twice;
  /// all name `where`.
  static Result<ColumnChoice> Make(const arrow::Schema& input,
                                   const std::optional<std::vector<std::string>>& columns,
                                   bool include_paths, const std::string& where);

  /// The columns that must be read, without "path".
  const std::shared_ptr<arrow::Schema>& read_schema() const { return read_schema_; }

  /// The columns that Assemble yields.
  const std::shared_ptr<arrow::Schema>& output_schema() const { return output_schema_; }

  /// Picks the columns from `data`, which has at least those of read_schema(), in any order.
  Result<std::shared_ptr<arrow::RecordBatch>> Assemble(const arrow::RecordBatch& data,
                                                       const std::string& path) const;

 private:
  ColumnChoice() = default;

  std::shared_ptr<arrow::Schema> read_schema_;  // Shared as all of Arrow's schemas are.
  std::shared_ptr<arrow::Schema> output_schema_;
  int path_position_ = -1;  // In output_schema_; -1: no such column.
};

}  // namespace penstock
