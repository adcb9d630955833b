#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "penstock/base/status.h"

namespace penstock {

/// Which of its three lists a feature of a tf.train.Example has.
enum class FeatureKind : uint8_t {
  kNone,      // No list: the feature has no value.
  kBytes,     // bytes_list
  kFloats,    // float_list
  kIntegers,  // int64_list
};

/// "bytes", "float", "int", as Ray calls them; "nothing".
std::string_view NameOf(FeatureKind kind);

/// The values of many features, in their order. Texts borrow the record.
struct FeatureValues {
  std::vector<std::string_view> texts;
  std::vector<float> floats;
  std::vector<int64_t> integers;
};

/// A feature of one record. Borrows the record.
struct Feature {
  std::string_view name;     // UTF-8.
  std::string_view message;  // For ParseFeature.
};

/// Finds the features of an encoded tf.train.Example. Invalid for bytes that are none: damaged
/// ones, and fields that an Example does not have, since another message's values would be lost in
/// silence.
Status ParseExample(std::string_view record, std::vector<Feature>* features);

/// What list a feature has, with how many values.
struct FeatureShape {
  FeatureKind kind = FeatureKind::kNone;
  int64_t count = 0;
};

/// Appends a feature's values, packed or not. Invalid as ParseExample; then a part may be appended.
Result<FeatureShape> ParseFeature(std::string_view message, FeatureValues* values);

}  // namespace penstock
