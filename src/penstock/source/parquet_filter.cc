#include "penstock/source/parquet_filter.h"

#include <arrow/array/util.h>
#include <arrow/compute/exec.h>
#include <arrow/record_batch.h>

#include <algorithm>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <utility>

#include "penstock/plan/expression.h"

namespace penstock {
namespace {

namespace compute = arrow::compute;

bool Contains(const std::vector<std::string>& names, const std::string& name) {
  return std::ranges::find(names, name) != names.end();
}

/// Returns whether the one row may pass; a failure is for the rows themselves to tell.
bool Passes(const compute::Expression& expression, const arrow::RecordBatch& row) {
  const auto bound = BindExpression(expression, *row.schema());
  if (!bound.ok() || bound->type()->id() != arrow::Type::BOOL) return true;
  const auto value = compute::ExecuteScalarExpression(*bound, compute::ExecBatch(row));
  if (!value.ok()) return true;
  const auto scalar = value->is_scalar() ? Result<std::shared_ptr<arrow::Scalar>>(value->scalar())
                                         : value->make_array()->GetScalar(0);
  if (!scalar.ok()) return true;
  const auto* passes = dynamic_cast<const arrow::BooleanScalar*>(scalar->get());
  return passes == nullptr || (passes->is_valid && passes->value);
}

Result<std::shared_ptr<arrow::RecordBatch>> RowOf(const arrow::Schema& schema,
                                                  const arrow::ScalarVector& values) {
  arrow::ArrayVector columns;
  for (const auto& value : values) {
    PENSTOCK_TRY(columns.emplace_back(), arrow::MakeArrayFromScalar(*value, 1));
  }
  return arrow::RecordBatch::Make(arrow::schema(schema.fields()), 1, std::move(columns));
}

using KnownValues = std::map<std::string, std::shared_ptr<arrow::Scalar>>;

/// Returns the expression with the columns whose values are known as constants.
compute::Expression WithValues(const compute::Expression& expression, const KnownValues& values) {
  if (const arrow::FieldRef* reference = expression.field_ref()) {
    const std::string* name = reference->name();
    const auto found = name == nullptr ? values.end() : values.find(*name);
    return found == values.end() ? expression : compute::literal(found->second);
  }
  const compute::Expression::Call* call = expression.call();
  if (call == nullptr) return expression;
  std::vector<compute::Expression> arguments;
  for (const compute::Expression& argument : call->arguments) {
    arguments.push_back(WithValues(argument, values));
  }
  return compute::call(call->function_name, std::move(arguments), call->options);
}

}  // namespace

Result<ParquetFilter> ParquetFilter::Make(const std::optional<nlohmann::json>& filter,
                                          const FileColumns& file_columns) {
  ParquetFilter made;
  if (!filter) return made;
  for (const nlohmann::json& json : ConjunctsOf(*filter)) {
    PENSTOCK_TRY(auto expression, ExpressionFromJson(json));
    Part part{.expression = std::move(expression), .columns = ColumnsOf(json)};
    const auto is_of_file = [&](const std::string& name) {
      return file_columns.schema()->GetFieldIndex(name) >= 0;
    };
    part.of_files = !part.columns.empty() && std::ranges::all_of(part.columns, is_of_file);
    for (const std::string& name : part.columns) {
      if (part.of_files && !Contains(made.judged_columns_, name)) {
        made.judged_columns_.push_back(name);
      }
    }
    made.parts_.push_back(std::move(part));
  }
  return made;
}

bool ParquetFilter::MayMatch(const InputFile& file, const FileColumns& file_columns) const {
  if (judged_columns_.empty()) return true;
  const auto values = file_columns.ValuesOf(file);
  if (!values.ok()) return true;  // Opening the file fails with it.
  const auto row = RowOf(*file_columns.schema(), *values);
  return !row.ok() || std::ranges::all_of(parts_, [&](const Part& part) {
    return !part.of_files || Passes(part.expression, **row);
  });
}

std::vector<compute::Expression> ParquetFilter::For(const ParquetFooter& footer,
                                                    const InputFile& file,
                                                    const FileColumns& file_columns,
                                                    const std::vector<std::string>& changed) const {
  const auto values = parts_.empty() ? arrow::ScalarVector{}
                                     : file_columns.ValuesOf(file).ValueOr(arrow::ScalarVector{});
  KnownValues known;
  for (size_t i = 0; i < values.size(); ++i) {
    const std::string& name = file_columns.schema()->field(static_cast<int>(i))->name();
    if (footer.schema->GetFieldIndex(name) < 0) known.emplace(name, values[i]);
  }
  std::vector<compute::Expression> judged;
  for (const Part& part : parts_) {
    const auto is_changed = [&](const std::string& name) { return Contains(changed, name); };
    if (std::ranges::any_of(part.columns, is_changed)) continue;
    auto bound = BindExpression(WithValues(part.expression, known), *footer.schema);
    if (bound.ok()) judged.push_back(bound.MoveValueUnsafe());
  }
  return judged;
}

}  // namespace penstock
