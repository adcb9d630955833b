#include "penstock/block/lineage.h"

#include <algorithm>

#include "penstock/base/check.h"

namespace penstock {

int64_t Lineage::rows() const {
  int64_t rows = 0;
  for (const RowRange& range : ranges_) rows += range.rows;
  return rows;
}

void Lineage::Append(RowRange range) {
  PENSTOCK_CHECK(range.rows >= 0 && range.first_row >= 0);
  if (range.rows == 0) return;
  if (!ranges_.empty() && ranges_.back().split == range.split) {
    RowRange& last = ranges_.back();
    const int64_t last_end = last.first_row + last.rows;
    const bool overlaps = range.first_row >= last.first_row && range.first_row <= last_end;
    if (exact_ ? range.first_row == last_end : overlaps) {
      last.rows = std::max(last_end, range.first_row + range.rows) - last.first_row;
      return;
    }
  }
  ranges_.push_back(range);
}

void Lineage::Append(const Lineage& other) {
  exact_ = exact_ && other.exact_;
  const size_t count = other.ranges_.size();
  for (size_t i = 0; i < count; ++i) Append(RowRange(other.ranges_[i]));
}

Lineage Lineage::Slice(int64_t offset, int64_t rows) const {
  if (!exact_) return *this;
  PENSTOCK_CHECK(offset >= 0 && rows >= 0);
  PENSTOCK_CHECK(ranges_.empty() || offset <= this->rows() - rows);
  Lineage slice;
  for (const RowRange& range : ranges_) {
    const int64_t skipped = std::min(offset, range.rows);
    const int64_t taken = std::min(rows, range.rows - skipped);
    slice.Append({range.split, range.first_row + skipped, taken});
    offset -= skipped;
    rows -= taken;
    if (rows == 0) break;
  }
  return slice;
}

Lineage Lineage::Take(std::span<const int64_t> rows) const {
  if (!exact_ || ranges_.empty()) return *this;
  std::vector<int64_t> ends;
  int64_t end = 0;
  for (const RowRange& range : ranges_) ends.push_back(end += range.rows);
  Lineage taken;
  for (const int64_t row : rows) {
    PENSTOCK_CHECK(row >= 0 && row < end);
    const auto found = std::upper_bound(ends.begin(), ends.end(), row);
    const RowRange& range = ranges_[static_cast<size_t>(found - ends.begin())];
    taken.Append({range.split, range.first_row + row - (*found - range.rows), 1});
  }
  return taken;
}

}  // namespace penstock
