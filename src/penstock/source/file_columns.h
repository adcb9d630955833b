#pragma once

#include <arrow/scalar.h>
#include <arrow/type.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "penstock/base/status.h"
#include "penstock/plan/options.h"
#include "penstock/source/input_files.h"

namespace penstock {

/// How the folders of a path tell values of columns.
///
///   {"style": "hive"}  folders named key=value; the values are percent-decoded, and
///                      __HIVE_DEFAULT_PARTITION__ is null
///   {"style": "dir", "field_names": ["year", "month"]}  folders named value, in this order
///   "base_dir"         only folders below it count; "": all
///   "field_names"      with hive: the keys that must be there, in this order
///   "field_types"      {"year": "int64"}, see type_names.h; the others are text
struct Partitioning {
  bool hive = true;
  std::string base_folder;
  std::vector<std::string> names;
  std::vector<std::pair<std::string, std::shared_ptr<arrow::DataType>>> types;

  using Values = std::vector<std::pair<std::string, std::optional<std::string>>>;

  /// Returns the columns and values that a file's path tells, in the path's order; none for a file
  /// that lies outside of base_folder or in no partition. Invalid, naming the path, where the
  /// folders do not go with `names`.
  Result<Values> ValuesOf(const std::string& path) const;
};

/// Columns that have one value in all rows of a file: what its path tells (the partitions), and
/// the path itself. Threads: as any value.
class FileColumns {
 public:
  /// No columns, or only "path".
  explicit FileColumns(bool include_path = false);

  /// Reads the option "partitioning" besides `include_path`; knows no partition before it is shown
  /// the files.
  static Result<FileColumns> Make(OptionReader& options, bool include_path);

  /// Whether files' paths tell partitions.
  bool is_partitioned() const { return partitioning_.has_value(); }

  /// Adds the partitions of these files' paths; one that only some have is null in the others.
  Status AddPartitionsOf(const std::vector<InputFile>& files);

  /// Gives the columns that `declared` has too the types that they have there.
  void TakeTypes(const arrow::Schema& declared);

  /// The columns: partitions, then "path".
  const std::shared_ptr<arrow::Schema>& schema() const { return schema_; }

  /// Returns a file's value of each column. Invalid, naming the file, for a value that is not of
  /// its column's type.
  Result<arrow::ScalarVector> ValuesOf(const InputFile& file) const;

 private:
  std::optional<Partitioning> partitioning_;
  bool include_path_ = false;
  std::shared_ptr<arrow::Schema> schema_;  // Shared as all of Arrow's schemas are.
};

}  // namespace penstock
