#include "penstock/sink/plain_columns.h"

#include <arrow/compute/cast.h>
#include <arrow/extension_type.h>
#include <arrow/type.h>

#include <set>
#include <utility>

#include "penstock/block/tensor_union.h"

namespace penstock {

Result<std::shared_ptr<arrow::Schema>> ChooseTypes(const arrow::Schema& schema,
                                                   const TypeChoice& choice) {
  arrow::FieldVector fields;
  std::set<std::string_view> names;
  for (const auto& field : schema.fields()) {
    if (!names.insert(field->name()).second) {
      return Status::Invalid("Two columns have one name; rename one; got: ", field->name());
    }
    auto type = choice(*field->type());
    if (!type.ok()) {
      return type.status().WithMessage("Column '", field->name(), "': ", type.status().message());
    }
    fields.push_back(field->WithType(*std::move(type)));
  }
  return arrow::schema(std::move(fields));
}

Result<std::shared_ptr<arrow::RecordBatch>> CastColumns(
    const std::shared_ptr<arrow::RecordBatch>& batch,
    const std::shared_ptr<arrow::Schema>& schema) {
  arrow::ArrayVector columns;
  for (int i = 0; i < batch->num_columns(); ++i) {
    std::shared_ptr<arrow::Array> column = batch->column(i);
    const auto& wanted = schema->field(i)->type();
    PENSTOCK_TRY(const auto lists, BringTensors(*column, wanted));
    if (lists != nullptr) column = lists;
    while (column->type_id() == arrow::Type::EXTENSION && !column->type()->Equals(*wanted)) {
      column = static_cast<const arrow::ExtensionArray&>(*column).storage();
    }
    if (!column->type()->Equals(*wanted)) {
      PENSTOCK_TRY(column, arrow::compute::Cast(*column, wanted));
    }
    columns.push_back(std::move(column));
  }
  return arrow::RecordBatch::Make(schema, batch->num_rows(), std::move(columns));
}

}  // namespace penstock
