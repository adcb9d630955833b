#pragma once

#include <arrow/array.h>
#include <arrow/type.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "penstock/base/status.h"

namespace penstock {

/// Turns rows of a column into the bytes of one NumPy array. One thread.
///
/// Numbers, truth values, timestamps and durations, alone or in tensors and lists; a list's length
/// is part of the array's shape, so that all must be of one. Nulls are NaN among floats and NaT
/// among times; elsewhere, and of whole lists, they are errors.
class NpyArray {
 public:
  /// Invalid for a type that no array of plain values holds.
  static Result<NpyArray> Of(const std::shared_ptr<arrow::DataType>& type);

  /// Appends the bytes of the rows to `out`. Invalid for a shape other than that of the rows
  /// before, and for nulls that cannot be.
  Status Append(const arrow::Array& rows, std::string* out);

  /// The shape of one row, as far as it is known: -1 for a list's length before the first row.
  const std::vector<int64_t>& shape() const { return shape_; }

  /// What stands before the values in a file of version 1.0: of the same length whatever `rows`.
  /// Without `rows`, of one row alone, without a dimension for it.
  std::string Head(std::optional<int64_t> rows) const;

  arrow::Type::type value_type() const { return value_type_->id(); }

 private:
  Status AppendLevel(const arrow::Array& array, size_t dimension, std::string* out);
  Status AppendValues(const arrow::Array& array, std::string* out) const;
  Status TakeLength(size_t dimension, int64_t length);

  std::shared_ptr<arrow::DataType> value_type_;  // Shared as all of Arrow's types are.
  std::string description_;                      // NumPy's: "<i8".
  std::vector<int64_t> shape_;
};

}  // namespace penstock
