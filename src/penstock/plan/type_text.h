#pragma once

#include <arrow/type.h>

#include <memory>
#include <string_view>

#include "penstock/base/status.h"

namespace penstock {

/// Reads an Arrow type from its own text: "int64", "timestamp[us, tz=UTC]", "decimal128(10, 2)",
/// "list<item: int64>", "fixed_size_list<item: float>[3]", "struct<a: int64, b: string>",
/// "map<string, int64>", "dictionary<values=string, indices=int32, ordered=0>"; also "boolean",
/// "float16", "float32", "float64", "utf8", "large_utf8", "date32" and "date64". The fields of
/// lists and structs may be followed by " not null". Invalid for any other text, naming it. Nested
/// at most 64 deep.
Result<std::shared_ptr<arrow::DataType>> TypeFromText(std::string_view text);

}  // namespace penstock
