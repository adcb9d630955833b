#include "value_builder.h"

#include <datetime.h>
#include <nanobind/stl/string.h>

#include <cstring>
#include <limits>
#include <optional>

#include "bits.h"
#include "numpy.h"
#include "row_reader.h"

namespace penstock::python {
namespace {

constexpr int64_t kExactInDouble = int64_t{1} << 53;

template <typename Value>
Value Load(const char* place) {
  Value value;
  std::memcpy(&value, place, sizeof value);
  return value;
}

std::optional<int64_t> IntegerAt(ColumnKind kind, const char* place) {
  switch (kind) {
    case ColumnKind::kInt8:
      return Load<int8_t>(place);
    case ColumnKind::kInt16:
      return Load<int16_t>(place);
    case ColumnKind::kInt32:
      return Load<int32_t>(place);
    case ColumnKind::kInt64:
      return Load<int64_t>(place);
    case ColumnKind::kUInt8:
      return Load<uint8_t>(place);
    case ColumnKind::kUInt16:
      return Load<uint16_t>(place);
    case ColumnKind::kUInt32:
      return Load<uint32_t>(place);
    case ColumnKind::kUInt64: {
      const auto natural = Load<uint64_t>(place);
      if (natural > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) return {};
      return static_cast<int64_t>(natural);
    }
    default:
      return {};
  }
}

// Widens one value from `from` to `to` (kInt64, kUInt64 or kFloat64); false when it does not fit.
bool WidenValue(ColumnKind from, const char* place, ColumnKind to, char* out) {
  if (to == ColumnKind::kFloat64) {
    double real = 0;
    if (from == ColumnKind::kFloat64) {
      real = Load<double>(place);
    } else if (from == ColumnKind::kFloat32) {
      real = Load<float>(place);
    } else if (from == ColumnKind::kFloat16) {
      real = PyFloat_Unpack2(place, 1);
    } else {
      const std::optional<int64_t> integer = IntegerAt(from, place);
      if (!integer || *integer > kExactInDouble || *integer < -kExactInDouble) return false;
      real = static_cast<double>(*integer);
    }
    std::memcpy(out, &real, sizeof real);
    return true;
  }
  if (to == ColumnKind::kUInt64 && from == ColumnKind::kUInt64) {
    std::memcpy(out, place, sizeof(uint64_t));
    return true;
  }
  const std::optional<int64_t> integer = IntegerAt(from, place);
  if (!integer || (to == ColumnKind::kUInt64 && *integer < 0)) return false;
  std::memcpy(out, &*integer, sizeof *integer);
  return true;
}

// Loads the C API of the datetime module once.
bool IsNaiveDatetime(PyObject* value) {
  if (PyDateTimeAPI == nullptr) PyDateTime_IMPORT;
  return PyDateTime_CheckExact(value) && PyDateTime_DATE_GET_TZINFO(value) == Py_None;
}

int64_t DaysSinceEpoch(int64_t year, int64_t month, int64_t day) {
  // Counts in years that begin in March, so that leap days come last.
  const int64_t shifted = month <= 2 ? year - 1 : year;
  const int64_t era = (shifted >= 0 ? shifted : shifted - 399) / 400;
  const int64_t year_of_era = shifted - era * 400;
  const int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  const int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * 146'097 + day_of_era - 719'468;
}

}  // namespace

bool ValueBuilder::Append(PyObject* value) {
  if (PyLong_CheckExact(value)) return AppendInteger(value);
  if (PyFloat_CheckExact(value)) return AppendReal(PyFloat_AS_DOUBLE(value));
  if (PyUnicode_CheckExact(value)) return AppendText(value);
  if (value == Py_None) {
    AppendNulls(1);
    return true;
  }
  return AppendUncommon(value);
}

void ValueBuilder::AppendNulls(int64_t count) {
  StartNulls();
  const auto size = static_cast<size_t>(count);
  valid_.append(size, '\0');
  rows_ += count;
  null_count_ += count;
  if (HasOffsets(kind_)) ends_.insert(ends_.end(), size, static_cast<int64_t>(data_.size()));
  data_.append(size * static_cast<size_t>(row_bytes_), '\0');
}

void ValueBuilder::StartNulls() {
  if (null_count_ == 0) valid_.assign(static_cast<size_t>(rows_), '\1');
}

void ValueBuilder::CountRow() {
  if (null_count_ > 0) valid_.push_back('\1');
  ++rows_;
}

// Makes the first value's kind the column's, with zeros for the nulls before it.
bool ValueBuilder::Become(ColumnKind kind) {
  if (kind_ == kind) return true;
  if (kind_ != ColumnKind::kNull) return false;
  kind_ = kind;
  if (HasOffsets(kind)) {
    ends_.assign(static_cast<size_t>(rows_), 0);
    return true;
  }
  row_bytes_ = kind == ColumnKind::kBool ? 1 : WidthOf(kind);
  data_.assign(static_cast<size_t>(rows_ * row_bytes_), '\0');
  return true;
}

bool ValueBuilder::Widen(ColumnKind kind) {
  std::string wide(static_cast<size_t>(rows_) * sizeof(int64_t), '\0');
  for (int64_t row = 0; row < rows_; ++row) {
    if (!WidenValue(kind_, data_.data() + row * row_bytes_, kind, wide.data() + row * 8)) {
      return false;
    }
  }
  data_ = std::move(wide);
  kind_ = kind;
  row_bytes_ = sizeof(int64_t);
  return true;
}

bool ValueBuilder::AppendFixed(ColumnKind kind, const void* value) {
  if (tensor_) return false;
  if (kind_ != kind && !Become(kind)) {
    const bool numbers = (IsInteger(kind) || IsFloat(kind)) && (IsInteger(kind_) || IsFloat(kind_));
    if (!numbers) return false;
    ColumnKind wide = ColumnKind::kInt64;
    if (IsFloat(kind) || IsFloat(kind_)) {
      wide = ColumnKind::kFloat64;
    } else if (kind == ColumnKind::kUInt64 || kind_ == ColumnKind::kUInt64) {
      wide = ColumnKind::kUInt64;
    }
    char widened[sizeof(int64_t)];
    if (!WidenValue(kind, static_cast<const char*>(value), wide, widened)) return false;
    if (kind_ != wide && !Widen(wide)) return false;
    data_.append(widened, sizeof widened);
    CountRow();
    return true;
  }
  data_.append(static_cast<const char*>(value), static_cast<size_t>(row_bytes_));
  CountRow();
  return true;
}

bool ValueBuilder::AppendInteger(PyObject* value) {
  int overflow = 0;
  const int64_t integer = PyLong_AsLongLongAndOverflow(value, &overflow);
  if (overflow == 0) return AppendFixed(ColumnKind::kInt64, &integer);
  const uint64_t natural = overflow > 0 ? PyLong_AsUnsignedLongLong(value) : 0;
  if (overflow < 0 || PyErr_Occurred() != nullptr) {
    PyErr_Clear();
    return false;
  }
  return AppendFixed(ColumnKind::kUInt64, &natural);
}

bool ValueBuilder::AppendReal(double value) { return AppendFixed(ColumnKind::kFloat64, &value); }

bool ValueBuilder::AppendText(PyObject* value) {
  Py_ssize_t size = 0;
  const char* data = PyUnicode_AsUTF8AndSize(value, &size);
  if (data == nullptr) {  // Lone surrogates.
    PyErr_Clear();
    return false;
  }
  return AppendBytes(ColumnKind::kUtf8, data, size);
}

bool ValueBuilder::AppendBytes(ColumnKind kind, const char* data, Py_ssize_t size) {
  if (tensor_ || !Become(kind)) return false;
  data_.append(data, static_cast<size_t>(size));
  ends_.push_back(static_cast<int64_t>(data_.size()));
  CountRow();
  return true;
}

bool ValueBuilder::AppendUncommon(PyObject* value) {
  if (PyBool_Check(value)) {
    const char byte = value == Py_True ? '\1' : '\0';
    return AppendFixed(ColumnKind::kBool, &byte);
  }
  if (PyBytes_Check(value)) {
    return AppendBytes(ColumnKind::kBinary, PyBytes_AS_STRING(value), PyBytes_GET_SIZE(value));
  }
  const NumPy& numpy = NumPy::Get();
  if (PyObject_TypeCheck(value, reinterpret_cast<PyTypeObject*>(numpy.ndarray.ptr())) != 0) {
    return AppendArray(value);
  }
  const ColumnKind scalar = KindOfScalar(Py_TYPE(value));
  if (scalar != ColumnKind::kOther) return AppendScalar(scalar, value);
  if (Py_TYPE(value) == reinterpret_cast<PyTypeObject*>(numpy.datetime64.ptr())) {
    return AppendNumpyTime(value);
  }
  if (PyUnicode_Check(value)) return AppendText(value);
  if (PyFloat_Check(value)) return AppendReal(PyFloat_AS_DOUBLE(value));
  if (PyLong_Check(value)) return AppendInteger(value);
  return IsNaiveDatetime(value) && AppendDatetime(value);
}

bool ValueBuilder::AppendScalar(ColumnKind kind, PyObject* value) {
  Py_buffer view;
  if (PyObject_GetBuffer(value, &view, PyBUF_SIMPLE) != 0) {
    PyErr_Clear();
    return false;
  }
  char bytes[sizeof(int64_t)];
  std::memcpy(bytes, view.buf, static_cast<size_t>(view.len));
  PyBuffer_Release(&view);
  return AppendFixed(kind, bytes);
}

bool ValueBuilder::AppendDatetime(PyObject* value) {
  const int64_t days = DaysSinceEpoch(PyDateTime_GET_YEAR(value), PyDateTime_GET_MONTH(value),
                                      PyDateTime_GET_DAY(value));
  const int64_t seconds = days * 86'400 + PyDateTime_DATE_GET_HOUR(value) * 3'600 +
                          PyDateTime_DATE_GET_MINUTE(value) * 60 +
                          PyDateTime_DATE_GET_SECOND(value);
  const int64_t micros = seconds * 1'000'000 + PyDateTime_DATE_GET_MICROSECOND(value);
  return AppendFixed(ColumnKind::kTimestampMicro, &micros);
}

bool ValueBuilder::AppendNumpyTime(PyObject* value) {
  nb::object scalar = nb::borrow(value);
  const auto text = nb::cast<std::string>(nb::str(scalar.attr("dtype").attr("str")));
  const ColumnKind kind = KindOfDtype('M', 8, UnitOf(text));
  const auto ticks = nb::cast<int64_t>(scalar.attr("astype")("i8").attr("item")());
  if (ticks == std::numeric_limits<int64_t>::min()) {
    AppendNulls(1);
    return true;
  }
  return kind != ColumnKind::kOther && AppendFixed(kind, &ticks);
}

bool ValueBuilder::AppendArray(PyObject* value) {
  nb::object array = nb::borrow(value);
  nb::object dtype = array.attr("dtype");
  const auto letter = nb::cast<std::string>(nb::str(dtype.attr("kind"))).at(0);
  const auto item_bytes = nb::cast<int64_t>(dtype.attr("itemsize"));
  if (letter == 'M' || letter == 'c') return false;
  const ColumnKind kind = KindOfDtype(letter, item_bytes, "");
  if (kind == ColumnKind::kOther) return false;
  const auto dimensions = nb::cast<nb::tuple>(array.attr("shape"));
  if (dimensions.size() == 0) return Append(nb::object(array[nb::make_tuple()]).ptr());
  std::vector<int64_t> shape;
  for (nb::handle extent : dimensions) shape.push_back(nb::cast<int64_t>(extent));
  if (!nb::cast<bool>(dtype.attr("isnative"))) array = array.attr("astype")(DtypeOf(kind));
  int64_t bytes = 0;
  const uint8_t* data = ContiguousData(array, &bytes);
  if (data == nullptr) {
    array = NumPy::Get().module.attr("ascontiguousarray")(array);
    data = ContiguousData(array, &bytes);
    if (data == nullptr) return false;
  }
  if (kind_ == ColumnKind::kNull) {
    kind_ = kind;
    tensor_ = true;
    shape_ = shape;
    row_bytes_ = bytes;
    data_.assign(static_cast<size_t>(rows_ * row_bytes_), '\0');
  } else if (!tensor_ || kind_ != kind || shape_ != shape) {
    return false;
  }
  data_.append(reinterpret_cast<const char*>(data), static_cast<size_t>(bytes));
  CountRow();
  return true;
}

std::string ValueBuilder::Offsets(ColumnKind* kind) const {
  std::string offsets;
  if (!HasOffsets(*kind)) return offsets;
  const bool wide = data_.size() > static_cast<size_t>(std::numeric_limits<int32_t>::max());
  const auto add = [&](int64_t end) {
    const auto narrow = static_cast<int32_t>(end);
    if (wide) {
      offsets.append(reinterpret_cast<const char*>(&end), sizeof end);
    } else {
      offsets.append(reinterpret_cast<const char*>(&narrow), sizeof narrow);
    }
  };
  offsets.reserve((ends_.size() + 1) * (wide ? sizeof(int64_t) : sizeof(int32_t)));
  add(0);
  for (const int64_t end : ends_) add(end);
  if (wide) {
    *kind = *kind == ColumnKind::kUtf8 ? ColumnKind::kLargeUtf8 : ColumnKind::kLargeBinary;
  }
  return offsets;
}

EncodedColumn ValueBuilder::Finish(std::string name) {
  EncodedColumn column;
  column.name = std::move(name);
  column.kind = kind_;
  column.rows = rows_;
  column.null_count = null_count_;
  column.shape = shape_;
  column.offsets = Offsets(&column.kind);
  if (null_count_ > 0 && kind_ != ColumnKind::kNull) {
    column.validity = PackBits(reinterpret_cast<const uint8_t*>(valid_.data()), rows_);
  }
  column.owned_data = kind_ == ColumnKind::kBool
                          ? PackBits(reinterpret_cast<const uint8_t*>(data_.data()),
                                     static_cast<int64_t>(data_.size()))
                          : std::move(data_);
  column.data_bytes = static_cast<int64_t>(column.owned_data.size());
  *this = ValueBuilder();
  return column;
}

nb::list ValueBuilder::Values() const {
  ColumnView view;
  view.name = "value";
  view.kind = kind_;
  view.rows = rows_;
  view.null_count = null_count_;
  view.shape = shape_;
  const std::string bits = PackBits(reinterpret_cast<const uint8_t*>(valid_.data()),
                                    static_cast<int64_t>(valid_.size()));
  const std::string offsets = Offsets(&view.kind);
  const std::string packed = kind_ == ColumnKind::kBool
                                 ? PackBits(reinterpret_cast<const uint8_t*>(data_.data()),
                                            static_cast<int64_t>(data_.size()))
                                 : std::string();
  if (null_count_ > 0) view.validity = reinterpret_cast<const uint8_t*>(bits.data());
  view.offsets = reinterpret_cast<const uint8_t*>(offsets.data());
  view.data =
      reinterpret_cast<const uint8_t*>(kind_ == ColumnKind::kBool ? packed.data() : data_.data());
  nb::object owner = nb::none();
  const RowReader reader(std::span(&view, 1), owner);
  nb::list values;
  for (int64_t row = 0; row < rows_; ++row) {
    nb::object value = reader.Row(row)["value"];
    values.append(view.shape.empty() || value.is_none() ? value : value.attr("copy")());
  }
  return values;
}

}  // namespace penstock::python
