#pragma once

#include <nanobind/nanobind.h>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "columns.h"
#include "row_encoder.h"
#include "row_reader.h"

namespace penstock::python {

/// What a row function does with a row.
enum class RowKind : uint8_t {
  kMap,      // Returns a row.
  kFlatMap,  // Returns any number of rows: an iterable of dicts.
  kFilter,   // Says whether the row stays.
};

/// Runs row functions one after the other over each row, holding one row at a time. The GIL is held
/// throughout.
class RowChain {
 public:
  void Add(RowKind kind, nb::object function);

  /// Runs the chain over the reader's rows and gathers what comes out. What a function returns and
  /// cannot be rows raises TypeError with three arguments: the function's place in the chain, what
  /// is wanted ("a dict", "dicts"), and what came. Exceptions of the functions pass through.
  void Run(const RowReader& reader, int64_t rows, RowEncoder* out);

  /// For a chain of filters only: one byte a row, 1 where all of them say yes.
  std::string Mask(const RowReader& reader, int64_t rows);

  /// The row, and the function's place in the chain, at which Run or Mask raised.
  int64_t row() const { return row_; }
  size_t step() const { return step_; }

 private:
  struct Step {
    RowKind kind;
    nb::object function;
  };
  nb::object Call(size_t step, nb::handle row);
  bool Keeps(size_t step, nb::handle row);
  void Push(nb::object row, size_t step, RowEncoder* out);
  void PushAll(nb::handle rows, size_t step, RowEncoder* out);

  std::vector<Step> steps_;
  int64_t row_ = 0;
  size_t step_ = 0;
};

/// Copies the rows whose byte in `mask` is 1 of a plain column.
EncodedColumn TakeRows(const ColumnView& column, const std::string& mask);

}  // namespace penstock::python
