#include <nanobind/stl/string.h>

#include <cstring>
#include <limits>

#include "bits.h"
#include "columns.h"
#include "numpy.h"
#include "value_builder.h"

namespace penstock::python {
namespace {

struct ArrayFacts {
  char letter = 'V';  // NumPy's kind of the dtype.
  int64_t item_bytes = 0;
  bool native = true;
  std::string unit;
  std::vector<int64_t> shape;
};

ArrayFacts FactsOf(nb::handle array) {
  ArrayFacts facts;
  nb::object dtype = array.attr("dtype");
  facts.letter = nb::cast<std::string>(nb::str(dtype.attr("kind"))).at(0);
  facts.item_bytes = nb::cast<int64_t>(dtype.attr("itemsize"));
  facts.native = nb::cast<bool>(dtype.attr("isnative"));
  if (facts.letter == 'M') {
    facts.unit = UnitOf(nb::cast<std::string>(nb::str(dtype.attr("str"))));
  }
  for (nb::handle extent : nb::cast<nb::tuple>(array.attr("shape"))) {
    facts.shape.push_back(nb::cast<int64_t>(extent));
  }
  return facts;
}

// Calls `get(i)` (borrowed references) for each value until one is not plain.
template <typename Get>
std::optional<EncodedColumn> EncodeValues(std::string_view name, int64_t count, Get get) {
  ValueBuilder builder;
  for (int64_t i = 0; i < count; ++i) {
    if (!builder.Append(get(i))) return std::nullopt;
  }
  return builder.Finish(std::string(name));
}

EncodedColumn Describe(std::string_view name, const ArrayFacts& facts) {
  EncodedColumn column;
  column.name = std::string(name);
  column.rows = facts.shape.front();
  column.shape.assign(facts.shape.begin() + 1, facts.shape.end());
  return column;
}

std::optional<EncodedColumn> EncodeNumbers(std::string_view name, nb::object array,
                                           const ArrayFacts& facts, ColumnKind kind) {
  EncodedColumn column = Describe(name, facts);
  column.kind = kind;
  if (!facts.native) array = array.attr("astype")(DtypeOf(kind));
  int64_t bytes = 0;
  const uint8_t* data = ContiguousData(array, &bytes);
  if (data == nullptr) {
    array = NumPy::Get().module.attr("ascontiguousarray")(array);
    data = ContiguousData(array, &bytes);
    if (data == nullptr) return std::nullopt;
  }
  if (kind == ColumnKind::kBool) {
    column.owned_data = PackBits(data, bytes);
    column.data_bytes = static_cast<int64_t>(column.owned_data.size());
    return column;
  }
  column.array = std::move(array);
  column.data = data;
  column.data_bytes = bytes;
  return column;
}

// Timestamps are written as int64; NaT becomes null where the column is not a tensor.
std::optional<EncodedColumn> EncodeTimes(std::string_view name, nb::object array,
                                         const ArrayFacts& facts) {
  ColumnKind kind = KindOfDtype('M', facts.item_bytes, facts.unit);
  if (facts.unit == "h" || facts.unit == "m") {
    kind = ColumnKind::kTimestampSecond;
    array = array.attr("astype")(DtypeOf(kind));
  }
  if (kind == ColumnKind::kOther) return std::nullopt;
  if (!facts.native) array = array.attr("astype")(DtypeOf(kind));
  array = NumPy::Get().module.attr("ascontiguousarray")(array).attr("view")("i8");
  std::optional<EncodedColumn> column =
      EncodeNumbers(name, array, {'i', 8, true, "", facts.shape}, ColumnKind::kInt64);
  if (!column) return column;
  column->kind = kind;
  if (facts.shape.size() > 1) return column;
  const auto* ticks = reinterpret_cast<const int64_t*>(column->data);
  std::string valid(static_cast<size_t>(column->rows), '\1');
  for (int64_t row = 0; row < column->rows; ++row) {
    if (ticks[row] != std::numeric_limits<int64_t>::min()) continue;
    valid[static_cast<size_t>(row)] = '\0';
    ++column->null_count;
  }
  if (column->null_count > 0) {
    column->validity = PackBits(reinterpret_cast<const uint8_t*>(valid.data()), column->rows);
  }
  return column;
}

void AppendCodePoint(uint32_t point, std::string* out) {
  const auto put = [&](uint32_t byte) { out->push_back(static_cast<char>(byte)); };
  if (point < 0x80) {
    put(point);
  } else if (point < 0x800) {
    put(0xc0 | (point >> 6));
    put(0x80 | (point & 0x3f));
  } else if (point < 0x10000) {
    put(0xe0 | (point >> 12));
    put(0x80 | ((point >> 6) & 0x3f));
    put(0x80 | (point & 0x3f));
  } else {
    put(0xf0 | (point >> 18));
    put(0x80 | ((point >> 12) & 0x3f));
    put(0x80 | ((point >> 6) & 0x3f));
    put(0x80 | (point & 0x3f));
  }
}

// Appends one fixed-width text of `units` code points; false when it holds a lone surrogate.
bool AppendWideText(const uint8_t* item, int64_t units, std::string* out) {
  const auto point_at = [&](int64_t i) {
    uint32_t point = 0;
    std::memcpy(&point, item + i * 4, sizeof point);
    return point;
  };
  while (units > 0 && point_at(units - 1) == 0) --units;
  for (int64_t i = 0; i < units; ++i) {
    const uint32_t point = point_at(i);
    if (point >= 0xd800 && point < 0xe000) return false;
    AppendCodePoint(point, out);
  }
  return true;
}

// Encodes NumPy's fixed-width text (U) and bytes (S), which it pads with zeros.
std::optional<EncodedColumn> EncodeFixedWidth(std::string_view name, nb::object array,
                                              const ArrayFacts& facts) {
  EncodedColumn column = Describe(name, facts);
  column.kind = facts.letter == 'U' ? ColumnKind::kUtf8 : ColumnKind::kBinary;
  if (!facts.native) array = array.attr("astype")(array.attr("dtype").attr("newbyteorder")("="));
  array = NumPy::Get().module.attr("ascontiguousarray")(array);
  int64_t bytes = 0;
  const uint8_t* items = ContiguousData(array, &bytes);
  if (items == nullptr) return std::nullopt;
  int32_t end = 0;
  column.offsets.append(reinterpret_cast<const char*>(&end), sizeof end);
  for (int64_t row = 0; row < column.rows; ++row) {
    const uint8_t* item = items + row * facts.item_bytes;
    if (facts.letter == 'U') {
      if (!AppendWideText(item, facts.item_bytes / 4, &column.owned_data)) return std::nullopt;
    } else {
      int64_t length = facts.item_bytes;
      while (length > 0 && item[length - 1] == 0) --length;
      column.owned_data.append(reinterpret_cast<const char*>(item), static_cast<size_t>(length));
    }
    if (column.owned_data.size() > size_t{std::numeric_limits<int32_t>::max()}) {
      return std::nullopt;
    }
    end = static_cast<int32_t>(column.owned_data.size());
    column.offsets.append(reinterpret_cast<const char*>(&end), sizeof end);
  }
  column.data_bytes = static_cast<int64_t>(column.owned_data.size());
  return column;
}

std::optional<EncodedColumn> EncodeObjects(std::string_view name, nb::object array,
                                           const ArrayFacts& facts) {
  array = NumPy::Get().module.attr("ascontiguousarray")(array);
  int64_t bytes = 0;
  const auto* slots = reinterpret_cast<PyObject* const*>(ContiguousData(array, &bytes));
  if (slots == nullptr) return std::nullopt;
  return EncodeValues(name, facts.shape.front(),
                      [&](int64_t i) { return slots[i] == nullptr ? Py_None : slots[i]; });
}

std::optional<EncodedColumn> EncodeArray(std::string_view name, nb::object array) {
  ArrayFacts facts = FactsOf(array);
  if (facts.shape.empty()) return std::nullopt;
  if (facts.letter == 'M') return EncodeTimes(name, std::move(array), facts);
  const ColumnKind kind = KindOfDtype(facts.letter, facts.item_bytes, "");
  if (kind != ColumnKind::kOther) return EncodeNumbers(name, std::move(array), facts, kind);
  if (facts.shape.size() > 1) return std::nullopt;
  switch (facts.letter) {
    case 'U':
    case 'S':
      return EncodeFixedWidth(name, std::move(array), facts);
    case 'T':  // NumPy's variable-width strings; missing ones become its na_object.
      return EncodeObjects(name, array.attr("astype")("object"), facts);
    case 'O':
      return EncodeObjects(name, std::move(array), facts);
    default:
      return std::nullopt;
  }
}

std::optional<EncodedColumn> EncodeSequence(std::string_view name, nb::handle values) {
  nb::object fast = nb::steal(PySequence_Fast(values.ptr(), "not a sequence"));
  if (!fast.is_valid()) throw nb::python_error();
  PyObject** items = PySequence_Fast_ITEMS(fast.ptr());
  return EncodeValues(name, PySequence_Fast_GET_SIZE(fast.ptr()),
                      [&](int64_t i) { return items[i]; });
}

// Brings a tensor of torch's kind to the CPU, off the graph, in a dtype that NumPy knows.
nb::object Detached(nb::handle values) {
  nb::object tensor = nb::borrow(values);
  if (!nb::hasattr(tensor, "detach") || !nb::hasattr(tensor, "cpu")) return tensor;
  tensor = tensor.attr("detach")().attr("cpu")();
  const auto dtype = nb::cast<std::string>(nb::repr(tensor.attr("dtype")));
  return dtype == "torch.bfloat16" ? tensor.attr("float")() : tensor;
}

}  // namespace

std::optional<EncodedColumn> Encode(std::string_view name, nb::handle values) {
  const NumPy& numpy = NumPy::Get();
  if (Py_TYPE(values.ptr()) == reinterpret_cast<PyTypeObject*>(numpy.ndarray.ptr())) {
    return EncodeArray(name, nb::borrow(values));
  }
  if (PyList_Check(values.ptr()) || PyTuple_Check(values.ptr())) {
    return EncodeSequence(name, values);
  }
  // Arrow knows its own types better, and masked arrays.
  if (nb::hasattr(values, "__arrow_c_array__") || nb::hasattr(values, "__arrow_c_stream__") ||
      nb::hasattr(values, "mask") || !nb::hasattr(values, "__array__")) {
    return std::nullopt;
  }
  nb::object tensor = Detached(values);  // A device's error passes through.
  try {
    nb::object array = numpy.module.attr("asarray")(tensor);
    const ArrayFacts facts = FactsOf(array);
    if (facts.letter == 'O') return std::nullopt;
    return EncodeArray(name, std::move(array));
  } catch (const nb::python_error&) {
    return std::nullopt;
  }
}

}  // namespace penstock::python
