#pragma once

#include <nanobind/nanobind.h>

#include <span>

#include "columns.h"

namespace penstock::python {

/// Returns an "arrow_schema" capsule (Arrow's C data interface) of the columns as a struct's.
/// Throws std::invalid_argument for columns that are not plain.
nb::object ExportSchema(std::span<const ColumnView> columns);

/// Returns an "arrow_array_stream" capsule that yields the array of an "arrow_array" capsule once,
/// with the type of an "arrow_schema" capsule. The array moves into it; the schema is copied.
nb::object ExportStream(nb::handle schema_capsule, nb::handle array_capsule);

}  // namespace penstock::python
