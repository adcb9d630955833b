#pragma once

#include <arrow/array.h>

#include <memory>

#include "penstock/base/status.h"
#include "penstock/op/aggregate.h"

namespace penstock {

/// What is known so far of one column, for one kind of result.
class Aggregation::State {
 public:
  virtual ~State() = default;

  /// Takes the next values: never dictionary-encoded, of type null perhaps. Where the kind passes
  /// over nulls there are none.
  virtual Status Add(const std::shared_ptr<arrow::Array>& values) = 0;

  /// Adds what another state of the same kind knows.
  virtual Status Merge(const State& other) = 0;

  virtual Result<AggregateValue> Finish() = 0;
};

/// The states by kind. Each names the column in its errors.
std::unique_ptr<Aggregation::State> MakeCountState(const AggregateSpec& spec);
std::unique_ptr<Aggregation::State> MakeShareState(const AggregateSpec& spec);
std::unique_ptr<Aggregation::State> MakeSumState(const AggregateSpec& spec);
std::unique_ptr<Aggregation::State> MakeDeviationState(const AggregateSpec& spec);
std::unique_ptr<Aggregation::State> MakeExtremeState(const AggregateSpec& spec);
std::unique_ptr<Aggregation::State> MakeDistinctState(const AggregateSpec& spec);
std::unique_ptr<Aggregation::State> MakeListState(const AggregateSpec& spec);

/// Returns "sum", "min", … for messages.
std::string_view AggregateName(AggregateKind kind);

/// Says that values of this type cannot be aggregated so.
Status CannotAggregate(const AggregateSpec& spec, const arrow::DataType& type);

/// Returns the values as float64, whole numbers rounded where they must be; TypeError for what is
/// not a number.
Result<std::shared_ptr<arrow::DoubleArray>> ToDoubles(const AggregateSpec& spec,
                                                      const std::shared_ptr<arrow::Array>& values);

/// Joins arrays of types that UnifySchemas can bring together.
Result<std::shared_ptr<arrow::Array>> JoinValues(const arrow::ArrayVector& arrays);

}  // namespace penstock
