#include "penstock/block/ray_tensor.h"

#include <arrow/array.h>
#include <arrow/compute/cast.h>
#include <arrow/extension/variable_shape_tensor.h>
#include <arrow/extension_type.h>
#include <arrow/util/bitmap_ops.h>
#include <arrow/util/key_value_metadata.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "penstock/base/error.h"
#include "penstock/block/tensor.h"

namespace penstock {
namespace {

using Type = std::shared_ptr<arrow::DataType>;

constexpr const char* kExtensionName = "ARROW:extension:name";
constexpr const char* kExtensionMetadata = "ARROW:extension:metadata";

std::string MetadataOf(const arrow::Field& field, const char* key) {
  return field.HasMetadata() ? field.metadata()->Get(key).ValueOr("") : "";
}

Type ListValues(const arrow::DataType& type) {
  if (type.id() == arrow::Type::LIST || type.id() == arrow::Type::LARGE_LIST) {
    return static_cast<const arrow::BaseListType&>(type).value_type();
  }
  return nullptr;
}

/// Returns null for what is no tensor of Ray's, or cannot be told to be one.
Type FixedShape(const arrow::Field& field, const nlohmann::json& metadata) {
  const Type values = ListValues(*field.type());
  if (values == nullptr || !metadata.is_array()) return nullptr;
  std::vector<int64_t> shape;
  for (const nlohmann::json& dimension : metadata) {
    if (!dimension.is_number_integer()) return nullptr;
    shape.push_back(dimension.get<int64_t>());
  }
  return TensorType(values, shape).ValueOr(nullptr);
}

Type VariableShape(const arrow::Field& field, const nlohmann::json& metadata) {
  if (field.type()->id() != arrow::Type::STRUCT || !metadata.is_number_unsigned()) return nullptr;
  const auto& parts = static_cast<const arrow::StructType&>(*field.type());
  const auto data = parts.GetFieldByName("data");
  const auto shape = parts.GetFieldByName("shape");
  if (data == nullptr || shape == nullptr || ListValues(*shape->type()) == nullptr) return nullptr;
  const Type values = ListValues(*data->type());
  constexpr int64_t kDimensionsMax = 64;
  const auto dimensions = metadata.get<int64_t>();
  if (values == nullptr || dimensions < 1 || dimensions > kDimensionsMax) return nullptr;
  return arrow::extension::VariableShapeTensorType::Make(values, static_cast<int32_t>(dimensions))
      .ValueOr(nullptr);
}

Type CanonicalType(const arrow::Field& field) {
  const std::string name = MetadataOf(field, kExtensionName);
  if (!name.starts_with("ray.data.arrow_")) return nullptr;
  const auto metadata = nlohmann::json::parse(MetadataOf(field, kExtensionMetadata), nullptr,
                                              /*allow_exceptions=*/false);
  if (name == "ray.data.arrow_variable_shaped_tensor") return VariableShape(field, metadata);
  if (!name.starts_with("ray.data.arrow_tensor")) return nullptr;
  return FixedShape(field, metadata);
}

Result<std::shared_ptr<arrow::Array>> StorageAs(const std::shared_ptr<arrow::Array>& stored,
                                                const Type& wanted) {
  if (wanted->id() != arrow::Type::STRUCT) return arrow::compute::Cast(*stored, wanted);
  const auto& parts = static_cast<const arrow::StructArray&>(*stored);
  arrow::ArrayVector cast;
  for (const std::shared_ptr<arrow::Field>& field : wanted->fields()) {
    const std::shared_ptr<arrow::Array> part = parts.GetFieldByName(field->name());
    PENSTOCK_TRY(cast.emplace_back(), arrow::compute::Cast(*part, field->type()));
  }
  std::shared_ptr<arrow::Buffer> validity;
  if (stored->null_count() > 0) {
    PENSTOCK_TRY(validity, arrow::internal::CopyBitmap(arrow::default_memory_pool(),
                                                       stored->null_bitmap_data(), stored->offset(),
                                                       stored->length()));
  }
  return arrow::StructArray::Make(cast, wanted->fields(), std::move(validity));
}

}  // namespace

std::shared_ptr<arrow::Schema> WithCanonicalTensors(const std::shared_ptr<arrow::Schema>& stored) {
  arrow::FieldVector fields = stored->fields();
  bool changed = false;
  for (std::shared_ptr<arrow::Field>& field : fields) {
    const Type type = CanonicalType(*field);
    if (type == nullptr) continue;
    field = arrow::field(field->name(), type, field->nullable());
    changed = true;
  }
  return changed ? arrow::schema(std::move(fields), stored->metadata()) : stored;
}

Result<std::shared_ptr<arrow::RecordBatch>> WithCanonicalTensors(
    const std::shared_ptr<arrow::RecordBatch>& stored) {
  const std::shared_ptr<arrow::Schema> schema = WithCanonicalTensors(stored->schema());
  if (schema == stored->schema()) return stored;
  arrow::ArrayVector columns = stored->columns();
  for (int i = 0; i < schema->num_fields(); ++i) {
    const Type& type = schema->field(i)->type();
    if (type->Equals(*stored->schema()->field(i)->type())) continue;
    const auto& extension = static_cast<const arrow::ExtensionType&>(*type);
    std::shared_ptr<arrow::Array>& column = columns[static_cast<size_t>(i)];
    Result<std::shared_ptr<arrow::Array>> storage = StorageAs(column, extension.storage_type());
    if (!storage.ok()) {
      return MakeError(ErrorKind::kCorruptData, "Column '" + schema->field(i)->name() +
                                                    "' is not the tensors that its " +
                                                    "type promises: " + storage.status().message());
    }
    column = arrow::ExtensionType::WrapArray(type, *std::move(storage));
  }
  return arrow::RecordBatch::Make(schema, stored->num_rows(), std::move(columns));
}

}  // namespace penstock
