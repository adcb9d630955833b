#include <cstring>

#include "bits.h"
#include "columns.h"
#include "numpy.h"
#include "row_reader.h"

namespace penstock::python {
namespace {

template <typename Number>
Number NumberAt(const ColumnView& view, int64_t row) {
  Number number;
  std::memcpy(&number, view.data + (view.offset + row) * static_cast<int64_t>(sizeof number),
              sizeof number);
  return number;
}

template <typename Offset>
PyObject* BytesAt(const ColumnView& view, int64_t row) {
  const auto* offsets = reinterpret_cast<const Offset*>(view.offsets) + view.offset + row;
  const char* start = reinterpret_cast<const char*>(view.data) + offsets[0];
  const auto length = static_cast<Py_ssize_t>(offsets[1] - offsets[0]);
  return IsText(view.kind) ? PyUnicode_DecodeUTF8(start, length, nullptr)
                           : PyBytes_FromStringAndSize(start, length);
}

// Nanoseconds become a datetime where it can hold them, else stay NumPy's scalar.
nb::object NanosecondValues(const nb::object& array) {
  const NumPy& numpy = NumPy::Get();
  nb::object micros = array.attr("astype")("M8[us]");
  nb::list values = nb::cast<nb::list>(micros.attr("tolist")());
  nb::object exact = numpy.module.attr("equal")(micros, array).attr("tolist")();
  for (size_t i = 0; i < values.size(); ++i) {
    if (values[i].is_none() || nb::cast<bool>(exact[i])) continue;
    values[i] = array[i];
  }
  return values;
}

}  // namespace

RowReader::RowReader(std::span<const ColumnView> columns, nb::handle owner,
                     std::span<const nb::list> values) {
  size_t next_values = 0;
  for (const ColumnView& column : columns) {
    PyObject* key = PyUnicode_FromStringAndSize(column.name.data(),
                                                static_cast<Py_ssize_t>(column.name.size()));
    if (key == nullptr) throw nb::python_error();
    PyUnicode_InternInPlace(&key);
    nb::object own_values = column.kind == ColumnKind::kOther ? nb::object(values[next_values++])
                                                              : ValuesOf(column, owner);
    cells_.push_back({column, nb::steal(key), std::move(own_values)});
  }
}

// Kinds that NumPy turns into Python values better than a switch does are turned at once.
nb::object RowReader::ValuesOf(const ColumnView& column, nb::handle owner) {
  if (!column.shape.empty()) return ToNumpy(column, owner, true);
  if (column.kind == ColumnKind::kFloat16) {
    ColumnView whole = column;
    whole.null_count = 0;
    return ToNumpy(whole, owner, false).attr("tolist")();
  }
  if (!IsTimestamp(column.kind)) return {};
  nb::object array = ToNumpy(column, owner, false);
  if (column.kind == ColumnKind::kTimestampNano) return NanosecondValues(array);
  return array.attr("tolist")();
}

PyObject* RowReader::Value(const Cell& cell, int64_t row) {
  const ColumnView& view = cell.view;
  if (view.validity != nullptr && !GetBit(view.validity, view.offset + row)) {
    return Py_NewRef(Py_None);
  }
  if (cell.values.is_valid()) return PySequence_GetItem(cell.values.ptr(), row);
  switch (view.kind) {
    case ColumnKind::kBool:
      return PyBool_FromLong(GetBit(view.data, view.offset + row) ? 1 : 0);
    case ColumnKind::kInt8:
      return PyLong_FromLong(NumberAt<int8_t>(view, row));
    case ColumnKind::kInt16:
      return PyLong_FromLong(NumberAt<int16_t>(view, row));
    case ColumnKind::kInt32:
      return PyLong_FromLong(NumberAt<int32_t>(view, row));
    case ColumnKind::kInt64:
      return PyLong_FromLongLong(NumberAt<int64_t>(view, row));
    case ColumnKind::kUInt8:
      return PyLong_FromUnsignedLong(NumberAt<uint8_t>(view, row));
    case ColumnKind::kUInt16:
      return PyLong_FromUnsignedLong(NumberAt<uint16_t>(view, row));
    case ColumnKind::kUInt32:
      return PyLong_FromUnsignedLong(NumberAt<uint32_t>(view, row));
    case ColumnKind::kUInt64:
      return PyLong_FromUnsignedLongLong(NumberAt<uint64_t>(view, row));
    case ColumnKind::kFloat32:
      return PyFloat_FromDouble(NumberAt<float>(view, row));
    case ColumnKind::kFloat64:
      return PyFloat_FromDouble(NumberAt<double>(view, row));
    case ColumnKind::kUtf8:
    case ColumnKind::kBinary:
      return BytesAt<int32_t>(view, row);
    case ColumnKind::kLargeUtf8:
    case ColumnKind::kLargeBinary:
      return BytesAt<int64_t>(view, row);
    default:
      return Py_NewRef(Py_None);  // kNull; all others have their values beside them.
  }
}

nb::object RowReader::Row(int64_t row) const {
  nb::object dict = nb::steal(PyDict_New());
  if (!dict.is_valid()) throw nb::python_error();
  for (const Cell& cell : cells_) {
    PyObject* value = Value(cell, row);
    if (value == nullptr) throw nb::python_error();
    const int status = PyDict_SetItem(dict.ptr(), cell.key.ptr(), value);
    Py_DECREF(value);
    if (status != 0) throw nb::python_error();
  }
  return dict;
}

nb::list ToRows(std::span<const ColumnView> columns, int64_t rows, nb::handle owner) {
  const RowReader reader(columns, owner);
  nb::object list = nb::steal(PyList_New(static_cast<Py_ssize_t>(rows)));
  if (!list.is_valid()) throw nb::python_error();
  for (int64_t row = 0; row < rows; ++row) {
    PyList_SET_ITEM(list.ptr(), static_cast<Py_ssize_t>(row), reader.Row(row).release().ptr());
  }
  return nb::cast<nb::list>(list);
}

}  // namespace penstock::python
