#pragma once

#include <nanobind/nanobind.h>

#include <cstdint>
#include <span>
#include <string_view>

#include "penstock/block/layout.h"

/// The part of NumPy that the columns need, reached through Python: no NumPy header is compiled
/// in, so one build serves every NumPy. The GIL is held throughout.
namespace penstock::python {

namespace nb = nanobind;

/// NumPy's objects that are used per value; imported on first use, kept for ever.
struct NumPy {
  nb::object module;
  nb::object ndarray;     // The type.
  nb::object generic;     // The base type of its scalars.
  nb::object datetime64;  // The type.
  nb::object object_dtype;
  static const NumPy& Get();
};

/// Bytes of one value of a fixed-width kind; 0 for kBool, kNull and the kinds with offsets.
int64_t WidthOf(ColumnKind kind);

/// True for the kinds that have offsets: text and binary.
bool HasOffsets(ColumnKind kind);
bool IsText(ColumnKind kind);
bool IsTimestamp(ColumnKind kind);
bool IsInteger(ColumnKind kind);
bool IsFloat(ColumnKind kind);

/// Returns NumPy's dtype for a fixed-width kind or kBool, cached.
nb::object DtypeOf(ColumnKind kind);

/// Returns the kind of a dtype given as its kind letter, item size and unit ("us"); kOther if none.
ColumnKind KindOfDtype(char letter, int64_t item_bytes, std::string_view unit);

/// Returns the kind of a NumPy scalar by its type (np.float32 …), kOther when it is none.
ColumnKind KindOfScalar(PyTypeObject* type);

/// Returns the unit of a datetime64 dtype: "us" of "<M8[us]".
std::string_view UnitOf(std::string_view dtype_text);

/// Returns a new uninitialised array and the place of its first value.
nb::object EmptyArray(std::span<const int64_t> shape, nb::handle dtype, uint8_t** data);

/// Returns an array over memory that `owner` keeps alive. The array holds `owner`.
nb::object ViewArray(std::span<const int64_t> shape, nb::handle dtype, const uint8_t* data,
                     int64_t bytes, nb::handle owner, bool writable);

/// Returns where the C-contiguous memory of `array` starts, or nullptr (no error is left set) when
/// it is not C-contiguous or cannot be exported. Valid while the array lives.
const uint8_t* ContiguousData(nb::handle array, int64_t* bytes);

}  // namespace penstock::python
