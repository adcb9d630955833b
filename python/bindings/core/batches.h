#pragma once

#include <arrow/record_batch.h>
#include <nanobind/nanobind.h>

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "columns.h"
#include "penstock/base/status.h"

/// Translates between Arrow record batches and Python's columns, rows and Arrow capsules.
namespace penstock::python {

/// Returns the column as plain memory, or nullopt when its type is not plain (layout.h). Views
/// `column`'s buffers, and `name`.
std::optional<ColumnView> PlainView(std::string_view name, const arrow::Array& column);

/// Wraps encoded columns of `rows` rows as a record batch; arrays of Python are lent, not copied.
/// Invalid when a column has another length, naming two columns and their lengths.
Result<std::shared_ptr<arrow::RecordBatch>> BatchOf(std::vector<EncodedColumn> columns,
                                                    int64_t rows);

/// Reads everything from an object with __arrow_c_stream__ (a pyarrow Table, reader, …).
Result<std::vector<std::shared_ptr<arrow::RecordBatch>>> ImportStream(nb::handle exporter);

/// Returns the pair of capsules that __arrow_c_array__ returns, sharing the columns.
nb::tuple ExportBatch(const arrow::RecordBatch& batch);

/// Returns the capsule that __arrow_c_schema__ returns.
nb::object ExportSchema(const arrow::Schema& schema);

}  // namespace penstock::python
