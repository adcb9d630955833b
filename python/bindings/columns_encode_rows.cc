#include <nanobind/stl/string.h>

#include "columns.h"
#include "row_encoder.h"

namespace penstock::python {

std::string ColumnName(nb::handle name) {
  if (!PyUnicode_Check(name.ptr())) {
    PyErr_Format(PyExc_TypeError, "a column's name must be text; got: %R", name.ptr());
    throw nb::python_error();
  }
  Py_ssize_t bytes = 0;
  const char* const text = PyUnicode_AsUTF8AndSize(name.ptr(), &bytes);
  if (text != nullptr) return {text, static_cast<size_t>(bytes)};
  if (PyErr_ExceptionMatches(PyExc_UnicodeEncodeError) == 0) throw nb::python_error();
  PyErr_Clear();
  PyErr_Format(PyExc_ValueError,
               "a column's name must be text that UTF-8 can hold, without lone surrogates; rename "
               "the column; got: %R",
               name.ptr());
  throw nb::python_error();
}

// Rows mostly have the same keys in the same order, as the same objects.
size_t RowEncoder::ColumnOf(PyObject* key, size_t guess) {
  if (guess < columns_.size() && columns_[guess].key.ptr() == key) return guess;
  for (size_t i = 0; PyUnicode_Check(key) && i < columns_.size(); ++i) {
    const int order = PyUnicode_Compare(columns_[i].key.ptr(), key);
    if (order == -1 && PyErr_Occurred() != nullptr) throw nb::python_error();
    if (order == 0) return i;
  }
  columns_.push_back({ColumnName(key), nb::borrow(key), {}, {}, 0});
  AppendNulls(columns_.back(), rows_);
  return columns_.size() - 1;
}

void RowEncoder::AppendNulls(Growing& column, int64_t count) {
  if (count == 0) return;
  column.rows += count;
  if (!column.values.is_valid()) {
    column.builder.AppendNulls(count);
    return;
  }
  for (int64_t i = 0; i < count; ++i) column.values.attr("append")(nb::none());
}

void RowEncoder::Append(nb::handle row) {
  PyObject* key = nullptr;
  PyObject* value = nullptr;
  Py_ssize_t position = 0;
  size_t guess = 0;
  while (PyDict_Next(row.ptr(), &position, &key, &value) != 0) {
    const size_t index = ColumnOf(key, guess++);
    Growing& column = columns_[index];
    ++column.rows;
    if (!column.values.is_valid()) {
      if (column.builder.Append(value)) continue;
      column.values = column.builder.Values();
      column.builder = ValueBuilder();
    }
    if (PyList_Append(column.values.ptr(), value) != 0) throw nb::python_error();
  }
  ++rows_;
  if (guess == columns_.size()) return;
  for (Growing& column : columns_) AppendNulls(column, rows_ - column.rows);
}

std::vector<RowEncoder::Column> RowEncoder::Finish() {
  std::vector<Column> finished;
  for (Growing& column : columns_) {
    Column& result = finished.emplace_back();
    result.name = std::move(column.name);
    if (column.values.is_valid()) {
      result.values = std::move(column.values);
    } else {
      result.encoded = column.builder.Finish(result.name);
    }
  }
  columns_.clear();
  rows_ = 0;
  return finished;
}

EncodedRows EncodeRows(nb::list rows) {
  RowEncoder encoder;
  for (nb::handle row : rows) {
    if (!PyDict_Check(row.ptr())) {
      PyErr_Format(PyExc_TypeError, "rows must be dicts; got: %R", row.ptr());
      throw nb::python_error();
    }
    encoder.Append(row);
  }
  EncodedRows result{.rows = encoder.rows()};
  for (RowEncoder::Column& column : encoder.Finish()) {
    if (column.encoded) {
      result.columns.push_back(std::move(*column.encoded));
    } else {
      result.others.push_back(std::move(column.name));
    }
  }
  return result;
}

}  // namespace penstock::python
