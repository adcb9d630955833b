#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace penstock {

/// Names consecutive rows of one split of the input (and so of the chunk that it belongs to).
struct RowRange {
  int64_t split = 0;
  int64_t first_row = 0;  // Counted from the split's first row, as it was read.
  int64_t rows = 0;

  bool operator==(const RowRange&) const = default;
};

/// Tells which input rows a block's rows came from, in order.
///
/// `exact()` is true while every row of the block stands for exactly one named input row; a
/// function that may change the number of rows makes it false, and the ranges then only bound
/// where the rows came from. Value type; ranges that touch are joined (inexact: that overlap, too).
class Lineage {
 public:
  Lineage() = default;
  explicit Lineage(RowRange range) { Append(range); }

  const std::vector<RowRange>& ranges() const { return ranges_; }
  bool exact() const { return exact_; }
  int64_t rows() const;
  bool operator==(const Lineage&) const = default;

  void Append(RowRange range);
  void Append(const Lineage& other);
  void MarkInexact() { exact_ = false; }

  /// Returns the lineage of rows [offset, offset + rows). An inexact lineage and an empty one
  /// (nothing is known) return themselves.
  Lineage Slice(int64_t offset, int64_t rows) const;

  /// Returns the lineage of the rows with these numbers, in the order given; else as Slice.
  Lineage Take(std::span<const int64_t> rows) const;

 private:
  std::vector<RowRange> ranges_;
  bool exact_ = true;
};

}  // namespace penstock
