#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace penstock {

/// What can be known of a whole column.
enum class AggregateFunction : uint8_t {
  kCount,          // The values; without a column, the rows. int64
  kSum,            // Of numbers; bools count as 0 and 1. Integers exactly, however large the sum.
  kMin,            // Of whatever has an order: numbers, text, binary, bools, times, decimals.
  kMax,            // Likewise.
  kMean,           // Of numbers. double
  kStd,            // The standard deviation of numbers; NaN below ddof + 1 values. double
  kAbsMax,         // The largest of the absolute values of numbers.
  kUnique,         // The different values, in the order in which they first come. A list
  kCountDistinct,  // How many there are. int64
  kValueCounts,    // The different values, and how often each is there. A list of structs of
                   // "value" and "count"
  kList,           // All values, in order. A list
  kMissingShare,   // How many values are null or NaN, in percent. double
  kZeroShare,      // How many numbers are 0, in percent. double
};

/// One aggregate that Dataset::Aggregate is asked for.
///
/// Where nulls are not ignored, one of them makes kSum, kMin, kMax, kMean, kStd and kAbsMax null;
/// the others count them as values. NaN is a value: it makes sums, means and deviations NaN, while
/// kMin, kMax and kAbsMax pass over it unless there is nothing else.
///
/// kUnique, kCountDistinct, kValueCounts and kList hold their values: at most 256 MiB,
/// CapacityError beyond.
struct AggregateCall {
  AggregateFunction function = AggregateFunction::kCount;  // What is computed.
  std::optional<std::string> column{};                     // Of what; absent for kCount alone.
  bool ignore_nulls = true;                                // Whether nulls are passed over.
  int64_t ddof = 1;                                        // kStd divides by the count less this.
};

}  // namespace penstock
