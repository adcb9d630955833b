#pragma once

#include <arrow/compute/expression.h>

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "penstock/base/status.h"
#include "penstock/source/file_columns.h"
#include "penstock/source/parquet_footer.h"

namespace penstock {

/// What a filter tells beforehand of files and row groups: by what the files' paths say, and by the
/// row groups' statistics. The parts that "and" joins are judged one by one; a part that cannot be
/// judged, or that fails, skips nothing: the rows themselves will say. Immutable.
class ParquetFilter {
 public:
  /// No filter: every row may pass.
  ParquetFilter() = default;

  /// Invalid for an expression that is none.
  static Result<ParquetFilter> Make(const std::optional<nlohmann::json>& filter,
                                    const FileColumns& file_columns);

  /// The files' own columns (partitions, "path") that MayMatch looks at; none: it is always true.
  const std::vector<std::string>& file_columns() const { return judged_columns_; }

  /// Says whether a row of the file may pass, by its path alone; the path's values count.
  bool MayMatch(const InputFile& file, const FileColumns& file_columns) const;

  /// The filter for one file: for its statistics, with the path's values in place of the files' own
  /// columns that the file does not have. Parts that read a column of `changed` are left out: the
  /// rows' values there are others than the file's.
  std::vector<arrow::compute::Expression> For(const ParquetFooter& footer, const InputFile& file,
                                              const FileColumns& file_columns,
                                              const std::vector<std::string>& changed) const;

 private:
  struct Part {
    arrow::compute::Expression expression;
    std::vector<std::string> columns;
    bool of_files = false;  // Reads the files' own columns alone.
  };

  std::vector<Part> parts_;
  std::vector<std::string> judged_columns_;
};

}  // namespace penstock
