#include "penstock/block/tensor_union.h"

#include <arrow/array/array_nested.h>
#include <arrow/buffer.h>
#include <arrow/compute/cast.h>
#include <arrow/extension/variable_shape_tensor.h>
#include <arrow/extension_type.h>
#include <arrow/type.h>
#include <arrow/type_traits.h>
#include <arrow/util/bitmap_ops.h>

#include <limits>
#include <vector>

#include "penstock/block/ragged.h"
#include "penstock/block/tensor.h"

namespace penstock {
namespace {

using arrow::extension::VariableShapeTensorType;
using Type = std::shared_ptr<arrow::DataType>;

/// What counts of a column of vectors or tensors; `values` is null for all others.
struct Form {
  Type values;
  size_t dimensions = 0;
  bool is_tensor = false;
};

Form FormOf(const Type& type) {
  const TensorParts fixed = TensorPartsOf(*type);
  if (fixed.values != nullptr) return {fixed.values, fixed.shape.size(), true};
  if (type->id() == arrow::Type::LIST) {
    return {static_cast<const arrow::ListType&>(*type).value_type(), 1, false};
  }
  const RaggedParts ragged = RaggedPartsOf(*type);
  if (ragged.values == nullptr) return {};
  return {ragged.values, static_cast<size_t>(ragged.dimensions), true};
}

Result<std::shared_ptr<arrow::Buffer>> ValidityOf(const arrow::Array& column) {
  if (column.null_count() == 0) return nullptr;
  return arrow::internal::CopyBitmap(arrow::default_memory_pool(), column.null_bitmap_data(),
                                     column.offset(), column.length());
}

template <typename Value>
std::shared_ptr<arrow::Buffer> BufferOf(const std::vector<Value>& values) {
  std::string bytes(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(Value));
  return arrow::Buffer::FromString(std::move(bytes));
}

Result<std::shared_ptr<arrow::Array>> ValuesAs(const std::shared_ptr<arrow::Array>& values,
                                               const Type& wanted) {
  if (values->type()->Equals(*wanted)) return values;
  return arrow::compute::Cast(*values, wanted);
}

/// Returns one list a row, each with the values of one tensor.
Result<std::shared_ptr<arrow::Array>> ListsOf(const arrow::FixedSizeListArray& tensors,
                                              const Type& type,
                                              std::shared_ptr<arrow::Buffer> validity) {
  const int64_t row_values = tensors.list_type()->list_size();
  const int64_t rows = tensors.length();
  if (row_values > 0 && rows > std::numeric_limits<int32_t>::max() / row_values) {
    return Status::Invalid("A batch holds at most ", std::numeric_limits<int32_t>::max(),
                           " values of tensors whose shapes vary; a smaller batch_size helps; got ",
                           rows, " rows of ", row_values);
  }
  std::vector<int32_t> offsets;
  for (int64_t row = 0; row <= rows; ++row) {
    offsets.push_back(static_cast<int32_t>(row * row_values));
  }
  const auto own = tensors.values()->Slice(tensors.value_offset(0), rows * row_values);
  PENSTOCK_TRY(const auto values, ValuesAs(own, type->field(0)->type()));
  return std::make_shared<arrow::ListArray>(type, rows, BufferOf(offsets), values,
                                            std::move(validity));
}

/// Returns the lists with values of another type, and with another validity.
Result<std::shared_ptr<arrow::Array>> ListsAs(const arrow::ListArray& lists, const Type& type,
                                              std::shared_ptr<arrow::Buffer> validity) {
  constexpr auto kOffsetBytes = static_cast<int64_t>(sizeof(int32_t));
  const auto offsets = arrow::SliceBuffer(lists.value_offsets(), lists.offset() * kOffsetBytes,
                                          (lists.length() + 1) * kOffsetBytes);
  PENSTOCK_TRY(const auto values, ValuesAs(lists.values(), type->field(0)->type()));
  return std::make_shared<arrow::ListArray>(type, lists.length(), offsets, values,
                                            std::move(validity));
}

Result<std::shared_ptr<arrow::Array>> RaggedOf(const arrow::FixedSizeListArray& tensors,
                                               const std::vector<int64_t>& shape,
                                               const Type& type) {
  const Type& storage = static_cast<const arrow::ExtensionType&>(*type).storage_type();
  PENSTOCK_TRY(const auto data, ListsOf(tensors, storage->field(0)->type(), nullptr));
  std::vector<int32_t> extents;
  for (int64_t row = 0; row < tensors.length(); ++row) {
    for (const int64_t extent : shape) extents.push_back(static_cast<int32_t>(extent));
  }
  const auto flat =
      std::make_shared<arrow::Int32Array>(static_cast<int64_t>(extents.size()), BufferOf(extents));
  const auto shapes = std::make_shared<arrow::FixedSizeListArray>(storage->field(1)->type(),
                                                                  tensors.length(), flat);
  PENSTOCK_TRY(auto validity, ValidityOf(tensors));
  const auto parts = std::make_shared<arrow::StructArray>(
      storage, tensors.length(), arrow::ArrayVector{data, shapes}, std::move(validity));
  return arrow::ExtensionType::WrapArray(type, parts);
}

/// Brings tensors whose shapes vary to others with wider values, or to lists.
Result<std::shared_ptr<arrow::Array>> BringRagged(const arrow::Array& column, const Type& type) {
  const RaggedColumn ragged(column);
  PENSTOCK_TRY(auto validity, ValidityOf(ragged.rows()));
  if (type->id() == arrow::Type::LIST) return ListsAs(ragged.data(), type, std::move(validity));
  const Type& wanted = static_cast<const arrow::ExtensionType&>(*type).storage_type();
  PENSTOCK_TRY(auto cast, ListsAs(ragged.data(), wanted->field(0)->type(), nullptr));
  const auto brought = std::make_shared<arrow::StructArray>(
      wanted, column.length(), arrow::ArrayVector{std::move(cast), ragged.shapes()},
      std::move(validity));
  return arrow::ExtensionType::WrapArray(type, brought);
}

/// Returns the type that holds the numbers of both, null where there is none.
Type CommonValues(const Type& first, const Type& other) {
  if (first->Equals(*other)) return first;
  if (!arrow::is_numeric(first->id()) || !arrow::is_numeric(other->id())) return nullptr;
  const auto merged = arrow::field("", first)->MergeWith(*arrow::field("", other),
                                                         arrow::Field::MergeOptions::Permissive());
  return merged.ok() ? (*merged)->type() : nullptr;
}

}  // namespace

Type CommonTensorType(const Type& first, const Type& other) {
  const Form one = FormOf(first);
  const Form two = FormOf(other);
  if (one.values == nullptr || two.values == nullptr || !(one.is_tensor || two.is_tensor)) {
    return nullptr;
  }
  if (one.dimensions != two.dimensions || one.dimensions == 0) return nullptr;
  const Type values = CommonValues(one.values, two.values);
  if (values == nullptr) return nullptr;
  if (!one.is_tensor || !two.is_tensor) return arrow::list(values);
  return VariableShapeTensorType::Make(values, static_cast<int32_t>(one.dimensions))
      .ValueOr(nullptr);
}

Result<std::shared_ptr<arrow::Array>> BringTensors(const arrow::Array& column, const Type& type) {
  const Form own = FormOf(column.type());
  const Form wanted = FormOf(type);
  if (!own.is_tensor || wanted.values == nullptr || wanted.dimensions != own.dimensions ||
      TensorPartsOf(*type).values != nullptr) {
    return nullptr;
  }
  const TensorParts fixed = TensorPartsOf(*column.type());
  if (fixed.values == nullptr) return BringRagged(column, type);
  const auto storage = static_cast<const arrow::ExtensionArray&>(column).storage();
  const auto& tensors = static_cast<const arrow::FixedSizeListArray&>(*storage);
  if (type->id() == arrow::Type::EXTENSION) return RaggedOf(tensors, fixed.shape, type);
  PENSTOCK_TRY(auto validity, ValidityOf(tensors));
  return ListsOf(tensors, type, std::move(validity));
}

}  // namespace penstock
