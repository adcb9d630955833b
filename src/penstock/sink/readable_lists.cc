#include "penstock/sink/readable_lists.h"

#include <arrow/array/array_nested.h>
#include <arrow/extension/variable_shape_tensor.h>
#include <arrow/extension_type.h>
#include <arrow/type.h>
#include <arrow/util/key_value_metadata.h>

#include <nlohmann/json.hpp>
#include <string>

#include "penstock/block/tensor.h"

namespace penstock {
namespace {

using arrow::Type;
using TypePointer = std::shared_ptr<arrow::DataType>;

bool IsUnreadable(const arrow::Array& array, bool null_above);

bool AnyFieldIsUnreadable(const arrow::StructArray& parts, bool null_above) {
  for (int i = 0; i < parts.num_fields(); ++i) {
    if (IsUnreadable(*parts.field(i), null_above || parts.null_count() > 0)) return true;
  }
  return false;
}

template <typename List>
bool ValuesAreUnreadable(const arrow::Array& array) {
  const auto& lists = static_cast<const List&>(array);
  if (lists.length() == 0) return false;
  const int64_t first = lists.value_offset(0);
  const int64_t end = lists.value_offset(lists.length());
  return IsUnreadable(*lists.values()->Slice(first, end - first), /*null_above=*/false);
}

bool IsUnreadable(const arrow::Array& array, bool null_above) {
  switch (array.type_id()) {
    case Type::EXTENSION:
      return IsUnreadable(*static_cast<const arrow::ExtensionArray&>(array).storage(), null_above);
    case Type::STRUCT:
      return AnyFieldIsUnreadable(static_cast<const arrow::StructArray&>(array), null_above);
    case Type::LIST:
    case Type::MAP:
      return ValuesAreUnreadable<arrow::ListArray>(array);
    case Type::LARGE_LIST:
      return ValuesAreUnreadable<arrow::LargeListArray>(array);
    case Type::FIXED_SIZE_LIST: {
      const auto& lists = static_cast<const arrow::FixedSizeListArray&>(array);
      return null_above || array.null_count() > 0 || lists.list_type()->list_size() == 0 ||
             ValuesAreUnreadable<arrow::FixedSizeListArray>(array);
    }
    default:
      return false;
  }
}

/// Returns the type with lists of any size in place of those of a fixed one. Maps keep theirs.
TypePointer WithLists(const TypePointer& type) {
  switch (type->id()) {
    case Type::EXTENSION:
      return WithLists(static_cast<const arrow::ExtensionType&>(*type).storage_type());
    case Type::STRUCT: {
      arrow::FieldVector fields = type->fields();
      for (auto& field : fields) field = field->WithType(WithLists(field->type()));
      return arrow::struct_(std::move(fields));
    }
    case Type::LIST:
    case Type::FIXED_SIZE_LIST:
      return arrow::list(type->field(0)->WithType(WithLists(type->field(0)->type())));
    case Type::LARGE_LIST:
      return arrow::large_list(type->field(0)->WithType(WithLists(type->field(0)->type())));
    default:
      return type;
  }
}

std::shared_ptr<arrow::Field> Named(const std::shared_ptr<arrow::Field>& field, const char* name,
                                    const nlohmann::json& metadata) {
  return field->WithMergedMetadata(arrow::key_value_metadata(
      {"ARROW:extension:name", "ARROW:extension:metadata"}, {name, metadata.dump()}));
}

std::shared_ptr<arrow::Field> ReadableField(const arrow::Field& field) {
  const auto stored = field.WithType(WithLists(field.type()));
  const TensorParts tensor = TensorPartsOf(*field.type());
  if (tensor.values != nullptr) return Named(stored, "ray.data.arrow_tensor", tensor.shape);
  const auto* ragged =
      dynamic_cast<const arrow::extension::VariableShapeTensorType*>(field.type().get());
  if (ragged == nullptr || !ragged->permutation().empty()) return stored;
  return Named(stored, "ray.data.arrow_variable_shaped_tensor", ragged->ndim());
}

}  // namespace

std::shared_ptr<arrow::Schema> ReadableSchema(const arrow::RecordBatch& batch) {
  arrow::FieldVector fields = batch.schema()->fields();
  bool changed = false;
  for (size_t i = 0; i < fields.size(); ++i) {
    if (!IsUnreadable(*batch.column(static_cast<int>(i)), /*null_above=*/false)) continue;
    fields[i] = ReadableField(*fields[i]);
    changed = true;
  }
  return changed ? arrow::schema(std::move(fields), batch.schema()->metadata()) : batch.schema();
}

}  // namespace penstock
