#include <cmath>
#include <cstring>
#include <limits>

#include "bits.h"
#include "columns.h"
#include "numpy.h"

namespace penstock::python {
namespace {

constexpr uint16_t kHalfNan = 0x7e00;

bool IsValid(const ColumnView& column, int64_t row) {
  return column.validity == nullptr || GetBit(column.validity, column.offset + row);
}

std::vector<int64_t> WholeShape(const ColumnView& column) {
  std::vector<int64_t> shape = {column.rows};
  shape.insert(shape.end(), column.shape.begin(), column.shape.end());
  return shape;
}

int64_t ValuesPerRow(const ColumnView& column) {
  int64_t values = 1;
  for (const int64_t extent : column.shape) values *= extent;
  return values;
}

// Fills a new object array; `make` returns a new reference for a row that is not null.
template <typename Make>
nb::object ObjectArray(const ColumnView& column, Make make) {
  uint8_t* place = nullptr;
  const int64_t shape[] = {column.rows};
  nb::object array = EmptyArray(shape, NumPy::Get().object_dtype, &place);
  auto** slots = reinterpret_cast<PyObject**>(place);
  for (int64_t row = 0; row < column.rows; ++row) {
    PyObject* value = IsValid(column, row) ? make(row) : Py_NewRef(Py_None);
    if (value == nullptr) throw nb::python_error();
    PyObject* before = slots[row];
    slots[row] = value;
    Py_XDECREF(before);
  }
  return array;
}

template <typename Offset>
nb::object BytesToNumpy(const ColumnView& column) {
  const auto* offsets = reinterpret_cast<const Offset*>(column.offsets) + column.offset;
  const auto* data = reinterpret_cast<const char*>(column.data);
  const bool text = IsText(column.kind);
  return ObjectArray(column, [&](int64_t row) -> PyObject* {
    const char* start = data + offsets[row];
    const auto length = static_cast<Py_ssize_t>(offsets[row + 1] - offsets[row]);
    return text ? PyUnicode_DecodeUTF8(start, length, nullptr)
                : PyBytes_FromStringAndSize(start, length);
  });
}

nb::object BoolToNumpy(const ColumnView& column) {
  if (column.null_count > 0 && column.shape.empty()) {
    return ObjectArray(column, [&](int64_t row) {
      return PyBool_FromLong(GetBit(column.data, column.offset + row) ? 1 : 0);
    });
  }
  uint8_t* place = nullptr;
  nb::object array = EmptyArray(WholeShape(column), DtypeOf(ColumnKind::kBool), &place);
  const int64_t per_row = ValuesPerRow(column);
  for (int64_t i = 0; i < column.rows * per_row; ++i) {
    place[i] = GetBit(column.data, column.offset * per_row + i) ? 1 : 0;
  }
  return array;
}

nb::object ViewOf(const ColumnView& column, nb::handle owner, bool writable) {
  const int64_t row_bytes = WidthOf(column.kind) * ValuesPerRow(column);
  const uint8_t* data = column.data == nullptr ? nullptr : column.data + column.offset * row_bytes;
  return ViewArray(WholeShape(column), DtypeOf(column.kind), data, column.rows * row_bytes, owner,
                   writable);
}

template <typename Value>
void FillNulls(const ColumnView& column, uint8_t* place, Value null) {
  auto* values = reinterpret_cast<Value*>(place);
  for (int64_t row = 0; row < column.rows; ++row) {
    if (!IsValid(column, row)) values[row] = null;
  }
}

// Copies numbers with nulls: floats get NaN, timestamps NaT, integers become float64 with NaN.
nb::object NullableToNumpy(const ColumnView& column, nb::handle owner) {
  const ColumnKind target = IsInteger(column.kind) ? ColumnKind::kFloat64 : column.kind;
  nb::object copy = ViewOf(column, owner, false).attr("astype")(DtypeOf(target));
  int64_t bytes = 0;
  const uint8_t* found = ContiguousData(copy, &bytes);
  if (found == nullptr) found = ContiguousData(copy.attr("view")("i8"), &bytes);
  auto* place = const_cast<uint8_t*>(found);
  switch (target) {
    case ColumnKind::kFloat16:
      FillNulls<uint16_t>(column, place, kHalfNan);
      break;
    case ColumnKind::kFloat32:
      FillNulls<float>(column, place, std::numeric_limits<float>::quiet_NaN());
      break;
    case ColumnKind::kFloat64:
      FillNulls<double>(column, place, std::numeric_limits<double>::quiet_NaN());
      break;
    default:
      FillNulls<int64_t>(column, place, std::numeric_limits<int64_t>::min());
  }
  return copy;
}

// One array a row, None where the row is null.
nb::object NullableTensors(const ColumnView& column, const nb::object& whole) {
  return ObjectArray(column, [&](int64_t row) { return PySequence_GetItem(whole.ptr(), row); });
}

}  // namespace

nb::object ToNumpy(const ColumnView& column, nb::handle owner, bool writable) {
  if (column.kind == ColumnKind::kNull) {
    return ObjectArray(column, [](int64_t) { return Py_NewRef(Py_None); });
  }
  if (HasOffsets(column.kind)) {
    const bool wide =
        column.kind == ColumnKind::kLargeUtf8 || column.kind == ColumnKind::kLargeBinary;
    return wide ? BytesToNumpy<int64_t>(column) : BytesToNumpy<int32_t>(column);
  }
  const bool nulls = column.null_count > 0;
  if (!column.shape.empty()) {
    nb::object whole =
        column.kind == ColumnKind::kBool ? BoolToNumpy(column) : ViewOf(column, owner, writable);
    return nulls ? NullableTensors(column, whole) : whole;
  }
  if (column.kind == ColumnKind::kBool) return BoolToNumpy(column);
  return nulls ? NullableToNumpy(column, owner) : ViewOf(column, owner, writable);
}

}  // namespace penstock::python
