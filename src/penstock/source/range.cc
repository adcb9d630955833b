#include <arrow/array/array_primitive.h>
#include <arrow/buffer.h>

#include <algorithm>
#include <limits>
#include <numeric>

#include "penstock/plan/options.h"
#include "penstock/source/registry.h"
#include "penstock/source/row_slices.h"

namespace penstock {
namespace {

constexpr int64_t kRowBytes = sizeof(int64_t);
constexpr int64_t kCountMax = std::numeric_limits<int64_t>::max() / kRowBytes;

class RangeRows final : public SliceableRows {
 public:
  explicit RangeRows(int64_t count) : count_(count) {}

  std::shared_ptr<arrow::Schema> schema() const override { return schema_; }
  int64_t rows() const override { return count_; }
  int64_t Bytes(int64_t begin, int64_t end) const override {
    return std::min(end - begin, kCountMax) * kRowBytes;
  }

  Result<std::shared_ptr<arrow::RecordBatch>> Rows(int64_t begin, int64_t end) const override {
    PENSTOCK_TRY(auto values, arrow::AllocateBuffer(Bytes(begin, end)));
    auto* first = values->mutable_data_as<int64_t>();
    std::iota(first, first + (end - begin), begin);
    auto column = std::make_shared<arrow::Int64Array>(end - begin, std::move(values));
    return arrow::RecordBatch::Make(schema_, end - begin, {std::move(column)});
  }

 private:
  const int64_t count_;
  const std::shared_ptr<arrow::Schema> schema_ =
      arrow::schema({arrow::field("id", arrow::int64())});
};

}  // namespace

Result<std::unique_ptr<Source>> MakeRangeSource(const ReadOp& read, const ReadLimits& limits,
                                                int parallelism) {
  OptionReader options("reader range", read.options);
  PENSTOCK_TRY(const int64_t count, options.Integer("count", 0, 0));
  PENSTOCK_RETURN_NOT_OK(options.RefuseOthers());
  auto rows = std::make_unique<RangeRows>(count);
  const int64_t splits = DefaultSplitCount(count, rows->Bytes(0, count), limits, parallelism);
  return MakeSlicedSource("range", std::move(rows), RowBorders::Even(count, splits), read, limits);
}

}  // namespace penstock
