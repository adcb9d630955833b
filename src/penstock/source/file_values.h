#pragma once

#include <arrow/array/builder_base.h>
#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "penstock/base/status.h"
#include "penstock/source/file_columns.h"
#include "penstock/source/input_files.h"

namespace penstock {

/// Collects the values of the files' own columns for rows of several files. One thread.
class FileValues {
 public:
  explicit FileValues(FileColumns columns);

  /// Adds the file's values for its next `rows` rows. Invalid, naming the file, for a value that is
  /// not of its column's type.
  Status Add(const InputFile& file, int64_t rows);

  /// Returns an array for each of the columns, of the rows added since the last Take; at least one
  /// file must have been added.
  Result<arrow::ArrayVector> Take();

 private:
  const FileColumns columns_;
  std::vector<std::unique_ptr<arrow::ArrayBuilder>> builders_;  // One a column.
};

}  // namespace penstock
