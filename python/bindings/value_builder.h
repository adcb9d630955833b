#pragma once

#include <nanobind/nanobind.h>

#include <cstdint>
#include <string>
#include <vector>

#include "columns.h"

namespace penstock::python {

/// Grows one plain column from Python values, one at a time.
///
/// The first value that is not None decides the kind; later ones may widen it (int with float
/// becomes float64, integers beyond int64 become uint64, NumPy scalars their common kind). Takes
/// None, bool, int, float, str, bytes, naive datetime, NumPy scalars, and arrays of one shape and
/// dtype. Leaves no Python error set. The GIL is held throughout.
class ValueBuilder {
 public:
  /// Returns false, taking nothing, when the value does not fit a plain column with the earlier
  /// ones; the builder stays usable.
  bool Append(PyObject* value);
  void AppendNulls(int64_t count);

  int64_t rows() const { return rows_; }

  /// Hands the column over; the builder is empty afterwards.
  EncodedColumn Finish(std::string name);

  /// Returns what was appended as Python values, for Arrow to try.
  nb::list Values() const;

 private:
  bool AppendInteger(PyObject* value);
  bool AppendReal(double value);
  bool AppendBytes(ColumnKind kind, const char* data, Py_ssize_t size);
  bool AppendText(PyObject* value);
  bool AppendUncommon(PyObject* value);
  bool AppendDatetime(PyObject* value);
  bool AppendNumpyTime(PyObject* value);
  bool AppendScalar(ColumnKind kind, PyObject* value);
  bool AppendArray(PyObject* value);
  bool AppendFixed(ColumnKind kind, const void* value);
  bool Become(ColumnKind kind);
  bool Widen(ColumnKind kind);
  void StartNulls();
  void CountRow();
  std::string Offsets(ColumnKind* kind) const;

  ColumnKind kind_ = ColumnKind::kNull;
  bool tensor_ = false;
  int64_t rows_ = 0;
  int64_t null_count_ = 0;
  int64_t row_bytes_ = 0;       // Of fixed-width kinds; bools hold one byte a value.
  std::vector<int64_t> shape_;  // Of one row.
  std::string valid_;           // One byte a row, from the first null on; else empty.
  std::vector<int64_t> ends_;   // Text and binary: where each row's bytes end.
  std::string data_;
};

}  // namespace penstock::python
