#include <arrow/array/concatenate.h>
#include <arrow/array/util.h>
#include <arrow/compute/exec.h>

#include "penstock/op/columns.h"
#include "penstock/op/operators.h"
#include "penstock/op/positions.h"
#include "penstock/op/schema_cache.h"
#include "penstock/plan/expression.h"

namespace penstock {
namespace {

namespace compute = arrow::compute;

struct AssignedColumn {
  std::string name;
  compute::Expression expression;
  std::vector<std::string> reads;
  std::string text;

  Status Explained(const Status& status) const {
    return status.WithMessage("Column '", name, "' = ", text, ": ", status.message());
  }
};

/// The expressions bound to a schema, and the place of each in the output.
struct BoundAssign {
  std::vector<compute::Expression> expressions;
  std::vector<int> places;
  std::shared_ptr<arrow::Schema> schema;
};

Result<std::shared_ptr<arrow::Array>> AsArray(const arrow::Datum& value, int64_t rows) {
  if (value.is_scalar()) return arrow::MakeArrayFromScalar(*value.scalar(), rows);
  if (value.is_chunked_array()) {
    if (value.chunked_array()->num_chunks() == 0) return arrow::MakeEmptyArray(value.type());
    return arrow::Concatenate(value.chunked_array()->chunks());
  }
  return value.make_array();
}

class AssignTransform final : public Transform {
 public:
  AssignTransform(std::vector<AssignedColumn> columns, PositionColumns positions)
      : columns_(std::move(columns)), positions_(positions) {}

  Result<Block> Apply(Block block) const override {
    PENSTOCK_TRY(const auto bound, BoundFor(block.batch->schema()));
    auto columns = block.batch->columns();
    columns.resize(static_cast<size_t>(bound->schema->num_fields()));
    PENSTOCK_TRY(const auto rows, WithPositions(block, positions_));
    const compute::ExecBatch input(*rows);
    for (size_t i = 0; i < columns_.size(); ++i) {
      auto value = compute::ExecuteScalarExpression(bound->expressions[i], input);
      if (!value.ok()) return columns_[i].Explained(value.status());
      PENSTOCK_TRY(columns[static_cast<size_t>(bound->places[i])], AsArray(*value, block.rows()));
    }
    block.batch = arrow::RecordBatch::Make(bound->schema, block.rows(), std::move(columns));
    block.packed = nullptr;
    return block;
  }

  Result<std::shared_ptr<arrow::Schema>> OutputSchema(
      const std::shared_ptr<arrow::Schema>& input) const override {
    PENSTOCK_TRY(const auto bound, BoundFor(input));
    return bound->schema;
  }

 private:
  Result<std::shared_ptr<const BoundAssign>> BoundFor(
      const std::shared_ptr<arrow::Schema>& schema) const {
    return cache_.Get(schema, [&](const arrow::Schema& input) {
      return Bind(input, *WithPositions(schema, positions_));
    });
  }

  Result<BoundAssign> Bind(const arrow::Schema& input, const arrow::Schema& read) const {
    BoundAssign bound;
    arrow::FieldVector fields = input.fields();
    for (const AssignedColumn& column : columns_) {
      for (const std::string& name : column.reads) {
        PENSTOCK_RETURN_NOT_OK(FindColumn(input, name, "Column '" + column.name + "'").status());
      }
      auto expression = BindExpression(column.expression, read);
      if (!expression.ok()) return column.Explained(expression.status());
      auto field = arrow::field(column.name, expression->type()->GetSharedPtr());
      const std::vector<int> same_name = input.GetAllFieldIndices(column.name);
      if (same_name.size() > 1) return FindColumn(input, column.name, "Assign").status();
      bound.places.push_back(same_name.empty() ? static_cast<int>(fields.size()) : same_name[0]);
      if (same_name.empty()) {
        fields.push_back(std::move(field));
      } else {
        fields[static_cast<size_t>(same_name[0])] = std::move(field);
      }
      bound.expressions.push_back(*std::move(expression));
    }
    bound.schema = arrow::schema(std::move(fields), input.metadata());
    return bound;
  }

  const std::vector<AssignedColumn> columns_;
  const PositionColumns positions_;
  const SchemaCache<BoundAssign> cache_;
};

}  // namespace

Result<std::unique_ptr<Transform>> MakeAssign(AssignOp op) {
  std::vector<AssignedColumn> columns;
  PositionColumns positions;
  for (auto& [name, json] : op.columns) {
    positions = PositionsIn(json, positions);
    PENSTOCK_TRY(compute::Expression expression, ExpressionFromJson(json));
    columns.push_back(
        {std::move(name), std::move(expression), ColumnsOf(json), ExpressionText(json)});
  }
  return std::make_unique<AssignTransform>(std::move(columns), positions);
}

}  // namespace penstock
