#include <algorithm>

#include "penstock/dataset.h"
#include "penstock/op/aggregate.h"

namespace penstock {
namespace {

using ScalarPointer = std::shared_ptr<arrow::Scalar>;

constexpr int32_t kWholeDigits = 38;

AggregateKind KindOf(AggregateFunction function) {
  switch (function) {
    case AggregateFunction::kCount:
      return AggregateKind::kCount;
    case AggregateFunction::kSum:
      return AggregateKind::kSum;
    case AggregateFunction::kMin:
      return AggregateKind::kMin;
    case AggregateFunction::kMax:
      return AggregateKind::kMax;
    case AggregateFunction::kMean:
      return AggregateKind::kMean;
    case AggregateFunction::kStd:
      return AggregateKind::kStd;
    case AggregateFunction::kAbsMax:
      return AggregateKind::kAbsMax;
    case AggregateFunction::kUnique:
      return AggregateKind::kUnique;
    case AggregateFunction::kCountDistinct:
      return AggregateKind::kCountDistinct;
    case AggregateFunction::kValueCounts:
      return AggregateKind::kValueCounts;
    case AggregateFunction::kList:
      return AggregateKind::kList;
    case AggregateFunction::kMissingShare:
      return AggregateKind::kMissingShare;
    case AggregateFunction::kZeroShare:
      return AggregateKind::kZeroShare;
  }
  return AggregateKind::kCount;
}

bool IsCollection(AggregateFunction function) {
  return function == AggregateFunction::kUnique || function == AggregateFunction::kValueCounts ||
         function == AggregateFunction::kList;
}

ScalarPointer WholeNumber(const arrow::Decimal128& value) {
  const auto small = value.ToInteger<int64_t>();
  if (small.ok()) return arrow::MakeScalar(*small);
  return std::make_shared<arrow::Decimal128Scalar>(value, arrow::decimal128(kWholeDigits, 0));
}

Result<ScalarPointer> ScalarOf(AggregateFunction function, const AggregateValue& value) {
  if (const auto* whole = std::get_if<arrow::Decimal128>(&value)) return WholeNumber(*whole);
  if (const auto* number = std::get_if<double>(&value)) return arrow::MakeScalar(*number);
  const auto* values = std::get_if<std::shared_ptr<arrow::Array>>(&value);
  if (values == nullptr) return arrow::MakeNullScalar(arrow::null());
  if (IsCollection(function)) return std::make_shared<arrow::ListScalar>(*values);
  return (*values)->GetScalar(0);
}

/// Returns the columns that the calls read, each once.
std::vector<std::string> ColumnsOf(const std::vector<AggregateCall>& calls) {
  std::vector<std::string> columns;
  for (const AggregateCall& call : calls) {
    if (call.column && std::ranges::find(columns, *call.column) == columns.end()) {
      columns.push_back(*call.column);
    }
  }
  return columns;
}

Result<ScalarPointer> One(const Dataset& dataset, AggregateCall call, const RunOptions& run) {
  PENSTOCK_TRY(const auto values, dataset.Aggregate({std::move(call)}, run));
  return values.front();
}

}  // namespace

Result<std::vector<ScalarPointer>> Dataset::Aggregate(const std::vector<AggregateCall>& calls,
                                                      const RunOptions& run) const {
  if (calls.empty()) return Status::Invalid("Aggregate needs at least one call");
  std::vector<AggregateSpec> specs;
  for (const AggregateCall& call : calls) {
    specs.push_back({.kind = KindOf(call.function),
                     .column = call.column,
                     .ignore_nulls = call.ignore_nulls,
                     .ddof = call.ddof});
  }
  PENSTOCK_TRY(Aggregation aggregation, Aggregation::Make(std::move(specs)));
  const std::vector<std::string> columns = ColumnsOf(calls);
  if (columns.empty()) {
    PENSTOCK_TRY(const int64_t rows, Count(run));
    return std::vector<ScalarPointer>(calls.size(), arrow::MakeScalar(rows));
  }
  PENSTOCK_RETURN_NOT_OK(Select(columns).ForEach(
      [&aggregation](const auto& batch) { return aggregation.Add(*batch); }, run));
  PENSTOCK_TRY(const std::vector<AggregateValue> values, aggregation.Finish());
  std::vector<ScalarPointer> scalars;
  for (size_t i = 0; i < calls.size(); ++i) {
    PENSTOCK_TRY(scalars.emplace_back(), ScalarOf(calls[i].function, values[i]));
  }
  return scalars;
}

Result<ScalarPointer> Dataset::Sum(const std::string& column, const RunOptions& run) const {
  return One(*this, {.function = AggregateFunction::kSum, .column = column}, run);
}

Result<ScalarPointer> Dataset::Min(const std::string& column, const RunOptions& run) const {
  return One(*this, {.function = AggregateFunction::kMin, .column = column}, run);
}

Result<ScalarPointer> Dataset::Max(const std::string& column, const RunOptions& run) const {
  return One(*this, {.function = AggregateFunction::kMax, .column = column}, run);
}

Result<ScalarPointer> Dataset::Mean(const std::string& column, const RunOptions& run) const {
  return One(*this, {.function = AggregateFunction::kMean, .column = column}, run);
}

Result<ScalarPointer> Dataset::Std(const std::string& column, int64_t ddof,
                                   const RunOptions& run) const {
  return One(*this, {.function = AggregateFunction::kStd, .column = column, .ddof = ddof}, run);
}

Result<std::shared_ptr<arrow::Array>> Dataset::Unique(const std::string& column,
                                                      const RunOptions& run) const {
  PENSTOCK_TRY(
      const ScalarPointer values,
      One(*this, {.function = AggregateFunction::kUnique, .column = column, .ignore_nulls = false},
          run));
  return dynamic_cast<const arrow::ListScalar&>(*values).value;
}

}  // namespace penstock
