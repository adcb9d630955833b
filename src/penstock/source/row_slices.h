#pragma once

#include <arrow/record_batch.h>

#include <cstdint>
#include <memory>
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

/// Returns where `rows` rows are cut into `count` splits whose sizes differ by at most one:
/// count + 1 positions, from 0 to `rows`.
std::vector<int64_t> EvenBorders(int64_t rows, int64_t count);

/// Returns how many splits give a machine with `parallelism` processors enough to do, where none
/// is larger than a block.
int64_t DefaultSplitCount(int64_t rows, int64_t bytes, const ReadLimits& limits, int parallelism);

/// Makes a source of the rows with a split between each two `borders`. Respects `read`'s columns,
/// splits (which replace the borders) and row limit. Each split is named "<name>, rows a to b".
Result<std::unique_ptr<Source>> MakeSlicedSource(std::string name,
                                                 std::unique_ptr<SliceableRows> rows,
                                                 std::vector<int64_t> borders, const ReadOp& read,
                                                 const ReadLimits& limits);

}  // namespace penstock
