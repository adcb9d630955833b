#include "penstock/block/zip.h"

#include <arrow/type.h>
#include <fmt/format.h>

#include <string>
#include <unordered_set>

#include "penstock/base/check.h"

namespace penstock {

std::shared_ptr<arrow::Schema> ZipSchemas(std::span<const std::shared_ptr<arrow::Schema>> inputs) {
  std::unordered_set<std::string> taken;
  arrow::FieldVector fields;
  for (const std::shared_ptr<arrow::Schema>& input : inputs) {
    for (const std::shared_ptr<arrow::Field>& field : input->fields()) {
      std::string name = field->name();
      for (int number = 1; !taken.insert(name).second; ++number) {
        name = fmt::format("{}_{}", field->name(), number);
      }
      fields.push_back(field->WithName(name));
    }
  }
  return arrow::schema(std::move(fields));
}

std::shared_ptr<arrow::RecordBatch> ZipBatches(
    std::span<const std::shared_ptr<arrow::RecordBatch>> inputs) {
  std::vector<std::shared_ptr<arrow::Schema>> schemas;
  std::vector<std::shared_ptr<arrow::ArrayData>> columns;
  const int64_t rows = inputs.front()->num_rows();
  for (const std::shared_ptr<arrow::RecordBatch>& input : inputs) {
    PENSTOCK_CHECK(input->num_rows() == rows);
    schemas.push_back(input->schema());
    columns.insert(columns.end(), input->column_data().begin(), input->column_data().end());
  }
  return arrow::RecordBatch::Make(ZipSchemas(schemas), rows, std::move(columns));
}

}  // namespace penstock
