#pragma once

#include <fmt/format.h>

#include <optional>
#include <string_view>

#include "penstock/base/status.h"

namespace penstock {

/// Invalid, naming the field, unless the value is at least `least`.
template <typename Value>
Status AtLeast(std::string_view field, Value least, Value value) {
  if (value >= least) return Status::OK();
  return Status::Invalid(fmt::format("{} must be at least {}, not {}", field, least, value));
}

template <typename Value>
Status AtLeast(std::string_view field, Value least, const std::optional<Value>& value) {
  return value ? AtLeast(field, least, *value) : Status::OK();
}

}  // namespace penstock
