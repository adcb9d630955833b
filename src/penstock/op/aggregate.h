#pragma once

#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <arrow/util/decimal.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "penstock/base/status.h"

namespace penstock {

enum class AggregateKind : uint8_t {
  kCount,  // Rows, or values of a column.
  kSum,    // Of numbers; bools count as 0 and 1.
  kMin,    // Of whatever has an order: numbers, text, binary, bools, times, decimals.
  kMax,
  kMean,
  kStd,
  kAbsMax,         // The largest of the absolute values of numbers.
  kUnique,         // The different values, in the order in which they are first seen.
  kCountDistinct,  // How many there are.
  kValueCounts,    // The different values, and how often each is there.
  kList,           // All values, in order.
  kMissingShare,   // Percent of values that are null or NaN.
  kZeroShare,      // Percent of numbers that are 0.
};

/// What is asked of one column. Where nulls are not ignored, one of them makes the result of
/// kSum, kMin, kMax, kMean, kStd and kAbsMax null; kCount, kUnique, kCountDistinct, kValueCounts,
/// kList and kZeroShare count them as values.
struct AggregateSpec {
  AggregateKind kind = AggregateKind::kCount;
  std::optional<std::string> column;  // Absent for kCount alone: counts rows.
  bool ignore_nulls = true;
  int64_t ddof = 1;                             // kStd divides by count - ddof.
  int64_t held_bytes_max = int64_t{256} << 20;  // kUnique, kCountDistinct, kValueCounts, kList.
};

/// Nothing (null), a whole number, a number, or values: one row (kMin, kMax, sums of decimals), or
/// a row each (kUnique, kList), or structs of "value" and "count" (kValueCounts).
using AggregateValue =
    std::variant<std::monostate, arrow::Decimal128, double, std::shared_ptr<arrow::Array>>;

/// Aggregates a stream of batches in bounded memory, in one pass.
///
/// Integers are summed exactly, without overflow; floats block by block, pairwise within a block
/// and with compensation between blocks; squared deviations by Chan's update of means, which stays
/// exact for values far from 0. NaN is a value: it makes sums, means and deviations NaN; kMin,
/// kMax and kAbsMax pass over it unless there is nothing else. A column may change its type between
/// batches as far as UnifySchemas allows.
///
/// Threads: one at a time.
class Aggregation {
 public:
  class State;

  /// Invalid for a specification that lacks its column.
  static Result<Aggregation> Make(std::vector<AggregateSpec> specs);

  Aggregation(Aggregation&&) noexcept;
  Aggregation& operator=(Aggregation&&) noexcept;
  ~Aggregation();

  /// KeyError for a missing column; TypeError naming a column whose values cannot be aggregated so;
  /// CapacityError where `held_bytes_max` is passed. Nothing may be added after an error. A batch
  /// without rows only has its columns' types checked where it has them.
  Status Add(const arrow::RecordBatch& batch);

  /// Adds what another aggregation with the same specifications has seen.
  Status Merge(const Aggregation& other);

  int64_t rows() const { return rows_; }

  /// Returns a value for each specification: null where there were no values, except for counts
  /// and collections. kStd is NaN where count - ddof is below 1.
  Result<std::vector<AggregateValue>> Finish();

 private:
  Aggregation() = default;

  struct Task;
  std::vector<Task> tasks_;
  int64_t rows_ = 0;
};

}  // namespace penstock
