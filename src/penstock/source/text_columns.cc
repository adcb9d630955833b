#include "penstock/source/text_columns.h"

#include <arrow/type.h>

#include <utility>

#include "penstock/block/unify.h"

namespace penstock {

Result<std::shared_ptr<arrow::RecordBatch>> TextColumns::Fit(
    std::shared_ptr<arrow::RecordBatch> batch) {
  if (schema_ == nullptr) return batch;
  const auto found = only_wanted_ ? OnlyColumnsOf(*batch->schema(), *schema_) : batch->schema();
  if (!found->Equals(*schema_, /*check_metadata=*/false)) {
    PENSTOCK_TRY(schema_, UnifySchemas(schema_, found));
  }
  return BringToSchema(batch, schema_);
}

std::shared_ptr<arrow::Schema> OnlyColumnsOf(const arrow::Schema& schema,
                                             const arrow::Schema& wanted) {
  arrow::FieldVector fields;
  for (const auto& field : schema.fields()) {
    if (wanted.GetFieldIndex(field->name()) >= 0) fields.push_back(field);
  }
  return arrow::schema(std::move(fields));
}

}  // namespace penstock
