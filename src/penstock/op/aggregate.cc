#include "penstock/op/aggregate.h"

#include <arrow/array/concatenate.h>
#include <arrow/compute/api_vector.h>
#include <arrow/compute/cast.h>

#include "penstock/base/check.h"
#include "penstock/block/unify.h"
#include "penstock/op/aggregate_state.h"
#include "penstock/op/columns.h"
#include "penstock/plan/compute_functions.h"

namespace penstock {
namespace {

namespace compute = arrow::compute;

std::unique_ptr<Aggregation::State> MakeState(const AggregateSpec& spec) {
  switch (spec.kind) {
    case AggregateKind::kCount:
      return MakeCountState(spec);
    case AggregateKind::kSum:
    case AggregateKind::kMean:
      return MakeSumState(spec);
    case AggregateKind::kMin:
    case AggregateKind::kMax:
    case AggregateKind::kAbsMax:
      return MakeExtremeState(spec);
    case AggregateKind::kStd:
      return MakeDeviationState(spec);
    case AggregateKind::kUnique:
    case AggregateKind::kCountDistinct:
    case AggregateKind::kValueCounts:
      return MakeDistinctState(spec);
    case AggregateKind::kList:
      return MakeListState(spec);
    case AggregateKind::kMissingShare:
    case AggregateKind::kZeroShare:
      return MakeShareState(spec);
  }
  return nullptr;
}

/// Says whether one null makes the result null, unless nulls are ignored.
bool NullsSpoil(AggregateKind kind) {
  switch (kind) {
    case AggregateKind::kSum:
    case AggregateKind::kMin:
    case AggregateKind::kMax:
    case AggregateKind::kMean:
    case AggregateKind::kStd:
    case AggregateKind::kAbsMax:
      return true;
    default:
      return false;
  }
}

/// Says whether the state gets nulls as values.
bool SeesNulls(const AggregateSpec& spec) {
  return spec.kind == AggregateKind::kMissingShare ||
         (!spec.ignore_nulls && !NullsSpoil(spec.kind));
}

Result<std::shared_ptr<arrow::Array>> WithoutNulls(const std::shared_ptr<arrow::Array>& values) {
  if (values->null_count() == 0) return values;
  if (values->null_count() == values->length()) return values->Slice(0, 0);
  return compute::DropNull(*values);
}

Result<std::shared_ptr<arrow::Array>> Decoded(const std::shared_ptr<arrow::Array>& values) {
  const auto* type = dynamic_cast<const arrow::DictionaryType*>(values->type().get());
  if (type == nullptr) return values;
  return compute::Cast(*values, type->value_type());
}

}  // namespace

struct Aggregation::Task {
  AggregateSpec spec;
  std::unique_ptr<State> state;
  bool spoilt = false;
};

Aggregation::Aggregation(Aggregation&&) noexcept = default;
Aggregation& Aggregation::operator=(Aggregation&&) noexcept = default;
Aggregation::~Aggregation() = default;

Result<Aggregation> Aggregation::Make(std::vector<AggregateSpec> specs) {
  PENSTOCK_RETURN_NOT_OK(PrepareFunctions());
  Aggregation aggregation;
  for (AggregateSpec& spec : specs) {
    if (!spec.column && spec.kind != AggregateKind::kCount) {
      return Status::Invalid("Aggregate: a column must be named for ", AggregateName(spec.kind));
    }
    std::unique_ptr<State> state = MakeState(spec);
    aggregation.tasks_.push_back({.spec = std::move(spec), .state = std::move(state)});
  }
  return aggregation;
}

Status Aggregation::Add(const arrow::RecordBatch& batch) {
  rows_ += batch.num_rows();
  for (Task& task : tasks_) {
    if (!task.spec.column || (batch.num_rows() == 0 && batch.num_columns() == 0)) continue;
    PENSTOCK_TRY(const int index, FindColumn(*batch.schema(), *task.spec.column, "Aggregate"));
    PENSTOCK_TRY(std::shared_ptr<arrow::Array> values, Decoded(batch.column(index)));
    if (!SeesNulls(task.spec)) {
      task.spoilt |= !task.spec.ignore_nulls && values->null_count() > 0;
      PENSTOCK_TRY(values, WithoutNulls(values));
    }
    PENSTOCK_RETURN_NOT_OK(task.state->Add(values));
  }
  return Status::OK();
}

Status Aggregation::Merge(const Aggregation& other) {
  PENSTOCK_CHECK(tasks_.size() == other.tasks_.size());
  rows_ += other.rows_;
  for (size_t i = 0; i < tasks_.size(); ++i) {
    tasks_[i].spoilt |= other.tasks_[i].spoilt;
    PENSTOCK_RETURN_NOT_OK(tasks_[i].state->Merge(*other.tasks_[i].state));
  }
  return Status::OK();
}

Result<std::vector<AggregateValue>> Aggregation::Finish() {
  std::vector<AggregateValue> results;
  for (Task& task : tasks_) {
    if (!task.spec.column) {
      results.emplace_back(arrow::Decimal128(rows_));
    } else if (task.spoilt) {
      results.emplace_back();
    } else {
      PENSTOCK_TRY(results.emplace_back(), task.state->Finish());
    }
  }
  return results;
}

std::string_view AggregateName(AggregateKind kind) {
  switch (kind) {
    case AggregateKind::kCount:
      return "count";
    case AggregateKind::kSum:
      return "sum";
    case AggregateKind::kMin:
      return "min";
    case AggregateKind::kMax:
      return "max";
    case AggregateKind::kMean:
      return "mean";
    case AggregateKind::kStd:
      return "std";
    case AggregateKind::kAbsMax:
      return "abs_max";
    case AggregateKind::kUnique:
      return "unique";
    case AggregateKind::kCountDistinct:
      return "count_distinct";
    case AggregateKind::kValueCounts:
      return "value_counter";
    case AggregateKind::kList:
      return "list";
    case AggregateKind::kMissingShare:
      return "missing_pct";
    case AggregateKind::kZeroShare:
      return "zero_pct";
  }
  return "";
}

Status CannotAggregate(const AggregateSpec& spec, const arrow::DataType& type) {
  return Status::TypeError("Aggregate: there is no ", AggregateName(spec.kind), " of column '",
                           spec.column.value_or(""), "', which is ", type.ToString());
}

Result<std::shared_ptr<arrow::DoubleArray>> ToDoubles(const AggregateSpec& spec,
                                                      const std::shared_ptr<arrow::Array>& values) {
  const arrow::Type::type id = values->type_id();
  const bool number = arrow::is_numeric(id) || arrow::is_decimal(id) || id == arrow::Type::BOOL ||
                      id == arrow::Type::NA;
  if (!number) return CannotAggregate(spec, *values->type());
  PENSTOCK_TRY(const std::shared_ptr<arrow::Array> cast,
               compute::Cast(*values, arrow::float64(), compute::CastOptions::Unsafe()));
  return std::dynamic_pointer_cast<arrow::DoubleArray>(cast);
}

Result<std::shared_ptr<arrow::Array>> JoinValues(const arrow::ArrayVector& arrays) {
  const auto schema_of = [](const arrow::Array& array) {
    return arrow::schema({arrow::field("value", array.type())});
  };
  std::shared_ptr<arrow::Schema> schema = schema_of(*arrays.front());
  for (const auto& array : arrays) {
    PENSTOCK_TRY(schema, UnifySchemas(schema, schema_of(*array)));
  }
  arrow::ArrayVector brought;
  for (const auto& array : arrays) {
    const auto batch = arrow::RecordBatch::Make(schema_of(*array), array->length(), {array});
    PENSTOCK_TRY(const auto right, BringToSchema(batch, schema));
    brought.push_back(right->column(0));
  }
  return arrow::Concatenate(brought);
}

}  // namespace penstock
