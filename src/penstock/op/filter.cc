#include <arrow/compute/api_vector.h>
#include <arrow/compute/exec.h>

#include "penstock/base/check.h"
#include "penstock/op/columns.h"
#include "penstock/op/operators.h"
#include "penstock/op/positions.h"
#include "penstock/op/schema_cache.h"
#include "penstock/plan/expression.h"

namespace penstock {
namespace {

namespace compute = arrow::compute;

/// The expression bound to a schema: as a whole, and its conjuncts one by one.
struct BoundFilter {
  compute::Expression whole;
  std::vector<compute::Expression> parts;
};

Result<arrow::Datum> Evaluate(const compute::Expression& bound, const arrow::RecordBatch& batch) {
  return compute::ExecuteScalarExpression(bound, compute::ExecBatch(batch));
}

Block WithoutRows(Block block) {
  block.batch = block.batch->Slice(0, 0);
  block.lineage = block.lineage.exact() ? Lineage() : block.lineage;
  block.packed = nullptr;
  return block;
}

class FilterTransform final : public Transform {
 public:
  FilterTransform(compute::Expression whole, std::vector<compute::Expression> parts,
                  std::vector<std::string> columns, PositionColumns positions, std::string text)
      : whole_(std::move(whole)),
        parts_(std::move(parts)),
        columns_(std::move(columns)),
        positions_(positions),
        text_(std::move(text)) {}

  Result<Block> Apply(Block block) const override {
    PENSTOCK_TRY(const auto bound, BoundFor(block.batch->schema()));
    PENSTOCK_TRY(const auto rows, WithPositions(block, positions_));
    Result<arrow::Datum> mask = Evaluate(bound->whole, *rows);
    if (mask.ok()) return KeepWhere(std::move(block), *mask);
    if (bound->parts.size() == 1) return Explained(mask.status());
    for (const compute::Expression& part : bound->parts) {
      PENSTOCK_TRY(const auto left, WithPositions(block, positions_));
      Result<arrow::Datum> part_mask = Evaluate(part, *left);
      if (!part_mask.ok()) return Explained(part_mask.status());
      PENSTOCK_TRY(block, KeepWhere(std::move(block), *part_mask));
    }
    return block;
  }

  Result<std::shared_ptr<arrow::Schema>> OutputSchema(
      const std::shared_ptr<arrow::Schema>& input) const override {
    PENSTOCK_RETURN_NOT_OK(BoundFor(input).status());
    return input;
  }

 private:
  Status Explained(const Status& status) const {
    return status.WithMessage("Filter ", text_, ": ", status.message());
  }

  Result<std::shared_ptr<const BoundFilter>> BoundFor(
      const std::shared_ptr<arrow::Schema>& schema) const {
    return cache_.Get(schema, [&](const arrow::Schema& input) {
      return Bind(input, *WithPositions(schema, positions_));
    });
  }

  Result<compute::Expression> BindOne(const compute::Expression& expression,
                                      const arrow::Schema& schema) const {
    Result<compute::Expression> bound = BindExpression(expression, schema);
    if (!bound.ok()) return Status::Invalid("Filter ", text_, ": ", bound.status().message());
    const arrow::DataType& type = *bound->type();
    if (type.id() != arrow::Type::BOOL && type.id() != arrow::Type::NA) {
      return Status::Invalid("Filter ", text_, " must yield bool, not ", type.ToString());
    }
    return bound;
  }

  Result<BoundFilter> Bind(const arrow::Schema& schema, const arrow::Schema& read) const {
    for (const std::string& name : columns_) {
      PENSTOCK_RETURN_NOT_OK(FindColumn(schema, name, "Filter").status());
    }
    BoundFilter bound;
    PENSTOCK_TRY(bound.whole, BindOne(whole_, read));
    for (const compute::Expression& part : parts_) {
      PENSTOCK_TRY(bound.parts.emplace_back(), BindOne(part, read));
    }
    return bound;
  }

  const compute::Expression whole_;
  const std::vector<compute::Expression> parts_;
  const std::vector<std::string> columns_;
  const PositionColumns positions_;
  const std::string text_;
  const SchemaCache<BoundFilter> cache_;
};

}  // namespace

Result<Block> KeepWhere(Block block, const arrow::Datum& mask) {
  if (mask.is_scalar()) {
    const auto* scalar = dynamic_cast<const arrow::BooleanScalar*>(mask.scalar().get());
    const bool keeps = scalar != nullptr && scalar->is_valid && scalar->value;
    return keeps ? std::move(block) : WithoutRows(std::move(block));
  }
  const std::shared_ptr<arrow::Array> array = mask.make_array();
  const auto* keeps = dynamic_cast<const arrow::BooleanArray*>(array.get());
  if (keeps == nullptr || keeps->true_count() == 0) return WithoutRows(std::move(block));
  if (keeps->true_count() == block.rows()) return block;
  PENSTOCK_TRY(const arrow::Datum filtered,
               compute::Filter(arrow::Datum(block.batch), mask,
                               compute::FilterOptions(compute::FilterOptions::DROP)));
  block.batch = filtered.record_batch();
  block.lineage = FilterLineage(block.lineage, *keeps);
  block.packed = nullptr;
  return block;
}

Lineage FilterLineage(const Lineage& lineage, const arrow::BooleanArray& mask) {
  if (!lineage.exact() || lineage.ranges().empty()) return lineage;
  PENSTOCK_CHECK(lineage.rows() == mask.length());
  Lineage kept;
  int64_t row = 0;
  for (const RowRange& range : lineage.ranges()) {
    int64_t begin = 0;
    for (int64_t i = 0; i <= range.rows; ++i) {
      if (i < range.rows && mask.IsValid(row + i) && mask.Value(row + i)) continue;
      if (begin < i) kept.Append({range.split, range.first_row + begin, i - begin});
      begin = i + 1;
    }
    row += range.rows;
  }
  return kept;
}

Result<std::unique_ptr<Transform>> MakeFilter(FilterOp op) {
  PENSTOCK_TRY(compute::Expression whole, ExpressionFromJson(op.expression));
  std::vector<compute::Expression> parts;
  for (const nlohmann::json& part : ConjunctsOf(op.expression)) {
    PENSTOCK_TRY(parts.emplace_back(), ExpressionFromJson(part));
  }
  return std::make_unique<FilterTransform>(std::move(whole), std::move(parts),
                                           ColumnsOf(op.expression), PositionsIn(op.expression),
                                           ExpressionText(op.expression));
}

}  // namespace penstock
