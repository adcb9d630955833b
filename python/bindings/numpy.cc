#include "numpy.h"

#include <array>
#include <utility>

#include "penstock/base/check.h"

namespace penstock::python {
namespace {

// Exports memory through the buffer protocol and keeps its owner alive.
struct Memory {
  uint8_t* data;
  int64_t bytes;
  bool writable;
  nb::object owner;
};

int GetBuffer(PyObject* self, Py_buffer* view, int flags) {
  const Memory* memory = nb::inst_ptr<Memory>(self);
  return PyBuffer_FillInfo(view, self, memory->data, memory->bytes, memory->writable ? 0 : 1,
                           flags);
}

PyType_Slot memory_slots[] = {{Py_bf_getbuffer, reinterpret_cast<void*>(GetBuffer)}, {0, nullptr}};

constexpr std::array<const char*, 22> kDtypeNames = {
    nullptr,  "bool",   "int8",    "int16",   "int32",   "int64", "uint8", "uint16",
    "uint32", "uint64", "float16", "float32", "float64", nullptr, nullptr, nullptr,
    nullptr,  nullptr,  "M8[s]",   "M8[ms]",  "M8[us]",  "M8[ns]"};

// By kind, from kBool on.
constexpr std::array<const char*, 12> kScalarNames = {"bool_",  "int8",    "int16",   "int32",
                                                      "int64",  "uint8",   "uint16",  "uint32",
                                                      "uint64", "float16", "float32", "float64"};

constexpr std::array<int64_t, 22> kWidths = {0, 0, 1, 2, 4, 8, 1, 2, 4, 8, 2,
                                             4, 8, 0, 0, 0, 0, 0, 8, 8, 8, 8};

// The type belongs to no module that anyone sees; each extension module has its own.
void RegisterMemory() {
  [[maybe_unused]] static const bool registered = [] {
    nb::object scope = nb::steal(PyModule_New("penstock"));
    [[maybe_unused]] const nb::class_<Memory> type(scope, "_Memory", nb::type_slots(memory_slots));
    return scope.release().ptr() != nullptr;
  }();
}

nb::tuple ShapeTuple(std::span<const int64_t> shape) {
  PyObject* tuple = PyTuple_New(static_cast<Py_ssize_t>(shape.size()));
  if (tuple == nullptr) throw nb::python_error();
  for (size_t i = 0; i < shape.size(); ++i) {
    PyTuple_SET_ITEM(tuple, static_cast<Py_ssize_t>(i), PyLong_FromLongLong(shape[i]));
  }
  return nb::steal<nb::tuple>(tuple);
}

}  // namespace

const NumPy& NumPy::Get() {
  static const NumPy* const numpy = [] {
    nb::object module = nb::module_::import_("numpy");
    return new NumPy{module, module.attr("ndarray"), module.attr("generic"),
                     module.attr("datetime64"), module.attr("dtype")("object")};
  }();
  return *numpy;
}

int64_t WidthOf(ColumnKind kind) { return kWidths.at(static_cast<size_t>(kind)); }

bool HasOffsets(ColumnKind kind) {
  return kind >= ColumnKind::kUtf8 && kind <= ColumnKind::kLargeBinary;
}

bool IsText(ColumnKind kind) { return kind == ColumnKind::kUtf8 || kind == ColumnKind::kLargeUtf8; }

bool IsTimestamp(ColumnKind kind) { return kind >= ColumnKind::kTimestampSecond; }

bool IsInteger(ColumnKind kind) { return kind >= ColumnKind::kInt8 && kind <= ColumnKind::kUInt64; }

bool IsFloat(ColumnKind kind) {
  return kind >= ColumnKind::kFloat16 && kind <= ColumnKind::kFloat64;
}

nb::object DtypeOf(ColumnKind kind) {
  static auto* const dtypes = new std::array<PyObject*, kDtypeNames.size()>{};
  const auto index = static_cast<size_t>(kind);
  PENSTOCK_CHECK(kDtypeNames.at(index) != nullptr);
  PyObject*& dtype = (*dtypes)[index];
  if (dtype == nullptr)
    dtype = NumPy::Get().module.attr("dtype")(kDtypeNames[index]).release().ptr();
  return nb::borrow(dtype);
}

ColumnKind KindOfDtype(char letter, int64_t item_bytes, std::string_view unit) {
  const int power = item_bytes == 1 ? 0 : item_bytes == 2 ? 1 : item_bytes == 4 ? 2 : 3;
  if ((int64_t{1} << power) != item_bytes) return ColumnKind::kOther;
  const auto from = [&](ColumnKind first, int steps) {
    return static_cast<ColumnKind>(static_cast<uint32_t>(first) + static_cast<uint32_t>(steps));
  };
  switch (letter) {
    case 'b':
      return ColumnKind::kBool;
    case 'i':
      return from(ColumnKind::kInt8, power);
    case 'u':
      return from(ColumnKind::kUInt8, power);
    case 'f':
      return power == 0 ? ColumnKind::kOther : from(ColumnKind::kFloat16, power - 1);
    case 'M':
      if (unit == "s") return ColumnKind::kTimestampSecond;
      if (unit == "ms") return ColumnKind::kTimestampMilli;
      if (unit == "us") return ColumnKind::kTimestampMicro;
      if (unit == "ns") return ColumnKind::kTimestampNano;
      return ColumnKind::kOther;
    default:
      return ColumnKind::kOther;
  }
}

ColumnKind KindOfScalar(PyTypeObject* type) {
  using Entry = std::pair<PyTypeObject*, ColumnKind>;
  static const auto* const entries = [] {
    auto* made = new std::array<Entry, 12>;
    for (size_t i = 0; i < kScalarNames.size(); ++i) {
      nb::object scalar_type = NumPy::Get().module.attr(kScalarNames[i]);
      (*made)[i] = {reinterpret_cast<PyTypeObject*>(scalar_type.release().ptr()),
                    static_cast<ColumnKind>(i + 1)};
    }
    return made;
  }();
  for (const Entry& entry : *entries) {
    if (entry.first == type) return entry.second;
  }
  return ColumnKind::kOther;
}

std::string_view UnitOf(std::string_view dtype_text) {
  const size_t open = dtype_text.find('[');
  const size_t close = dtype_text.rfind(']');
  if (open == std::string_view::npos || close == std::string_view::npos) return {};
  return dtype_text.substr(open + 1, close - open - 1);
}

nb::object EmptyArray(std::span<const int64_t> shape, nb::handle dtype, uint8_t** data) {
  nb::object array = NumPy::Get().ndarray(ShapeTuple(shape), dtype);
  int64_t bytes = 0;
  // datetime64 arrays export no buffer; their int64 view shares the memory.
  const uint8_t* place = ContiguousData(array, &bytes);
  if (place == nullptr) place = ContiguousData(array.attr("view")("i8"), &bytes);
  PENSTOCK_CHECK(place != nullptr);
  *data = const_cast<uint8_t*>(place);
  return array;
}

nb::object ViewArray(std::span<const int64_t> shape, nb::handle dtype, const uint8_t* data,
                     int64_t bytes, nb::handle owner, bool writable) {
  RegisterMemory();
  static uint8_t nothing = 0;
  uint8_t* place = data == nullptr ? &nothing : const_cast<uint8_t*>(data);
  nb::object memory = nb::cast(new Memory{place, bytes, writable, nb::borrow(owner)},
                               nb::rv_policy::take_ownership);
  return NumPy::Get().ndarray(ShapeTuple(shape), dtype, memory);
}

const uint8_t* ContiguousData(nb::handle array, int64_t* bytes) {
  Py_buffer view;
  if (PyObject_GetBuffer(array.ptr(), &view, PyBUF_C_CONTIGUOUS | PyBUF_FORMAT) != 0) {
    PyErr_Clear();
    return nullptr;
  }
  const auto* data = static_cast<const uint8_t*>(view.buf);
  *bytes = view.len;
  PyBuffer_Release(&view);
  return data;
}

}  // namespace penstock::python
