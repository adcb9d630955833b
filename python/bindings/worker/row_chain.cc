#include "row_chain.h"

#include <cstring>

#include "bits.h"
#include "numpy.h"

namespace penstock::python {
namespace {

[[noreturn]] void RaiseBadRow(size_t step, const char* wanted, nb::handle came) {
  nb::object arguments = nb::make_tuple(step, wanted, came);
  PyErr_SetObject(PyExc_TypeError, arguments.ptr());
  throw nb::python_error();
}

template <typename Offset>
void TakeBytes(const ColumnView& column, const std::string& mask, EncodedColumn* taken) {
  const auto* offsets = reinterpret_cast<const Offset*>(column.offsets) + column.offset;
  const auto add_end = [&] {
    const auto end = static_cast<Offset>(taken->owned_data.size());
    taken->offsets.append(reinterpret_cast<const char*>(&end), sizeof end);
  };
  add_end();
  for (int64_t row = 0; row < column.rows; ++row) {
    if (mask[static_cast<size_t>(row)] == 0) continue;
    taken->owned_data.append(reinterpret_cast<const char*>(column.data) + offsets[row],
                             static_cast<size_t>(offsets[row + 1] - offsets[row]));
    add_end();
  }
}

void TakeFixed(const ColumnView& column, const std::string& mask, int64_t row_bytes,
               EncodedColumn* taken) {
  const auto* data = reinterpret_cast<const char*>(column.data) + column.offset * row_bytes;
  for (int64_t row = 0; row < column.rows; ++row) {
    if (mask[static_cast<size_t>(row)] == 0) continue;
    taken->owned_data.append(data + row * row_bytes, static_cast<size_t>(row_bytes));
  }
}

std::string TakeBits(const uint8_t* bits, int64_t offset, int64_t per_row,
                     const std::string& mask) {
  std::string bytes;
  for (size_t row = 0; row < mask.size(); ++row) {
    if (mask[row] == 0) continue;
    for (int64_t i = 0; i < per_row; ++i) {
      const int64_t index = (offset + static_cast<int64_t>(row)) * per_row + i;
      bytes.push_back(GetBit(bits, index) ? '\1' : '\0');
    }
  }
  return PackBits(reinterpret_cast<const uint8_t*>(bytes.data()),
                  static_cast<int64_t>(bytes.size()));
}

}  // namespace

void RowChain::Add(RowKind kind, nb::object function) {
  steps_.push_back({kind, std::move(function)});
}

nb::object RowChain::Call(size_t step, nb::handle row) {
  step_ = step;
  PyObject* result = PyObject_CallOneArg(steps_[step].function.ptr(), row.ptr());
  if (result == nullptr) throw nb::python_error();
  return nb::steal(result);
}

bool RowChain::Keeps(size_t step, nb::handle row) {
  nb::object verdict = Call(step, row);
  const int keeps = PyObject_IsTrue(verdict.ptr());
  if (keeps < 0) throw nb::python_error();
  return keeps != 0;
}

void RowChain::PushAll(nb::handle rows, size_t step, RowEncoder* out) {
  if (PyDict_Check(rows.ptr()) || PyUnicode_Check(rows.ptr())) RaiseBadRow(step, "dicts", rows);
  nb::object iterator = nb::steal(PyObject_GetIter(rows.ptr()));
  if (!iterator.is_valid()) {
    PyErr_Clear();
    RaiseBadRow(step, "dicts", rows);
  }
  while (PyObject* next = PyIter_Next(iterator.ptr())) {
    nb::object row = nb::steal(next);
    if (!PyDict_Check(next)) RaiseBadRow(step, "dicts", row);
    Push(std::move(row), step + 1, out);
    step_ = step;
  }
  if (PyErr_Occurred() != nullptr) throw nb::python_error();
}

void RowChain::Push(nb::object row, size_t step, RowEncoder* out) {
  for (; step < steps_.size(); ++step) {
    switch (steps_[step].kind) {
      case RowKind::kFilter:
        if (!Keeps(step, row)) return;
        break;
      case RowKind::kMap:
        row = Call(step, row);
        if (!PyDict_Check(row.ptr())) RaiseBadRow(step, "a dict", row);
        break;
      case RowKind::kFlatMap:
        PushAll(Call(step, row), step, out);
        return;
    }
  }
  out->Append(row);
}

void RowChain::Run(const RowReader& reader, int64_t rows, RowEncoder* out) {
  for (row_ = 0; row_ < rows; ++row_) Push(reader.Row(row_), 0, out);
}

std::string RowChain::Mask(const RowReader& reader, int64_t rows) {
  std::string mask(static_cast<size_t>(rows), '\0');
  for (row_ = 0; row_ < rows; ++row_) {
    nb::object row = reader.Row(row_);
    bool keeps = true;
    for (size_t step = 0; keeps && step < steps_.size(); ++step) keeps = Keeps(step, row);
    mask[static_cast<size_t>(row_)] = keeps ? '\1' : '\0';
  }
  return mask;
}

EncodedColumn TakeRows(const ColumnView& column, const std::string& mask) {
  EncodedColumn taken;
  taken.name = std::string(column.name);
  taken.kind = column.kind;
  taken.shape = column.shape;
  for (const char keep : mask) taken.rows += keep;
  int64_t per_row = 1;
  for (const int64_t extent : column.shape) per_row *= extent;
  if (column.kind == ColumnKind::kNull) {
    taken.null_count = taken.rows;
  } else if (column.kind == ColumnKind::kBool) {
    taken.owned_data = TakeBits(column.data, column.offset, per_row, mask);
  } else if (column.kind == ColumnKind::kLargeUtf8 || column.kind == ColumnKind::kLargeBinary) {
    TakeBytes<int64_t>(column, mask, &taken);
  } else if (HasOffsets(column.kind)) {
    TakeBytes<int32_t>(column, mask, &taken);
  } else {
    TakeFixed(column, mask, WidthOf(column.kind) * per_row, &taken);
  }
  taken.data_bytes = static_cast<int64_t>(taken.owned_data.size());
  if (column.validity != nullptr && column.null_count > 0) {
    taken.validity = TakeBits(column.validity, column.offset, 1, mask);
    taken.null_count =
        CountUnset(reinterpret_cast<const uint8_t*>(taken.validity.data()), 0, taken.rows);
  }
  return taken;
}

}  // namespace penstock::python
