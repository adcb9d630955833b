#include "penstock/block/tensor.h"

#include <arrow/extension/fixed_shape_tensor.h>

#include <algorithm>
#include <limits>
#include <numeric>

namespace penstock {

using arrow::extension::FixedShapeTensorType;

Result<std::shared_ptr<arrow::DataType>> TensorType(const std::shared_ptr<arrow::DataType>& values,
                                                    const std::vector<int64_t>& shape) {
  int64_t count = 1;
  for (const int64_t dimension : shape) {
    if (dimension < 0) {
      return Status::Invalid("A tensor's dimensions cannot be negative; got: ", dimension);
    }
    count = dimension > std::numeric_limits<int32_t>::max() ? std::numeric_limits<int64_t>::max()
                                                            : count * dimension;
    if (count > std::numeric_limits<int32_t>::max()) {
      return Status::Invalid("A row's tensor holds at most ", std::numeric_limits<int32_t>::max(),
                             " values; this one has the dimension: ", dimension);
    }
  }
  return FixedShapeTensorType::Make(values, shape);
}

TensorParts TensorPartsOf(const arrow::DataType& type) {
  const auto* tensor = dynamic_cast<const FixedShapeTensorType*>(&type);
  if (tensor == nullptr) return {};
  const std::vector<int64_t>& permutation = tensor->permutation();
  for (size_t i = 0; i < permutation.size(); ++i) {
    if (permutation[i] != static_cast<int64_t>(i)) return {};
  }
  return {tensor->value_type(), tensor->shape()};
}

ColumnKind KindOf(const arrow::DataType& type) {
  switch (type.id()) {
    case arrow::Type::BOOL:
      return ColumnKind::kBool;
    case arrow::Type::INT8:
      return ColumnKind::kInt8;
    case arrow::Type::INT16:
      return ColumnKind::kInt16;
    case arrow::Type::INT32:
      return ColumnKind::kInt32;
    case arrow::Type::INT64:
      return ColumnKind::kInt64;
    case arrow::Type::UINT8:
      return ColumnKind::kUInt8;
    case arrow::Type::UINT16:
      return ColumnKind::kUInt16;
    case arrow::Type::UINT32:
      return ColumnKind::kUInt32;
    case arrow::Type::UINT64:
      return ColumnKind::kUInt64;
    case arrow::Type::HALF_FLOAT:
      return ColumnKind::kFloat16;
    case arrow::Type::FLOAT:
      return ColumnKind::kFloat32;
    case arrow::Type::DOUBLE:
      return ColumnKind::kFloat64;
    case arrow::Type::STRING:
      return ColumnKind::kUtf8;
    case arrow::Type::BINARY:
      return ColumnKind::kBinary;
    case arrow::Type::LARGE_STRING:
      return ColumnKind::kLargeUtf8;
    case arrow::Type::LARGE_BINARY:
      return ColumnKind::kLargeBinary;
    case arrow::Type::NA:
      return ColumnKind::kNull;
    case arrow::Type::TIMESTAMP: {
      const auto& timestamp = static_cast<const arrow::TimestampType&>(type);
      if (!timestamp.timezone().empty()) return ColumnKind::kOther;
      switch (timestamp.unit()) {
        case arrow::TimeUnit::SECOND:
          return ColumnKind::kTimestampSecond;
        case arrow::TimeUnit::MILLI:
          return ColumnKind::kTimestampMilli;
        case arrow::TimeUnit::MICRO:
          return ColumnKind::kTimestampMicro;
        case arrow::TimeUnit::NANO:
          return ColumnKind::kTimestampNano;
      }
      return ColumnKind::kOther;
    }
    default:
      return ColumnKind::kOther;
  }
}

std::shared_ptr<arrow::DataType> TypeOf(ColumnKind kind) {
  static const std::vector<std::shared_ptr<arrow::DataType>> types = {
      nullptr,
      arrow::boolean(),
      arrow::int8(),
      arrow::int16(),
      arrow::int32(),
      arrow::int64(),
      arrow::uint8(),
      arrow::uint16(),
      arrow::uint32(),
      arrow::uint64(),
      arrow::float16(),
      arrow::float32(),
      arrow::float64(),
      arrow::utf8(),
      arrow::binary(),
      arrow::large_utf8(),
      arrow::large_binary(),
      arrow::null(),
      arrow::timestamp(arrow::TimeUnit::SECOND),
      arrow::timestamp(arrow::TimeUnit::MILLI),
      arrow::timestamp(arrow::TimeUnit::MICRO),
      arrow::timestamp(arrow::TimeUnit::NANO),
  };
  const auto index = static_cast<size_t>(kind);
  return index < types.size() ? types[index] : nullptr;
}

}  // namespace penstock
