#pragma once

#include <nanobind/nanobind.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "penstock/block/layout.h"

/// Translates between plain columns (layout.h) and NumPy arrays, lists and row dicts. Uses NumPy
/// and the interpreter only, not Arrow, so that a worker starts without loading it. The GIL is held
/// throughout.
namespace penstock::python {

namespace nb = nanobind;

/// A plain column in memory that someone else owns. Pointers are null where absent.
struct ColumnView {
  std::string_view name;
  ColumnKind kind = ColumnKind::kOther;
  int64_t rows = 0;
  int64_t null_count = 0;
  int64_t offset = 0;                 // First row, counted in all of the buffers below.
  const uint8_t* validity = nullptr;  // Bits.
  const uint8_t* offsets = nullptr;   // Utf8 and binary kinds: int32 or int64, rows + 1 of them.
  const uint8_t* data = nullptr;
  std::vector<int64_t> shape;  // Of one row; empty for scalars.
};

/// Returns a NumPy array as Ray Data's "numpy" batch format has it: numbers and tensors as views
/// of the memory (`owner` is kept alive by the array), bools as a copy, strings and binary as
/// object arrays, timestamps as datetime64; numbers with nulls become float64 with NaN (float32
/// and float16 keep their type), bools and others with nulls become object arrays with None.
nb::object ToNumpy(const ColumnView& column, nb::handle owner, bool writable);

/// Returns one dict for each of `rows` rows with plain Python values (int, float, str, bytes, bool,
/// None, datetime; tensors as NumPy arrays).
nb::list ToRows(std::span<const ColumnView> columns, int64_t rows, nb::handle owner);

/// Returns a column's name in UTF-8. Raises TypeError for what is not text, ValueError for text
/// that has no UTF-8 (a lone surrogate), naming it.
std::string ColumnName(nb::handle name);

/// A column on its way into shared memory: what is to be written, or a reference to where it lies.
struct EncodedColumn {
  std::string name;
  ColumnKind kind = ColumnKind::kOther;
  int64_t rows = 0;
  int64_t null_count = 0;
  std::vector<int64_t> shape;
  std::string validity;           // Owned bits; empty: no nulls.
  std::string offsets;            // Owned int32 or int64 offsets; empty: none.
  std::string owned_data;         // Owned values, or
  nb::object array;               // the array whose memory holds them,
  const uint8_t* data = nullptr;  // at this place (null: they are in `owned_data`),
  int64_t data_bytes = 0;         // this long.
};

/// Encodes an array, list or tensor (anything with __array__ over a plain dtype; torch tensors on
/// the CPU) without copying its data where it is C-contiguous; nullopt when the value is not plain
/// (ragged, nested, mixed, Decimal, …): then Arrow must try. Raises nothing for such values, but
/// what a device raises while a tensor is brought from it.
std::optional<EncodedColumn> Encode(std::string_view name, nb::handle values);

/// Gathers a list of row dicts by key, in the order of the first row's keys. Keys missing in some
/// rows become nulls. Returns (columns, names of the keys that are not plain).
struct EncodedRows {
  int64_t rows = 0;
  std::vector<EncodedColumn> columns;
  std::vector<std::string> others;
};
EncodedRows EncodeRows(nb::list rows);

}  // namespace penstock::python
