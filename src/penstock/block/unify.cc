#include "penstock/block/unify.h"

#include <arrow/array/util.h>
#include <arrow/compute/cast.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include <set>
#include <string_view>
#include <utility>

#include "penstock/base/error.h"
#include "penstock/block/tensor_union.h"

namespace penstock {
namespace {

Status CheckNames(const arrow::Schema& schema) {
  std::set<std::string_view> seen;
  for (const auto& field : schema.fields()) {
    if (seen.insert(field->name()).second) continue;
    return MakeError(ErrorKind::kSchemaMismatch,
                     fmt::format("Two columns have one name, so that they cannot be matched with "
                                 "those of other blocks; rename one; got: {}",
                                 field->name()));
  }
  return Status::OK();
}

arrow::Field::MergeOptions Promotions() {
  auto options = arrow::Field::MergeOptions::Permissive();
  options.promote_integer_to_decimal = false;
  options.promote_decimal_to_float = false;
  return options;
}

/// A dictionary is one way to hold its values: beside another way, the values count.
std::shared_ptr<arrow::Field> WithoutDictionary(const std::shared_ptr<arrow::Field>& field) {
  if (field->type()->id() != arrow::Type::DICTIONARY) return field;
  return field->WithType(static_cast<const arrow::DictionaryType&>(*field->type()).value_type());
}

Result<std::shared_ptr<arrow::Field>> UnifyFields(const std::shared_ptr<arrow::Field>& first,
                                                  const std::shared_ptr<arrow::Field>& other) {
  const bool nullable = first->nullable() || other->nullable();
  if (first->type()->Equals(*other->type())) return first->WithNullable(nullable);
  if (first->type()->id() == arrow::Type::NA) return other->WithNullable(true);
  auto merged = first->MergeWith(other, Promotions());
  if (!merged.ok()) {
    merged = WithoutDictionary(first)->MergeWith(WithoutDictionary(other), Promotions());
  }
  if (merged.ok()) return merged;
  const auto tensors = CommonTensorType(first->type(), other->type());
  if (tensors != nullptr) return first->WithType(tensors)->WithNullable(nullable);
  return MakeError(
      ErrorKind::kSchemaMismatch,
      fmt::format("Column '{}' is {} in one place and {} in another, and no type "
                  "holds both; cast it to one type where it is made",
                  first->name(), first->type()->ToString(), other->type()->ToString()));
}

Result<std::shared_ptr<arrow::Array>> BringToType(const std::shared_ptr<arrow::Array>& column,
                                                  const arrow::Field& field) {
  if (column->type()->Equals(*field.type())) return column;
  if (column->type_id() == arrow::Type::NA) {
    return arrow::MakeArrayOfNull(field.type(), column->length());
  }
  PENSTOCK_TRY(const auto tensors, BringTensors(*column, field.type()));
  if (tensors != nullptr) return tensors;
  auto cast = arrow::compute::Cast(*column, field.type());
  if (cast.ok()) return cast;
  return MakeError(
      ErrorKind::kSchemaMismatch,
      fmt::format("Column '{}' is {} in one place and {} in another, and not all of its values "
                  "stay what they are as {}; cast it to one type where it is made; {}",
                  field.name(), column->type()->ToString(), field.type()->ToString(),
                  field.type()->ToString(), cast.status().message()));
}

}  // namespace

Result<std::shared_ptr<arrow::Schema>> UnifySchemas(const std::shared_ptr<arrow::Schema>& first,
                                                    const std::shared_ptr<arrow::Schema>& other) {
  if (first->Equals(*other, /*check_metadata=*/false)) return first;
  PENSTOCK_RETURN_NOT_OK(CheckNames(*first));
  PENSTOCK_RETURN_NOT_OK(CheckNames(*other));
  arrow::FieldVector fields;
  for (const auto& field : first->fields()) {
    const auto found = other->GetFieldByName(field->name());
    if (found == nullptr) {
      fields.push_back(field->WithNullable(true));
    } else {
      PENSTOCK_TRY(fields.emplace_back(), UnifyFields(field, found));
    }
  }
  for (const auto& field : other->fields()) {
    if (first->GetFieldIndex(field->name()) < 0) fields.push_back(field->WithNullable(true));
  }
  return arrow::schema(std::move(fields), first->metadata());
}

Result<std::shared_ptr<arrow::RecordBatch>> BringToSchema(
    const std::shared_ptr<arrow::RecordBatch>& batch,
    const std::shared_ptr<arrow::Schema>& schema) {
  if (batch->schema()->Equals(*schema, /*check_metadata=*/false)) return batch;
  arrow::ArrayVector columns;
  for (const auto& field : schema->fields()) {
    const auto column = batch->GetColumnByName(field->name());
    if (column == nullptr) {
      PENSTOCK_TRY(columns.emplace_back(),
                   arrow::MakeArrayOfNull(field->type(), batch->num_rows()));
    } else {
      PENSTOCK_TRY(columns.emplace_back(), BringToType(column, *field));
    }
  }
  return arrow::RecordBatch::Make(schema, batch->num_rows(), std::move(columns));
}

}  // namespace penstock
