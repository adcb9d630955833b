#include "penstock/op/positions.h"

#include <arrow/builder.h>

#include <nlohmann/json.hpp>
#include <string>

#include "penstock/base/mix.h"
#include "penstock/plan/expression_positions.h"

namespace penstock {
namespace {

constexpr int kRowBits =
    33;  // A split has fewer rows than 2^33, a data set fewer splits than 2^30.
constexpr uint64_t kInexact = 0x5E6D;  // Rows after a function that may change their number.

bool IsExact(const Block& block) {
  return block.lineage.exact() && block.lineage.rows() == block.rows();
}

Result<std::shared_ptr<arrow::Array>> Ids(const Block& block) {
  if (!IsExact(block)) {
    return Status::Invalid(
        "monotonically_increasing_id() numbers the rows of the input; put it before the function "
        "that may change their number, promise that it does not (udf_modifying_row_count=False), "
        "or call materialize() before it");
  }
  arrow::Int64Builder ids;
  PENSTOCK_RETURN_NOT_OK(ids.Reserve(block.rows()));
  for (const RowRange& range : block.lineage.ranges()) {
    for (int64_t i = 0; i < range.rows; ++i) {
      ids.UnsafeAppend((range.split << kRowBits) + range.first_row + i);
    }
  }
  return ids.Finish();
}

Result<std::shared_ptr<arrow::Array>> Places(const Block& block) {
  arrow::UInt64Builder places;
  PENSTOCK_RETURN_NOT_OK(places.Reserve(block.rows()));
  const auto append = [&places](uint64_t key, int64_t first_row, int64_t rows) {
    for (int64_t i = 0; i < rows; ++i) {
      places.UnsafeAppend(Mix(key + static_cast<uint64_t>(first_row + i)));
    }
  };
  if (IsExact(block)) {
    for (const RowRange& range : block.lineage.ranges()) {
      append(Mix(static_cast<uint64_t>(range.split)), range.first_row, range.rows);
    }
  } else {
    const auto& ranges = block.lineage.ranges();
    const RowRange first = ranges.empty() ? RowRange{} : ranges.front();
    const uint64_t split = Mix(static_cast<uint64_t>(first.split) ^ Mix(kInexact));
    append(Mix(split + static_cast<uint64_t>(first.first_row)), 0, block.rows());
  }
  return places.Finish();
}

}  // namespace

PositionColumns PositionsIn(const nlohmann::json& expression, PositionColumns columns) {
  if (!expression.is_object()) return columns;
  const auto position = expression.find("position");
  if (position != expression.end()) {
    columns.id |= *position == "id";
    columns.place |= *position == "place";
  }
  const auto arguments = expression.find("arguments");
  if (arguments == expression.end()) return columns;
  for (const nlohmann::json& argument : *arguments) columns = PositionsIn(argument, columns);
  return columns;
}

std::shared_ptr<arrow::Schema> WithPositions(const std::shared_ptr<arrow::Schema>& schema,
                                             PositionColumns columns) {
  arrow::FieldVector fields = schema->fields();
  if (columns.id) fields.push_back(arrow::field(std::string(kIdColumn), arrow::int64()));
  if (columns.place) fields.push_back(arrow::field(std::string(kPlaceColumn), arrow::uint64()));
  return arrow::schema(std::move(fields), schema->metadata());
}

Result<std::shared_ptr<arrow::RecordBatch>> WithPositions(const Block& block,
                                                          PositionColumns columns) {
  if (!columns.any()) return block.batch;
  arrow::ArrayVector arrays = block.batch->columns();
  if (columns.id) {
    PENSTOCK_TRY(arrays.emplace_back(), Ids(block));
  }
  if (columns.place) {
    PENSTOCK_TRY(arrays.emplace_back(), Places(block));
  }
  return arrow::RecordBatch::Make(WithPositions(block.batch->schema(), columns), block.rows(),
                                  std::move(arrays));
}

}  // namespace penstock
