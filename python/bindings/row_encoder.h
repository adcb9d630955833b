#pragma once

#include <nanobind/nanobind.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "columns.h"
#include "value_builder.h"

namespace penstock::python {

/// Gathers row dicts into columns, one row at a time, so that no row need be kept. Columns stand in
/// the order in which their keys first appear; a key that a row lacks is null there. The GIL is
/// held throughout.
class RowEncoder {
 public:
  /// Takes a dict. Raises what ColumnName does for a key that cannot name a column.
  void Append(nb::handle row);

  int64_t rows() const { return rows_; }

  /// What was gathered: a plain column, or the values of one that is not plain, for Arrow.
  struct Column {
    std::string name;
    std::optional<EncodedColumn> encoded;
    nb::object values;
  };
  std::vector<Column> Finish();

 private:
  struct Growing {
    std::string name;
    nb::object key;
    ValueBuilder builder;
    nb::object values;  // A list, once a value was not plain; then `builder` is unused.
    int64_t rows = 0;
  };
  size_t ColumnOf(PyObject* key, size_t guess);
  static void AppendNulls(Growing& column, int64_t count);
  std::vector<Growing> columns_;
  int64_t rows_ = 0;
};

}  // namespace penstock::python
