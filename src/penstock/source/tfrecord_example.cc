#include "penstock/source/tfrecord_example.h"

#include <bit>

#include "penstock/source/utf8.h"

namespace penstock {
namespace {

// Fields of the messages Example, Features, a map's entry, Feature and its lists.
constexpr uint64_t kExampleFeatures = 1;
constexpr uint64_t kFeaturesFeature = 1;
constexpr uint64_t kEntryKey = 1;
constexpr uint64_t kEntryValue = 2;
constexpr uint64_t kListValue = 1;
constexpr uint64_t kFeatureListLast =
    3;  // 1: bytes, 2: floats, 3: integers, as FeatureKind has it.

enum class Wire : uint8_t { kVarint = 0, kEightBytes = 1, kCounted = 2, kFourBytes = 5 };

struct Field {
  uint64_t number = 0;
  Wire wire = Wire::kVarint;
  uint64_t value = 0;      // Of a varint.
  std::string_view bytes;  // Of all others.
};

/// Reads the fields of a protobuf message, trusting none of its bytes.
class MessageReader {
 public:
  explicit MessageReader(std::string_view message) : rest_(message) {}

  bool at_end() const { return rest_.empty(); }

  /// Returns false where the message is cut off, or its bytes are no field.
  bool Next(Field* field) {
    uint64_t tag = 0;
    if (!Varint(&tag)) return false;
    field->number = tag >> 3;
    field->wire = static_cast<Wire>(tag & 7);
    uint64_t length = 0;
    switch (field->wire) {
      case Wire::kVarint:
        return Varint(&field->value);
      case Wire::kEightBytes:
        return Take(8, &field->bytes);
      case Wire::kFourBytes:
        return Take(4, &field->bytes);
      case Wire::kCounted:
        return Varint(&length) && Take(length, &field->bytes);
    }
    return false;
  }

  bool Varint(uint64_t* value) {
    *value = 0;
    for (size_t i = 0; i < rest_.size() && i < kVarintBytesMax; ++i) {
      const auto byte = static_cast<unsigned char>(rest_[i]);
      *value |= uint64_t{byte & 0x7FU} << (7 * i);
      if (byte < 0x80) {
        rest_.remove_prefix(i + 1);
        return true;
      }
    }
    return false;
  }

 private:
  static constexpr size_t kVarintBytesMax = 10;

  bool Take(uint64_t count, std::string_view* bytes) {
    if (count > rest_.size()) return false;
    *bytes = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return true;
  }

  std::string_view rest_;
};

Status Foreign(const char* message, const Field& field) {
  return Status::Invalid("the record is no tf.train.Example: its ", message,
                         " has another field, number ", field.number);
}

/// Calls `take` with each field; it returns whether the message has such a field.
template <typename Take>
Status ForEachField(std::string_view bytes, const char* message, Take take) {
  MessageReader reader(bytes);
  Field field;
  while (!reader.at_end()) {
    if (!reader.Next(&field)) {
      return Status::Invalid("the record is no tf.train.Example: its ", message, " is cut off");
    }
    PENSTOCK_TRY(const bool known, take(field));
    if (!known) return Foreign(message, field);
  }
  return Status::OK();
}

Result<Feature> ParseEntry(std::string_view bytes) {
  Feature feature;
  PENSTOCK_RETURN_NOT_OK(ForEachField(bytes, "feature", [&](const Field& field) -> Result<bool> {
    if (field.wire != Wire::kCounted) return false;
    if (field.number == kEntryKey) {
      feature.name = field.bytes;
    } else if (field.number == kEntryValue) {
      feature.message = field.bytes;
    } else {
      return false;
    }
    return true;
  }));
  if (!IsUtf8(feature.name)) {
    return Status::Invalid("the record is no tf.train.Example: a feature's name is not UTF-8");
  }
  return feature;
}

float FloatOf(const char* bytes) {
  uint32_t bits = 0;
  for (size_t i = 0; i < sizeof(bits); ++i) {
    bits |= uint32_t{static_cast<unsigned char>(bytes[i])} << (8 * i);
  }
  return std::bit_cast<float>(bits);
}

bool AppendFloats(const Field& field, std::vector<float>* values) {
  const bool fits = field.wire == Wire::kFourBytes || field.wire == Wire::kCounted;
  if (!fits || field.bytes.size() % sizeof(float) != 0) return false;
  for (size_t at = 0; at < field.bytes.size(); at += sizeof(float)) {
    values->push_back(FloatOf(field.bytes.data() + at));
  }
  return true;
}

bool AppendIntegers(const Field& field, std::vector<int64_t>* values) {
  if (field.wire == Wire::kVarint) {
    values->push_back(static_cast<int64_t>(field.value));
    return true;
  }
  if (field.wire != Wire::kCounted) return false;
  MessageReader packed(field.bytes);
  uint64_t value = 0;
  while (!packed.at_end()) {
    if (!packed.Varint(&value)) return false;
    values->push_back(static_cast<int64_t>(value));
  }
  return true;
}

Result<int64_t> ParseList(std::string_view list, FeatureKind kind, FeatureValues* values) {
  const auto held = [&] {
    return values->texts.size() + values->floats.size() + values->integers.size();
  };
  const size_t before = held();
  PENSTOCK_RETURN_NOT_OK(
      ForEachField(list, "list of values", [&](const Field& field) -> Result<bool> {
        if (field.number != kListValue) return false;
        if (kind == FeatureKind::kFloats) return AppendFloats(field, &values->floats);
        if (kind == FeatureKind::kIntegers) return AppendIntegers(field, &values->integers);
        if (field.wire == Wire::kCounted) values->texts.push_back(field.bytes);
        return field.wire == Wire::kCounted;
      }));
  return static_cast<int64_t>(held() - before);
}

}  // namespace

std::string_view NameOf(FeatureKind kind) {
  switch (kind) {
    case FeatureKind::kNone:
      return "nothing";
    case FeatureKind::kBytes:
      return "bytes";
    case FeatureKind::kFloats:
      return "float";
    case FeatureKind::kIntegers:
      return "int";
  }
  return "nothing";
}

Status ParseExample(std::string_view record, std::vector<Feature>* features) {
  const auto take_feature = [&](const Field& field) -> Result<bool> {
    if (field.number != kFeaturesFeature || field.wire != Wire::kCounted) return false;
    PENSTOCK_TRY(features->emplace_back(), ParseEntry(field.bytes));
    return true;
  };
  return ForEachField(record, "message", [&](const Field& field) -> Result<bool> {
    if (field.number != kExampleFeatures || field.wire != Wire::kCounted) return false;
    PENSTOCK_RETURN_NOT_OK(ForEachField(field.bytes, "map of features", take_feature));
    return true;
  });
}

Result<FeatureShape> ParseFeature(std::string_view message, FeatureValues* values) {
  FeatureShape shape;
  PENSTOCK_RETURN_NOT_OK(ForEachField(message, "feature", [&](const Field& field) -> Result<bool> {
    const bool known = field.number >= 1 && field.number <= kFeatureListLast;
    if (!known || field.wire != Wire::kCounted) return false;
    if (shape.kind != FeatureKind::kNone) {
      return Status::Invalid("the feature has two lists of values");
    }
    shape.kind = static_cast<FeatureKind>(field.number);
    PENSTOCK_TRY(shape.count, ParseList(field.bytes, shape.kind, values));
    return true;
  }));
  return shape;
}

}  // namespace penstock
