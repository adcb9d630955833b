#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <type_traits>
#include <utility>

#include "penstock/base/status.h"

namespace penstock {

template <typename Value>
void PutOptional(nlohmann::json& json, const char* field, const std::optional<Value>& value) {
  if (value) json[field] = *value;
}

template <typename Value>
bool HasTypeOf(const nlohmann::json& json) {
  if constexpr (std::is_same_v<Value, bool>) {
    return json.is_boolean();
  } else if constexpr (std::is_integral_v<Value>) {
    if (!json.is_number_integer()) return false;
    if (json.is_number_unsigned()) return std::in_range<Value>(json.get<uint64_t>());
    return std::in_range<Value>(json.get<int64_t>());
  }
  return true;
}

/// Takes a field of an object where it is there, and leaves the default where it is not. Invalid
/// naming the field when its type is wrong.
template <typename Value>
Status Take(const nlohmann::json& json, const char* field, Value& value) {
  const auto found = json.find(field);
  if (found == json.end()) return Status::OK();
  try {
    if (HasTypeOf<Value>(*found)) {
      value = found->template get<Value>();
      return Status::OK();
    }
  } catch (const nlohmann::json::exception&) {
  }
  return Status::Invalid("field '", field, "' has the wrong type: ",
                         found->dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

template <typename Value>
Status Take(const nlohmann::json& json, const char* field, std::optional<Value>& value) {
  const auto found = json.find(field);
  if (found == json.end() || found->is_null()) return Status::OK();
  return Take(json, field, value.emplace());
}

}  // namespace penstock
