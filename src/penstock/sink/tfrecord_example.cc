#include "penstock/sink/tfrecord_example.h"

#include <arrow/array.h>
#include <arrow/extension_type.h>
#include <arrow/type.h>
#include <arrow/type_traits.h>
#include <arrow/util/float16.h>
#include <arrow/visit_array_inline.h>

#include <bit>
#include <limits>
#include <string_view>
#include <type_traits>

#include "penstock/block/ragged.h"

namespace penstock {
namespace {

// Fields of the messages Example, Features, a map's entry and Feature.
constexpr uint32_t kExampleFeatures = 1;
constexpr uint32_t kFeaturesFeature = 1;
constexpr uint32_t kEntryKey = 1;
constexpr uint32_t kEntryValue = 2;
constexpr uint32_t kFeatureBytes = 1;
constexpr uint32_t kFeatureFloats = 2;
constexpr uint32_t kFeatureIntegers = 3;
constexpr uint32_t kListValue = 1;
constexpr uint32_t kLengthDelimited = 2;

void AppendVarint(uint64_t value, std::string* out) {
  while (value >= 0x80) {
    *out += static_cast<char>(value | 0x80);
    value >>= 7;
  }
  *out += static_cast<char>(value);
}

void AppendField(uint32_t field, std::string_view value, std::string* out) {
  AppendVarint(field << 3 | kLengthDelimited, out);
  AppendVarint(value.size(), out);
  *out += value;
}

uint32_t FeatureFieldOf(const arrow::DataType& type) {
  switch (type.id()) {
    case arrow::Type::STRING:
    case arrow::Type::LARGE_STRING:
    case arrow::Type::BINARY:
    case arrow::Type::LARGE_BINARY:
    case arrow::Type::FIXED_SIZE_BINARY:
      return kFeatureBytes;
    case arrow::Type::HALF_FLOAT:
    case arrow::Type::FLOAT:
    case arrow::Type::DOUBLE:
      return kFeatureFloats;
    case arrow::Type::BOOL:
      return kFeatureIntegers;
    default:
      return arrow::is_integer(type.id()) ? kFeatureIntegers : 0;
  }
}

void AppendFloat(float value, std::string* out) {
  const auto bits = std::bit_cast<uint32_t>(value);
  for (int i = 0; i < 4; ++i) *out += static_cast<char>(bits >> (8 * i));
}

/// Appends one value to what the feature's list holds.
struct AppendValue {
  int64_t row;
  std::string* out;

  Status Visit(const arrow::BooleanArray& array) {
    AppendVarint(array.Value(row) ? 1 : 0, out);
    return Status::OK();
  }
  Status Visit(const arrow::HalfFloatArray& array) {
    AppendFloat(arrow::util::Float16::FromBits(array.Value(row)).ToFloat(), out);
    return Status::OK();
  }
  template <typename Type>
  Status Visit(const arrow::NumericArray<Type>& array) {
    const auto value = array.Value(row);
    if constexpr (std::is_floating_point_v<decltype(value)>) {
      AppendFloat(static_cast<float>(value), out);
    } else {
      if constexpr (std::is_same_v<decltype(value), const uint64_t>) {
        if (value > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) {
          return Status::Invalid("an integer is beyond 63 bits, the most that a TFRecord holds: ",
                                 value);
        }
      }
      AppendVarint(static_cast<uint64_t>(static_cast<int64_t>(value)), out);
    }
    return Status::OK();
  }
  template <typename Type>
  Status Visit(const arrow::BaseBinaryArray<Type>& array) {
    AppendField(kListValue, array.GetView(row), out);
    return Status::OK();
  }
  Status Visit(const arrow::FixedSizeBinaryArray& array) {
    AppendField(kListValue, array.GetView(row), out);
    return Status::OK();
  }
  Status Visit(const arrow::Array& array) {
    return Status::Invalid("no feature holds such values: ", array.type()->ToString());
  }
};

/// Returns the value, or the values of a list however deep, as one array.
Result<std::shared_ptr<arrow::Array>> ValuesOf(std::shared_ptr<arrow::Array> one) {
  while (true) {
    switch (one->type_id()) {
      case arrow::Type::EXTENSION:
        if (RaggedPartsOf(*one->type()).values != nullptr) {
          PENSTOCK_TRY(one, RaggedColumn(*one).data().Flatten());
        } else {
          one = static_cast<const arrow::ExtensionArray&>(*one).storage();
        }
        continue;
      case arrow::Type::LIST: {
        PENSTOCK_TRY(one, static_cast<const arrow::ListArray&>(*one).Flatten());
        continue;
      }
      case arrow::Type::LARGE_LIST: {
        PENSTOCK_TRY(one, static_cast<const arrow::LargeListArray&>(*one).Flatten());
        continue;
      }
      case arrow::Type::FIXED_SIZE_LIST: {
        PENSTOCK_TRY(one, static_cast<const arrow::FixedSizeListArray&>(*one).Flatten());
        continue;
      }
      default:
        return one;
    }
  }
}

Status AppendFeature(const std::shared_ptr<arrow::Array>& column, int64_t row, std::string* out) {
  if (column->IsNull(row)) return Status::OK();
  const bool single = FeatureFieldOf(*column->type()) != 0;
  std::shared_ptr<arrow::Array> values = column;
  if (!single) {
    PENSTOCK_TRY(values, ValuesOf(column->Slice(row, 1)));
  }
  const uint32_t field = FeatureFieldOf(*values->type());
  const int64_t end = single ? row + 1 : values->length();
  std::string list;
  for (int64_t i = single ? row : 0; i < end; ++i) {
    if (values->IsNull(i)) {
      return Status::Invalid("a feature's list has no nulls; fill or drop them");
    }
    AppendValue append{.row = i, .out = &list};
    PENSTOCK_RETURN_NOT_OK(arrow::VisitArrayInline(*values, &append));
  }
  if (field == kFeatureBytes) {
    AppendField(field, list, out);
    return Status::OK();
  }
  std::string packed;
  if (!list.empty()) AppendField(kListValue, list, &packed);
  AppendField(field, packed, out);
  return Status::OK();
}

}  // namespace

Status CheckFeatureType(const arrow::DataType& type) {
  const arrow::DataType* values = &type;
  while (true) {
    if (RaggedPartsOf(*values).values != nullptr) {
      values = RaggedPartsOf(*values).values.get();
    } else if (values->id() == arrow::Type::EXTENSION) {
      values = static_cast<const arrow::ExtensionType&>(*values).storage_type().get();
    } else if (arrow::is_list_like(values->id()) && values->id() != arrow::Type::MAP) {
      values = values->field(0)->type().get();
    } else {
      break;
    }
  }
  if (values->id() == arrow::Type::NA || FeatureFieldOf(*values) != 0) return Status::OK();
  return Status::Invalid(
      "a TFRecord holds integers, floats, text and binary, and lists of them; cast the column; "
      "got: ",
      type.ToString());
}

Status AppendExample(const arrow::RecordBatch& batch, int64_t row, std::string* out) {
  std::string features;
  std::string feature;
  std::string entry;
  for (int i = 0; i < batch.num_columns(); ++i) {
    feature.clear();
    entry.clear();
    const Status appended = AppendFeature(batch.column(i), row, &feature);
    if (!appended.ok()) {
      return appended.WithMessage("Column '", batch.column_name(i), "': ", appended.message());
    }
    AppendField(kEntryKey, batch.column_name(i), &entry);
    AppendField(kEntryValue, feature, &entry);
    AppendField(kFeaturesFeature, entry, &features);
  }
  AppendField(kExampleFeatures, features, out);
  return Status::OK();
}

}  // namespace penstock
