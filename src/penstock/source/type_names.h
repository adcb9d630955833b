#pragma once

#include <arrow/type.h>

#include <memory>
#include <string>
#include <unordered_map>

#include "penstock/base/status.h"
#include "penstock/plan/options.h"

namespace penstock {

using ColumnTypes = std::unordered_map<std::string, std::shared_ptr<arrow::DataType>>;

/// Reads an option such as "column_types": {"column": "int64"}. Types go by Arrow's names: null,
/// bool, int8 to int64, uint8 to uint64, float, double, string, large_string, binary, large_binary,
/// date32, timestamp[s], timestamp[ms], timestamp[us], timestamp[ns].
Result<ColumnTypes> ReadColumnTypes(OptionReader& options,
                                    const std::string& name = "column_types");

}  // namespace penstock
