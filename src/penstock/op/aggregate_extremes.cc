#include <arrow/array/util.h>
#include <arrow/compute/api_aggregate.h>
#include <arrow/compute/cast.h>
#include <arrow/datum.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "penstock/op/aggregate_state.h"

namespace penstock {
namespace {

namespace compute = arrow::compute;

std::shared_ptr<arrow::Array> OneDouble(double value) {
  return arrow::MakeArrayFromScalar(arrow::DoubleScalar(value), 1).ValueOrDie();
}

struct Extremes {
  double low = std::numeric_limits<double>::infinity();
  double high = -std::numeric_limits<double>::infinity();
  int64_t nans = 0;
};

/// Passes over NaN. Eight lanes at once, which the compiler turns into vector code.
Extremes ExtremesOf(const double* values, int64_t count) {
  constexpr int64_t kLanes = 8;
  Extremes found;
  std::array<double, kLanes> low;
  std::array<double, kLanes> high;
  low.fill(found.low);
  high.fill(found.high);
  for (int64_t i = 0; i < count; ++i) found.nans += std::isnan(values[i]) ? 1 : 0;
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    for (size_t lane = 0; lane < kLanes; ++lane) {
      const double value = values[i + static_cast<int64_t>(lane)];
      low[lane] = value < low[lane] ? value : low[lane];
      high[lane] = value > high[lane] ? value : high[lane];
    }
  }
  for (; i < count; ++i) {
    low[0] = values[i] < low[0] ? values[i] : low[0];
    high[0] = values[i] > high[0] ? values[i] : high[0];
  }
  found.low = *std::min_element(low.begin(), low.end());
  found.high = *std::max_element(high.begin(), high.end());
  return found;
}

/// The smallest and the largest value, each as an array of one row; null before there is one.
class ExtremeState final : public Aggregation::State {
 public:
  explicit ExtremeState(const AggregateSpec& spec) : spec_(spec) {}

  Status Add(const std::shared_ptr<arrow::Array>& values) override {
    const arrow::Type::type id = values->type_id();
    const bool number = arrow::is_numeric(id) || id == arrow::Type::BOOL || id == arrow::Type::NA;
    if (spec_.kind == AggregateKind::kAbsMax && !number) {
      return CannotAggregate(spec_, *values->type());
    }
    if (values->length() == 0 || id == arrow::Type::NA) return Status::OK();
    if (arrow::is_floating(id)) return AddFloats(values);
    const auto extremes = compute::MinMax(arrow::Datum(values));
    if (!extremes.ok()) return CannotAggregate(spec_, *values->type());
    const auto& both = extremes->scalar_as<arrow::StructScalar>();
    PENSTOCK_TRY(const auto low, arrow::MakeArrayFromScalar(*both.value[0], 1));
    PENSTOCK_TRY(const auto high, arrow::MakeArrayFromScalar(*both.value[1], 1));
    return Join(low, high);
  }

  Status Merge(const State& other_state) override {
    const auto& other = dynamic_cast<const ExtremeState&>(other_state);
    any_nan_ |= other.any_nan_;
    return other.low_ == nullptr ? Status::OK() : Join(other.low_, other.high_);
  }

  Result<AggregateValue> Finish() override {
    if (low_ == nullptr) {
      if (any_nan_) return AggregateValue(std::numeric_limits<double>::quiet_NaN());
      return AggregateValue();
    }
    if (spec_.kind == AggregateKind::kAbsMax) return LargestMagnitude();
    return AggregateValue(spec_.kind == AggregateKind::kMin ? low_ : high_);
  }

 private:
  Status AddFloats(const std::shared_ptr<arrow::Array>& values) {
    PENSTOCK_TRY(const auto numbers, ToDoubles(spec_, values));
    const Extremes found = ExtremesOf(numbers->raw_values(), numbers->length());
    any_nan_ |= found.nans > 0;
    if (found.nans == numbers->length()) return Status::OK();
    return Join(OneDouble(found.low), OneDouble(found.high));
  }

  Status Join(const std::shared_ptr<arrow::Array>& low, const std::shared_ptr<arrow::Array>& high) {
    if (low_ == nullptr) {
      low_ = low;
      high_ = high;
      return Status::OK();
    }
    PENSTOCK_TRY(const auto all, JoinValues({low_, low, high_, high}));
    PENSTOCK_TRY(const arrow::Datum extremes, compute::MinMax(arrow::Datum(all)));
    const auto& both = extremes.scalar_as<arrow::StructScalar>();
    PENSTOCK_TRY(low_, arrow::MakeArrayFromScalar(*both.value[0], 1));
    PENSTOCK_TRY(high_, arrow::MakeArrayFromScalar(*both.value[1], 1));
    return Status::OK();
  }

  Result<AggregateValue> LargestMagnitude() const {
    if (arrow::is_floating(low_->type_id())) {
      const auto& low = dynamic_cast<const arrow::DoubleArray&>(*low_);
      const auto& high = dynamic_cast<const arrow::DoubleArray&>(*high_);
      return AggregateValue(std::max(std::abs(low.Value(0)), std::abs(high.Value(0))));
    }
    PENSTOCK_TRY(const arrow::Decimal128 low, WholeNumber(low_));
    PENSTOCK_TRY(const arrow::Decimal128 high, WholeNumber(high_));
    return AggregateValue(std::max(arrow::Decimal128(arrow::BasicDecimal128::Abs(low)),
                                   arrow::Decimal128(arrow::BasicDecimal128::Abs(high))));
  }

  static Result<arrow::Decimal128> WholeNumber(const std::shared_ptr<arrow::Array>& one) {
    if (const auto* number = dynamic_cast<const arrow::UInt64Array*>(one.get())) {
      return arrow::Decimal128(number->Value(0));
    }
    PENSTOCK_TRY(const auto cast, compute::Cast(*one, arrow::int64()));
    return arrow::Decimal128(dynamic_cast<const arrow::Int64Array&>(*cast).Value(0));
  }

  const AggregateSpec spec_;
  bool any_nan_ = false;
  std::shared_ptr<arrow::Array> low_;
  std::shared_ptr<arrow::Array> high_;
};

}  // namespace

std::unique_ptr<Aggregation::State> MakeExtremeState(const AggregateSpec& spec) {
  return std::make_unique<ExtremeState>(spec);
}

}  // namespace penstock
