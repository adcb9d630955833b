#pragma once

#include <arrow/record_batch.h>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "penstock/base/status.h"
#include "penstock/plan/options.h"

namespace penstock {

/// How the columns that a Parquet reader yields differ from those that its files hold.
///
///   schema          [["a", "int64"], ..]: these columns in this order, whatever the files say;
///   null
///                   where a file lacks one, cast where it has it in another type
///   tensor_columns  {"image": {"type": "uint8", "shape": [2, 3]}}: binary columns whose values are
///                   the bytes of tensors, row-major, in this machine's byte order
///   row_hash        true: a column "row_hash" (uint64), in the place of the files' own of that
///                   name: a number drawn from the file's path and the row's position in the file
/// Immutable.
class ParquetColumns {
 public:
  static Result<ParquetColumns> Make(OptionReader& options);

  /// The option "schema"; null where it is not given.
  const std::shared_ptr<arrow::Schema>& declared() const { return declared_; }

  /// Returns the columns that come of `found`, which is the declared schema or the files' own.
  /// Invalid, naming the column, for a tensor's that holds no bytes.
  Result<std::shared_ptr<arrow::Schema>> Of(const std::shared_ptr<arrow::Schema>& found) const;

  /// Whether the column is made here, and not read.
  bool IsMade(const std::string& name) const;

  /// The columns of a file whose values are others when they are yielded.
  std::vector<std::string> ChangedIn(const arrow::Schema& of_file) const;

  /// Brings a file's rows to the types that Of gave; columns that it does not speak of stay.
  /// `path` and `first_row` (in the file) are for "row_hash", which is made where `makes_hash`.
  /// kSchemaMismatch naming the column where a value does not fit.
  Result<std::shared_ptr<arrow::RecordBatch>> Apply(std::shared_ptr<arrow::RecordBatch> batch,
                                                    const std::string& path, int64_t first_row,
                                                    bool makes_hash) const;

  static constexpr const char* kRowHash = "row_hash";

 private:
  std::shared_ptr<arrow::Schema> declared_;  // Shared as all of Arrow's schemas are.
  std::map<std::string, std::shared_ptr<arrow::DataType>> tensors_;  // The tensor types.
  bool row_hash_ = false;
};

}  // namespace penstock
