#pragma once

#include <arrow/record_batch.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "penstock/base/status.h"
#include "penstock/source/source.h"

namespace penstock {

/// Rows that are made or lie in memory, and can be cut anywhere. Threads: any, at once.
class SliceableRows {
 public:
  virtual ~SliceableRows() = default;

  virtual std::shared_ptr<arrow::Schema> schema() const = 0;
  virtual int64_t rows() const = 0;

  /// Estimates the bytes of rows [begin, end).
  virtual int64_t Bytes(int64_t begin, int64_t end) const = 0;

  /// Returns rows [begin, end).
  virtual Result<std::shared_ptr<arrow::RecordBatch>> Rows(int64_t begin, int64_t end) const = 0;
};

/// Where rows are cut into splits: split i lies between the borders i and i + 1.
class RowBorders {
 public:
  /// Takes rising positions, the first of them 0.
  explicit RowBorders(std::vector<int64_t> positions);

  /// Returns the borders of `count` splits whose sizes differ by at most one, the larger ones
  /// first. Takes the same memory for any count.
  static RowBorders Even(int64_t rows, int64_t count);

  int64_t splits() const { return splits_; }
  int64_t at(int64_t index) const { return index == splits_ ? end_ : Uncut(index); }

  /// Forgets the rows from `rows` on; one split stays.
  void CutAt(int64_t rows);

 private:
  int64_t Uncut(int64_t index) const;

  std::vector<int64_t> positions_;  // Empty: even.
  int64_t larger_splits_ = 0;       // Even: so many have a row more
  int64_t rows_per_split_ = 0;      // than this.
  int64_t splits_ = 0;
  int64_t end_ = 0;
};

/// Returns how many splits give a machine with `parallelism` processors enough to do, where none
/// is larger than a block.
int64_t DefaultSplitCount(int64_t rows, int64_t bytes, const ReadLimits& limits, int parallelism);

/// Makes a source of the rows with these splits. Respects `read`'s columns,
/// splits (which replace the borders) and row limit. Each split is named "<name>, rows a to b".
/// `files` is what the source names as its files.
Result<std::unique_ptr<Source>> MakeSlicedSource(std::string name,
                                                 std::unique_ptr<SliceableRows> rows,
                                                 RowBorders borders, const ReadOp& read,
                                                 const ReadLimits& limits,
                                                 std::vector<std::string> files = {});

}  // namespace penstock
