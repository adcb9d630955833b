#pragma once

#include <nanobind/nanobind.h>

#include <cstdint>
#include <span>

#include "penstock/block/layout.h"

namespace penstock::python {

namespace nb = nanobind;

/// Where a packed batch's columns lie.
struct PackedParts {
  int64_t first_row;  // The rows before it are left out.
  int64_t rows;
  std::span<const NodeEntry> nodes;
  std::span<const BufferEntry> buffers;
  const uint8_t* base;
  nb::handle owner;  // Kept alive by what is exported.
};

/// Returns an "arrow_array" capsule (Arrow's C data interface): a struct array whose children are
/// the batch's columns, with types as the "arrow_schema" capsule says. Copies nothing. Throws
/// std::invalid_argument when parts and schema do not fit together.
nb::object ExportArrow(const PackedParts& parts, nb::handle schema_capsule);

}  // namespace penstock::python
