#include "penstock/block/ragged.h"

#include <arrow/array/array_primitive.h>
#include <arrow/extension/variable_shape_tensor.h>
#include <arrow/extension_type.h>

namespace penstock {

RaggedParts RaggedPartsOf(const arrow::DataType& type) {
  const auto* ragged = dynamic_cast<const arrow::extension::VariableShapeTensorType*>(&type);
  if (ragged == nullptr || !ragged->permutation().empty() || !ragged->dim_names().empty() ||
      !ragged->uniform_shape().empty()) {
    return {};
  }
  return {ragged->value_type(), static_cast<int>(ragged->ndim())};
}

RaggedColumn::RaggedColumn(const arrow::Array& column)
    : rows_(std::static_pointer_cast<arrow::StructArray>(
          static_cast<const arrow::ExtensionArray&>(column).storage())),
      data_(std::static_pointer_cast<arrow::ListArray>(rows_->field(0))),
      shape_column_(rows_->field(1)),
      shapes_(std::static_pointer_cast<arrow::FixedSizeListArray>(shape_column_)) {}

int32_t RaggedColumn::Extent(int64_t row, int dimension) const {
  const auto& extents = static_cast<const arrow::Int32Array&>(*shapes_->values());
  return extents.Value(shapes_->value_offset(row) + dimension);
}

Status RaggedColumn::Check(int64_t row) const {
  const int64_t length = data_->value_length(row);
  int64_t wanted = 1;
  for (int dimension = 0; dimension < dimensions(); ++dimension) {
    const int64_t extent = Extent(row, dimension);
    if (extent < 0 || __builtin_mul_overflow(wanted, extent, &wanted)) wanted = -1;
    if (wanted <= 0) break;
  }
  if (wanted == length) return Status::OK();
  return Status::Invalid("a tensor's values are not as many as its shape says; got: ", length);
}

}  // namespace penstock
