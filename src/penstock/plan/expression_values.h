#pragma once

#include <arrow/array.h>
#include <arrow/scalar.h>

#include <memory>
#include <nlohmann/json_fwd.hpp>

#include "penstock/base/status.h"

namespace penstock {

/// Reads a constant from {"literal": value, "type": name}; see expression.h.
Result<std::shared_ptr<arrow::Scalar>> ScalarFromJson(const nlohmann::json& json);

/// Reads constants of one type from a list of values. `type` is a name or null: then they are
/// bool, int64, uint64, double or string, as all of the values that are not null fit.
Result<std::shared_ptr<arrow::Array>> ArrayFromJson(const nlohmann::json& values,
                                                    const nlohmann::json& type);

}  // namespace penstock
