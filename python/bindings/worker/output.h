#pragma once

#include <nanobind/nanobind.h>

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "arrow_import.h"
#include "columns.h"
#include "row_encoder.h"

namespace penstock::python {

/// Columns on their way into a segment, by layout.h. Columns that are not plain are named first and
/// given later, as Arrow. The GIL is held throughout.
class Output {
 public:
  /// Adds a column; without `encoded` its values must come through SetArrow.
  void Add(std::string name, std::optional<EncodedColumn> encoded);

  void SetEncoded(size_t column, EncodedColumn values);
  void SetArrow(size_t column, ArrowColumn values);
  void SetSchema(std::string message) { schema_ = std::move(message); }

  /// Rows when there are no columns.
  void SetRows(int64_t rows) { rows_ = rows; }

  struct Facts {
    std::string name;
    ColumnKind kind = ColumnKind::kOther;
    int64_t rows = -1;  // -1: its values are still missing.
    std::vector<int64_t> shape;
  };
  std::vector<Facts> Describe() const;

  bool has_columns() const { return !columns_.empty(); }
  int64_t rows() const;

  /// Says how many bytes Write needs. Throws std::invalid_argument while columns are missing or
  /// differ in length, or the schema message is missing though a column needs it.
  int64_t Plan();

  /// Writes Plan() bytes to `place`, which is 64-byte aligned.
  void Write(uint8_t* place) const;

 private:
  struct Column {
    std::string name;
    std::variant<std::monostate, EncodedColumn, ArrowColumn> values;
  };
  void PlanColumn(const Column& column, std::string* names);
  void PlanEncoded(const EncodedColumn& column);
  int64_t PlaceBuffers(int64_t place);

  std::vector<Column> columns_;
  std::string schema_;
  int64_t rows_ = 0;

  BatchHeader header_;  // Filled by Plan, like all below.
  std::vector<ColumnEntry> entries_;
  std::vector<NodeEntry> nodes_;
  std::vector<BufferSlice> slices_;
  std::vector<BufferEntry> buffers_;
  std::vector<int64_t> dimensions_;
  std::string names_;
};

}  // namespace penstock::python
