#pragma once

#include <arrow/api.h>
#include <arrow/json/from_string.h>

#include <memory>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "penstock/block/block.h"
#include "penstock/block/packed.h"
#include "penstock/block/tensor.h"

namespace penstock {

using Column = std::pair<std::string, std::shared_ptr<arrow::Array>>;

inline std::shared_ptr<arrow::Array> Json(const std::shared_ptr<arrow::DataType>& type,
                                          const std::string& json) {
  return arrow::json::ArrayFromJSONString(type, json).ValueOrDie();
}

inline std::shared_ptr<arrow::RecordBatch> Batch(const std::vector<Column>& columns,
                                                 int64_t rows = -1) {
  arrow::FieldVector fields;
  arrow::ArrayVector arrays;
  for (const auto& [name, array] : columns) {
    fields.push_back(arrow::field(name, array->type()));
    arrays.push_back(array);
  }
  if (rows < 0) rows = arrays.empty() ? 0 : arrays[0]->length();
  return arrow::RecordBatch::Make(arrow::schema(fields), rows, arrays);
}

inline Piece Whole(std::shared_ptr<arrow::RecordBatch> batch) {
  const int64_t rows = batch->num_rows();
  return {{std::move(batch), {}, nullptr}, 0, rows};
}

inline Piece Part(std::shared_ptr<arrow::RecordBatch> batch, int64_t offset, int64_t rows) {
  return {{std::move(batch), {}, nullptr}, offset, rows};
}

inline std::shared_ptr<arrow::Array> Int64s(int64_t count, int64_t first = 0) {
  std::vector<int64_t> values(static_cast<size_t>(count));
  std::iota(values.begin(), values.end(), first);
  auto buffer = arrow::Buffer::FromVector(std::move(values));
  return std::make_shared<arrow::Int64Array>(count, std::move(buffer));
}

/// A column of tensors that count upwards from 0.
inline std::shared_ptr<arrow::Array> Tensors(int64_t rows, const std::vector<int64_t>& shape) {
  const auto type = TensorType(arrow::int64(), shape).ValueOrDie();
  const auto& list = static_cast<const arrow::ExtensionType&>(*type).storage_type();
  const int64_t size = static_cast<const arrow::FixedSizeListType&>(*list).list_size();
  auto storage = std::make_shared<arrow::FixedSizeListArray>(list, rows, Int64s(rows * size));
  return arrow::ExtensionType::WrapArray(type, storage);
}

}  // namespace penstock
