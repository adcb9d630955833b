#include "penstock/source/column_choice.h"

#include <arrow/array/util.h>
#include <arrow/scalar.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <set>
#include <utility>

#include "penstock/base/check.h"

namespace penstock {
namespace {

constexpr const char* kPathColumn = "path";

Status CheckNames(const arrow::Schema& input, bool include_paths, const std::string& where) {
  std::set<std::string> names;
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

}  // namespace

Result<ColumnChoice> ColumnChoice::Make(const arrow::Schema& input,
                                        const std::optional<std::vector<std::string>>& columns,
                                        bool include_paths, const std::string& where) {
  PENSTOCK_RETURN_NOT_OK(CheckNames(input, include_paths, where));
  std::vector<std::string> names = columns.value_or(input.field_names());
  if (include_paths && !columns) names.push_back(kPathColumn);
  arrow::FieldVector read;
  arrow::FieldVector output;
  ColumnChoice choice;
  std::set<std::string> asked;
  for (const std::string& name : names) {
    if (!asked.insert(name).second) {
      return Status::Invalid(fmt::format("{}: a column is asked for twice; got: {}", where, name));
    }
    if (include_paths && name == kPathColumn) {
      choice.path_position_ = static_cast<int>(output.size());
      output.push_back(arrow::field(kPathColumn, arrow::utf8()));
      continue;
    }
    const auto field = input.GetFieldByName(name);
    if (field == nullptr) {
      return Status::KeyError(
          fmt::format("Read ({}) reads column '{}', which does not exist; columns: {}", where, name,
                      fmt::join(input.field_names(), ", ")));
    }
    read.push_back(field);
    output.push_back(field);
  }
  choice.read_schema_ = arrow::schema(std::move(read), input.metadata());
  choice.output_schema_ = arrow::schema(std::move(output), input.metadata());
  return choice;
}

Result<std::shared_ptr<arrow::RecordBatch>> ColumnChoice::Assemble(const arrow::RecordBatch& data,
                                                                   const std::string& path) const {
  arrow::ArrayVector columns;
  for (int i = 0; i < output_schema_->num_fields(); ++i) {
    if (i == path_position_) {
      PENSTOCK_TRY(auto paths,
                   arrow::MakeArrayFromScalar(arrow::StringScalar(path), data.num_rows()));
      columns.push_back(std::move(paths));
      continue;
    }
    auto column = data.GetColumnByName(output_schema_->field(i)->name());
    PENSTOCK_CHECK(column != nullptr);
    columns.push_back(std::move(column));
  }
  return arrow::RecordBatch::Make(output_schema_, data.num_rows(), std::move(columns));
}

}  // namespace penstock
