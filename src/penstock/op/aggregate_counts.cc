#include <cmath>

#include "penstock/op/aggregate_state.h"

namespace penstock {
namespace {

class CountState final : public Aggregation::State {
 public:
  Status Add(const std::shared_ptr<arrow::Array>& values) override {
    count_ += values->length();
    return Status::OK();
  }

  Status Merge(const State& other) override {
    count_ += dynamic_cast<const CountState&>(other).count_;
    return Status::OK();
  }

  Result<AggregateValue> Finish() override { return AggregateValue(arrow::Decimal128(count_)); }

 private:
  int64_t count_ = 0;
};

/// Percent of values that are missing, or 0.
class ShareState final : public Aggregation::State {
 public:
  explicit ShareState(const AggregateSpec& spec) : spec_(spec) {}

  Status Add(const std::shared_ptr<arrow::Array>& values) override {
    count_ += values->length();
    if (spec_.kind == AggregateKind::kZeroShare) return CountZeros(values);
    hits_ += values->null_count();
    if (!arrow::is_floating(values->type_id())) return Status::OK();
    PENSTOCK_TRY(const auto numbers, ToDoubles(spec_, values));
    for (int64_t i = 0; i < numbers->length(); ++i) {
      hits_ += numbers->IsValid(i) && std::isnan(numbers->Value(i)) ? 1 : 0;
    }
    return Status::OK();
  }

  Status Merge(const State& other_state) override {
    const auto& other = dynamic_cast<const ShareState&>(other_state);
    count_ += other.count_;
    hits_ += other.hits_;
    return Status::OK();
  }

  Result<AggregateValue> Finish() override {
    if (count_ == 0) return AggregateValue();
    return AggregateValue(100.0 * static_cast<double>(hits_) / static_cast<double>(count_));
  }

 private:
  Status CountZeros(const std::shared_ptr<arrow::Array>& values) {
    PENSTOCK_TRY(const auto numbers, ToDoubles(spec_, values));
    for (int64_t i = 0; i < numbers->length(); ++i) {
      hits_ += numbers->IsValid(i) && numbers->Value(i) == 0 ? 1 : 0;
    }
    return Status::OK();
  }

  const AggregateSpec spec_;
  int64_t count_ = 0;
  int64_t hits_ = 0;
};

}  // namespace

std::unique_ptr<Aggregation::State> MakeCountState(const AggregateSpec& /*spec*/) {
  return std::make_unique<CountState>();
}

std::unique_ptr<Aggregation::State> MakeShareState(const AggregateSpec& spec) {
  return std::make_unique<ShareState>(spec);
}

}  // namespace penstock
