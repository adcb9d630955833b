#include <arrow/array/builder_decimal.h>
#include <arrow/compute/api_aggregate.h>
#include <arrow/compute/cast.h>
#include <arrow/datum.h>

#include <cmath>
#include <limits>

#include "penstock/op/aggregate_state.h"

namespace penstock {
namespace {

namespace compute = arrow::compute;

constexpr int64_t kRowsAtOnce = int64_t{1} << 30;  // So many halves of 32 bits fit 64.

double SumOf(const arrow::DoubleArray& values) {
  const compute::ScalarAggregateOptions options(/*skip_nulls=*/true, /*min_count=*/0);
  const auto sum = compute::Sum(arrow::Datum(values.data()), options);
  return sum.ok() ? sum->scalar_as<arrow::DoubleScalar>().value
                  : std::numeric_limits<double>::quiet_NaN();
}

/// Sums exactly: high and low halves apart, which the compiler turns into vector code.
template <typename Integer>
arrow::Decimal128 ExactSum(const Integer* values, int64_t count) {
  arrow::Decimal128 total;
  for (int64_t begin = 0; begin < count; begin += kRowsAtOnce) {
    const int64_t end = std::min(count, begin + kRowsAtOnce);
    Integer high = 0;
    uint64_t low = 0;
    for (int64_t i = begin; i < end; ++i) {
      high += values[i] >> 32;
      low += static_cast<uint64_t>(values[i]) & 0xFFFFFFFF;
    }
    total += arrow::Decimal128(high) * arrow::Decimal128(int64_t{1} << 32);
    total += arrow::Decimal128(low);
  }
  return total;
}

/// A sum of floats that remembers what was rounded away.
class CompensatedSum {
 public:
  void Add(double value) {
    const double sum = sum_ + value;
    if (std::isfinite(sum)) {
      lost_ += std::abs(sum_) >= std::abs(value) ? (sum_ - sum) + value : (value - sum) + sum_;
    }
    sum_ = sum;
  }

  void Add(const CompensatedSum& other) {
    Add(other.sum_);
    if (std::isfinite(sum_)) lost_ += other.lost_;
  }

  double value() const { return std::isfinite(sum_) ? sum_ + lost_ : sum_; }

 private:
  double sum_ = 0;
  double lost_ = 0;
};

/// Sums and means: whole numbers, decimals and floats are kept apart until the end.
class SumState final : public Aggregation::State {
 public:
  explicit SumState(const AggregateSpec& spec) : spec_(spec) {}

  Status Add(const std::shared_ptr<arrow::Array>& values) override {
    const arrow::Type::type id = values->type_id();
    count_ += id == arrow::Type::NA ? 0 : values->length();
    if (id == arrow::Type::NA) return Status::OK();
    if (id == arrow::Type::UINT64) {
      const auto& numbers = dynamic_cast<const arrow::UInt64Array&>(*values);
      whole_ += ExactSum(numbers.raw_values(), numbers.length());
      return Status::OK();
    }
    if (arrow::is_integer(id) || id == arrow::Type::BOOL) {
      PENSTOCK_TRY(const auto cast, compute::Cast(*values, arrow::int64()));
      const auto& numbers = dynamic_cast<const arrow::Int64Array&>(*cast);
      whole_ += ExactSum(numbers.raw_values(), numbers.length());
      return Status::OK();
    }
    if (arrow::is_decimal(id)) return AddDecimals(*values);
    PENSTOCK_TRY(const auto numbers, ToDoubles(spec_, values));
    any_floats_ |= true;
    floats_.Add(SumOf(*numbers));
    return Status::OK();
  }

  Status Merge(const State& other_state) override {
    const auto& other = dynamic_cast<const SumState&>(other_state);
    count_ += other.count_;
    whole_ += other.whole_;
    any_floats_ |= other.any_floats_;
    floats_.Add(other.floats_);
    return other.any_decimals_ ? AddDecimal(other.decimals_, other.scale_) : Status::OK();
  }

  Result<AggregateValue> Finish() override {
    if (count_ == 0) return AggregateValue();
    if (spec_.kind == AggregateKind::kMean) {
      return AggregateValue(AsDouble() / static_cast<double>(count_));
    }
    if (any_floats_) return AggregateValue(AsDouble());
    if (!any_decimals_) return AggregateValue(whole_);
    return DecimalSum();
  }

 private:
  double AsDouble() const {
    double sum = whole_.ToDouble(0);
    if (any_decimals_) sum += decimals_.ToDouble(scale_);
    return any_floats_ ? sum + floats_.value() : sum;
  }

  Status AddDecimals(const arrow::Array& values) {
    const auto& type = dynamic_cast<const arrow::DecimalType&>(*values.type());
    PENSTOCK_TRY(const auto cast,
                 compute::Cast(values, arrow::decimal256(arrow::Decimal256Type::kMaxPrecision,
                                                         type.scale())));
    const auto& decimals = dynamic_cast<const arrow::Decimal256Array&>(*cast);
    arrow::Decimal256 sum;
    for (int64_t i = 0; i < decimals.length(); ++i) sum += arrow::Decimal256(decimals.GetValue(i));
    return AddDecimal(sum, type.scale());
  }

  Status AddDecimal(arrow::Decimal256 sum, int32_t scale) {
    if (any_decimals_ && scale < scale_) {
      PENSTOCK_TRY(sum, sum.Rescale(scale, scale_));
    } else if (any_decimals_ && scale > scale_) {
      PENSTOCK_TRY(decimals_, decimals_.Rescale(scale_, scale));
    }
    scale_ = any_decimals_ ? std::max(scale, scale_) : scale;
    any_decimals_ = true;
    decimals_ += sum;
    return Status::OK();
  }

  Result<AggregateValue> DecimalSum() const {
    PENSTOCK_TRY(const arrow::Decimal256 whole, arrow::Decimal256(whole_).Rescale(0, scale_));
    const auto type = arrow::decimal256(arrow::Decimal256Type::kMaxPrecision, scale_);
    arrow::Decimal256Builder builder(type);
    PENSTOCK_RETURN_NOT_OK(builder.Append(decimals_ + whole));
    PENSTOCK_TRY(std::shared_ptr<arrow::Array> sum, builder.Finish());
    return AggregateValue(std::move(sum));
  }

  const AggregateSpec spec_;
  int64_t count_ = 0;
  arrow::Decimal128 whole_;
  bool any_floats_ = false;
  CompensatedSum floats_;
  bool any_decimals_ = false;
  arrow::Decimal256 decimals_;
  int32_t scale_ = 0;
};

/// Count, mean and the sum of squared deviations from it.
class DeviationState final : public Aggregation::State {
 public:
  explicit DeviationState(const AggregateSpec& spec) : spec_(spec) {}

  Status Add(const std::shared_ptr<arrow::Array>& values) override {
    if (values->type_id() == arrow::Type::NA) return Status::OK();
    PENSTOCK_TRY(const auto numbers, ToDoubles(spec_, values));
    if (numbers->length() == 0) return Status::OK();
    const auto count = static_cast<double>(numbers->length());
    const double mean = SumOf(*numbers) / count;
    double squares = 0;
    double rest = 0;
    for (int64_t i = 0; i < numbers->length(); ++i) {
      const double deviation = numbers->Value(i) - mean;
      squares += deviation * deviation;
      rest += deviation;
    }
    Join(count, mean, squares - rest * rest / count);
    return Status::OK();
  }

  Status Merge(const State& other_state) override {
    const auto& other = dynamic_cast<const DeviationState&>(other_state);
    if (other.count_ > 0) Join(other.count_, other.mean_, other.squares_);
    return Status::OK();
  }

  Result<AggregateValue> Finish() override {
    if (count_ == 0) return AggregateValue();
    const double divisor = count_ - static_cast<double>(spec_.ddof);
    if (divisor <= 0) return AggregateValue(std::numeric_limits<double>::quiet_NaN());
    return AggregateValue(std::sqrt(squares_ / divisor));
  }

 private:
  void Join(double count, double mean, double squares) {
    const double both = count_ + count;
    const double delta = mean - mean_;
    squares_ += squares + delta * delta * count_ * count / both;
    mean_ += delta * count / both;
    count_ = both;
  }

  const AggregateSpec spec_;
  double count_ = 0;
  double mean_ = 0;
  double squares_ = 0;
};

}  // namespace

std::unique_ptr<Aggregation::State> MakeSumState(const AggregateSpec& spec) {
  return std::make_unique<SumState>(spec);
}

std::unique_ptr<Aggregation::State> MakeDeviationState(const AggregateSpec& spec) {
  return std::make_unique<DeviationState>(spec);
}

}  // namespace penstock
