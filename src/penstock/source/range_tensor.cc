#include <arrow/array/array_nested.h>
#include <arrow/array/array_primitive.h>
#include <arrow/buffer.h>
#include <arrow/extension_type.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <limits>

#include "penstock/block/tensor.h"
#include "penstock/plan/options.h"
#include "penstock/source/registry.h"
#include "penstock/source/row_slices.h"

namespace penstock {
namespace {

constexpr int64_t kElementBytes = sizeof(int64_t);

/// Every element of row i is i.
class RangeTensorRows final : public SliceableRows {
 public:
  RangeTensorRows(int64_t count, int64_t elements_per_row, std::shared_ptr<arrow::DataType> type)
      : count_(count),
        elements_per_row_(elements_per_row),
        type_(std::move(type)),
        schema_(arrow::schema({arrow::field("data", type_)})) {}

  std::shared_ptr<arrow::Schema> schema() const override { return schema_; }
  int64_t rows() const override { return count_; }
  int64_t Bytes(int64_t begin, int64_t end) const override {
    return (end - begin) * elements_per_row_ * kElementBytes;
  }

  Result<std::shared_ptr<arrow::RecordBatch>> Rows(int64_t begin, int64_t end) const override {
    PENSTOCK_TRY(auto values, arrow::AllocateBuffer(Bytes(begin, end)));
    auto* next = values->mutable_data_as<int64_t>();
    for (int64_t row = begin; row < end; ++row) next = std::fill_n(next, elements_per_row_, row);
    auto elements =
        std::make_shared<arrow::Int64Array>((end - begin) * elements_per_row_, std::move(values));
    auto lists = std::make_shared<arrow::FixedSizeListArray>(
        static_cast<const arrow::ExtensionType&>(*type_).storage_type(), end - begin,
        std::move(elements));
    auto column = arrow::ExtensionType::WrapArray(type_, std::move(lists));
    return arrow::RecordBatch::Make(schema_, end - begin, {std::move(column)});
  }

 private:
  const int64_t count_;
  const int64_t elements_per_row_;
  const std::shared_ptr<arrow::DataType> type_;
  const std::shared_ptr<arrow::Schema> schema_;
};

/// Returns the number of elements of one row; Invalid where the whole cannot be addressed.
Result<int64_t> ElementCount(const std::vector<int64_t>& shape, int64_t count) {
  const int64_t row_max = std::numeric_limits<int32_t>::max();  // Of Arrow's fixed-size lists.
  int64_t elements = 1;
  for (const int64_t extent : shape) {
    if (extent > row_max / elements) {
      return Status::Invalid(fmt::format(
          "reader range_tensor: a row may have at most {} elements; got the shape: ({})", row_max,
          fmt::join(shape, ", ")));
    }
    elements *= extent;
  }
  if (count > std::numeric_limits<int64_t>::max() / kElementBytes / elements) {
    return Status::Invalid(
        fmt::format("reader range_tensor: too many rows of this shape; got: {}", count));
  }
  return elements;
}

}  // namespace

Result<std::unique_ptr<Source>> MakeRangeTensorSource(const ReadOp& read, const ReadLimits& limits,
                                                      int parallelism) {
  OptionReader options("reader range_tensor", read.options);
  PENSTOCK_TRY(const int64_t count, options.Integer("count", 0, 0));
  PENSTOCK_TRY(const auto shape, options.Integers("shape", {1}, 1));
  PENSTOCK_RETURN_NOT_OK(options.RefuseOthers());
  PENSTOCK_TRY(const int64_t elements, ElementCount(shape, count));
  PENSTOCK_TRY(auto type, TensorType(arrow::int64(), shape));
  auto rows = std::make_unique<RangeTensorRows>(count, elements, std::move(type));
  const int64_t splits = DefaultSplitCount(count, rows->Bytes(0, count), limits, parallelism);
  return MakeSlicedSource("range_tensor", std::move(rows), RowBorders::Even(count, splits), read,
                          limits);
}

}  // namespace penstock
