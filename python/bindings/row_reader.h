#pragma once

#include <nanobind/nanobind.h>

#include <cstdint>
#include <span>
#include <vector>

#include "columns.h"

namespace penstock::python {

/// Makes row dicts one at a time, so that a loop over many rows holds only one of them. The GIL is
/// held throughout; the columns' memory must outlive the reader.
class RowReader {
 public:
  /// `values` stands in for columns that are not plain: a list with one value a row for each
  /// column of kind kOther, in order.
  RowReader(std::span<const ColumnView> columns, nb::handle owner,
            std::span<const nb::list> values = {});

  /// Returns a new dict with the row's plain Python values.
  nb::object Row(int64_t row) const;

 private:
  struct Cell {
    ColumnView view;
    nb::object key;
    nb::object values;  // A sequence to take values from; null: read them from the view.
  };
  static nb::object ValuesOf(const ColumnView& column, nb::handle owner);
  static PyObject* Value(const Cell& cell, int64_t row);
  std::vector<Cell> cells_;
};

}  // namespace penstock::python
