#include "penstock/source/column_choice.h"

#include <arrow/array/util.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>
#include <utility>

#include "penstock/base/check.h"

namespace penstock {
namespace {

constexpr const char* kPathColumn = "path";

Status CheckNames(const arrow::Schema& input, const arrow::Schema& file_columns,
                  const std::string& where) {
  std::set<std::string> names;
  const bool include_paths = file_columns.GetFieldIndex(kPathColumn) >= 0;
  if (include_paths) names.insert(kPathColumn);
  for (const std::string& name : input.field_names()) {
    if (names.insert(name).second) continue;
    const char* advice = include_paths && name == kPathColumn ? " (one of them is include_paths')"
                                                              : "; rename one in the file";
    return Status::Invalid(
        fmt::format("{}: two columns have one name{}; got: {}", where, advice, name));
  }
  return Status::OK();
}

std::vector<std::string> AllNames(const arrow::Schema& input, const arrow::Schema& file_columns) {
  std::vector<std::string> names = input.field_names();
  for (const std::string& name : file_columns.field_names()) {
    if (input.GetFieldIndex(name) < 0) names.push_back(name);
  }
  return names;
}

}  // namespace

Result<ColumnChoice> ColumnChoice::Make(const arrow::Schema& input,
                                        const std::optional<std::vector<std::string>>& columns,
                                        const FileColumns& file_columns, const std::string& where) {
  const arrow::Schema& own = *file_columns.schema();
  PENSTOCK_RETURN_NOT_OK(CheckNames(input, own, where));
  arrow::FieldVector read;
  arrow::FieldVector output;
  ColumnChoice choice;
  choice.only_chosen_ = columns.has_value();
  std::set<std::string> asked;
  for (const std::string& name : columns ? *columns : AllNames(input, own)) {
    if (!asked.insert(name).second) {
      return Status::Invalid(fmt::format("{}: a column is asked for twice; got: {}", where, name));
    }
    const auto field = input.GetFieldByName(name);
    const int of_file = field == nullptr ? own.GetFieldIndex(name) : -1;
    if (field == nullptr && of_file < 0) {
      return Status::KeyError(
          fmt::format("Read ({}) reads column '{}', which does not exist; columns: {}", where, name,
                      fmt::join(AllNames(input, own), ", ")));
    }
    if (field != nullptr) read.push_back(field);
    output.push_back(field != nullptr ? field : own.field(of_file));
    choice.file_columns_.push_back(of_file);
  }
  choice.read_schema_ = arrow::schema(std::move(read), input.metadata());
  choice.output_schema_ = arrow::schema(std::move(output), input.metadata());
  return choice;
}

bool ColumnChoice::has_file_columns() const {
  return std::ranges::any_of(file_columns_, [](int of_file) { return of_file >= 0; });
}

Result<std::shared_ptr<arrow::RecordBatch>> ColumnChoice::Assemble(
    const arrow::RecordBatch& data, const arrow::ScalarVector& file_values) const {
  arrow::ArrayVector of_files(file_values.size());
  for (const int of_file : file_columns_) {
    if (of_file < 0) continue;
    const auto position = static_cast<size_t>(of_file);
    PENSTOCK_TRY(of_files[position],
                 arrow::MakeArrayFromScalar(*file_values[position], data.num_rows()));
  }
  return Assemble(data, of_files);
}

Result<std::shared_ptr<arrow::RecordBatch>> ColumnChoice::Assemble(
    const arrow::RecordBatch& data, const arrow::ArrayVector& of_files) const {
  arrow::ArrayVector columns;
  arrow::FieldVector fields;
  for (int i = 0; i < output_schema_->num_fields(); ++i) {
    const auto& expected = output_schema_->field(i);
    const int of_file = file_columns_[static_cast<size_t>(i)];
    if (of_file >= 0) {
      columns.push_back(of_files[static_cast<size_t>(of_file)]);
      fields.push_back(expected);
      continue;
    }
    const auto column = data.GetColumnByName(expected->name());
    PENSTOCK_CHECK(column != nullptr);
    const bool as_expected = column->type()->Equals(*expected->type());
    fields.push_back(as_expected ? expected : data.schema()->GetFieldByName(expected->name()));
    columns.push_back(column);
  }
  for (int i = 0; i < data.num_columns() && !only_chosen_; ++i) {
    if (read_schema_->GetFieldIndex(data.column_name(i)) >= 0) continue;
    fields.push_back(data.schema()->field(i));
    columns.push_back(data.column(i));
  }
  const bool as_expected = fields == output_schema_->fields();
  const auto schema =
      as_expected ? output_schema_ : arrow::schema(std::move(fields), output_schema_->metadata());
  return arrow::RecordBatch::Make(schema, data.num_rows(), std::move(columns));
}

}  // namespace penstock
