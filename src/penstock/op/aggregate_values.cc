#include <arrow/array/array_dict.h>
#include <arrow/array/array_nested.h>
#include <arrow/array/builder_primitive.h>
#include <arrow/compute/api_vector.h>
#include <arrow/datum.h>

#include <algorithm>

#include "penstock/block/block.h"
#include "penstock/op/aggregate_state.h"

namespace penstock {
namespace {

namespace compute = arrow::compute;

constexpr int64_t kPendingRowsMin = 65'536;

int64_t BytesOf(const std::shared_ptr<arrow::Array>& values) {
  const auto schema = arrow::schema({arrow::field("value", values->type())});
  return BlockBytes(*arrow::RecordBatch::Make(schema, values->length(), {values}));
}

Status TooManyBytes(const AggregateSpec& spec) {
  return Status::CapacityError("Aggregate: the values that ", AggregateName(spec.kind),
                               " must hold of column '", spec.column.value_or(""),
                               "' take more memory than its limit; aggregate fewer rows, or a "
                               "column with fewer values; bytes at most: ",
                               spec.held_bytes_max);
}

/// The different values and their counts. New ones wait in `pending_` until there are as many as
/// old ones, so that joining them costs the same for each value, however many there are.
class DistinctState final : public Aggregation::State {
 public:
  explicit DistinctState(const AggregateSpec& spec) : spec_(spec) {}

  Status Add(const std::shared_ptr<arrow::Array>& values) override {
    if (values->length() == 0) return Status::OK();
    const auto counted = compute::ValueCounts(values);
    if (!counted.ok()) return CannotAggregate(spec_, *values->type());
    const auto counts = (*counted)->field(1);
    return AddCounted((*counted)->field(0), dynamic_cast<const arrow::Int64Array&>(*counts));
  }

  Status Merge(const State& other_state) override {
    const auto& other = dynamic_cast<const DistinctState&>(other_state);
    for (size_t i = 0; i < other.pending_.size(); ++i) Append(other.pending_[i]);
    counts_.insert(counts_.end(), other.counts_.begin(), other.counts_.end());
    return Join();
  }

  Result<AggregateValue> Finish() override {
    PENSTOCK_RETURN_NOT_OK(Join());
    if (spec_.kind == AggregateKind::kCountDistinct) {
      return AggregateValue(arrow::Decimal128(static_cast<int64_t>(counts_.size())));
    }
    const std::shared_ptr<arrow::Array> values =
        pending_.empty() ? std::make_shared<arrow::NullArray>(0) : pending_.front();
    if (spec_.kind == AggregateKind::kUnique) return AggregateValue(values);
    arrow::Int64Builder builder;
    PENSTOCK_RETURN_NOT_OK(builder.AppendValues(counts_));
    PENSTOCK_TRY(const auto counts, builder.Finish());
    PENSTOCK_TRY(
        std::shared_ptr<arrow::Array> pairs,
        arrow::StructArray::Make({values, counts}, std::vector<std::string>{"value", "count"}));
    return AggregateValue(std::move(pairs));
  }

 private:
  Status AddCounted(std::shared_ptr<arrow::Array> values, const arrow::Int64Array& counts) {
    counts_.insert(counts_.end(), counts.raw_values(), counts.raw_values() + counts.length());
    Append(std::move(values));
    const int64_t waiting = static_cast<int64_t>(counts_.size()) - joined_;
    if (waiting > std::max(joined_, kPendingRowsMin) || bytes_ > spec_.held_bytes_max)
      return Join();
    return Status::OK();
  }

  void Append(std::shared_ptr<arrow::Array> values) {
    bytes_ += BytesOf(values);
    pending_.push_back(std::move(values));
  }

  Status Join() {
    if (pending_.size() > 1) {
      PENSTOCK_TRY(const auto all, JoinValues(pending_));
      const compute::DictionaryEncodeOptions options(compute::DictionaryEncodeOptions::ENCODE);
      PENSTOCK_TRY(const arrow::Datum encoded, compute::DictionaryEncode(all, options));
      const auto array = encoded.make_array();
      const auto& dictionary = dynamic_cast<const arrow::DictionaryArray&>(*array);
      std::vector<int64_t> counts(static_cast<size_t>(dictionary.dictionary()->length()));
      for (size_t i = 0; i < counts_.size(); ++i) {
        counts[static_cast<size_t>(dictionary.GetValueIndex(static_cast<int64_t>(i)))] +=
            counts_[i];
      }
      pending_ = {dictionary.dictionary()};
      counts_ = std::move(counts);
      bytes_ = BytesOf(pending_.front());
    }
    joined_ = static_cast<int64_t>(counts_.size());
    return bytes_ > spec_.held_bytes_max ? TooManyBytes(spec_) : Status::OK();
  }

  const AggregateSpec spec_;
  arrow::ArrayVector pending_;   // The first `joined_` values differ from each other.
  std::vector<int64_t> counts_;  // Of all values in `pending_`.
  int64_t joined_ = 0;
  int64_t bytes_ = 0;
};

/// All values, in order.
class ListState final : public Aggregation::State {
 public:
  explicit ListState(const AggregateSpec& spec) : spec_(spec) {}

  Status Add(const std::shared_ptr<arrow::Array>& values) override {
    if (values->length() == 0) return Status::OK();
    bytes_ += BytesOf(values);
    if (bytes_ > spec_.held_bytes_max) return TooManyBytes(spec_);
    held_.push_back(values);
    return Status::OK();
  }

  Status Merge(const State& other_state) override {
    for (const auto& values : dynamic_cast<const ListState&>(other_state).held_) {
      PENSTOCK_RETURN_NOT_OK(Add(values));
    }
    return Status::OK();
  }

  Result<AggregateValue> Finish() override {
    if (held_.empty()) return AggregateValue(std::make_shared<arrow::NullArray>(0));
    PENSTOCK_TRY(std::shared_ptr<arrow::Array> all, JoinValues(held_));
    return AggregateValue(std::move(all));
  }

 private:
  const AggregateSpec spec_;
  arrow::ArrayVector held_;
  int64_t bytes_ = 0;
};

}  // namespace

std::unique_ptr<Aggregation::State> MakeDistinctState(const AggregateSpec& spec) {
  return std::make_unique<DistinctState>(spec);
}

std::unique_ptr<Aggregation::State> MakeListState(const AggregateSpec& spec) {
  return std::make_unique<ListState>(spec);
}

}  // namespace penstock
