#include "core/batches.h"

#include <arrow/api.h>
#include <arrow/extension_type.h>
#include <fmt/format.h>

#include <utility>

#include "core/keep_alive.h"
#include "penstock/block/tensor.h"

namespace penstock::python {
namespace {

const uint8_t* DataOf(const std::shared_ptr<arrow::Buffer>& buffer) {
  return buffer == nullptr ? nullptr : buffer->data();
}

bool HasOffsets(ColumnKind kind) {
  return kind == ColumnKind::kUtf8 || kind == ColumnKind::kBinary ||
         kind == ColumnKind::kLargeUtf8 || kind == ColumnKind::kLargeBinary;
}

ColumnView ScalarView(std::string_view name, ColumnKind kind, const arrow::ArrayData& data) {
  ColumnView view{.name = name, .kind = kind, .rows = data.length};
  view.null_count = data.GetNullCount();
  view.offset = data.offset;
  if (kind == ColumnKind::kNull) return view;
  view.validity = view.null_count == 0 ? nullptr : DataOf(data.buffers[0]);
  if (HasOffsets(kind)) {
    view.offsets = DataOf(data.buffers[1]);
    view.data = DataOf(data.buffers[2]);
  } else {
    view.data = DataOf(data.buffers[1]);
  }
  return view;
}

/// A tensor column without nulls is viewed through its values: `offset` then counts whole tensors,
/// so the values' own offset is folded into the data pointer.
std::optional<ColumnView> TensorView(std::string_view name, const arrow::ArrayData& data,
                                     const TensorParts& parts) {
  const ColumnKind kind = KindOf(*parts.values);
  const arrow::ArrayData& values = *data.child_data[0];
  const int byte_width = parts.values->byte_width();
  if (kind == ColumnKind::kOther || kind == ColumnKind::kBool || byte_width <= 0) {
    return std::nullopt;
  }
  if (data.GetNullCount() != 0 || values.GetNullCount() != 0) return std::nullopt;
  ColumnView view{.name = name, .kind = kind, .rows = data.length};
  view.offset = data.offset;
  view.shape = parts.shape;
  view.data = DataOf(values.buffers[1]);
  if (view.data != nullptr) view.data += values.offset * byte_width;
  return view;
}

std::shared_ptr<arrow::Buffer> OwnedBuffer(std::string bytes) {
  return bytes.empty() ? nullptr : arrow::Buffer::FromString(std::move(bytes));
}

Result<std::shared_ptr<arrow::Array>> ArrayOf(EncodedColumn column) {
  std::shared_ptr<arrow::Buffer> values =
      column.array.is_valid() ? LentBuffer(column.array, column.data, column.data_bytes)
                              : arrow::Buffer::FromString(std::move(column.owned_data));
  const std::shared_ptr<arrow::DataType> type = TypeOf(column.kind);
  if (column.kind == ColumnKind::kNull) {
    return std::make_shared<arrow::NullArray>(column.rows);
  }
  std::vector<std::shared_ptr<arrow::Buffer>> buffers{OwnedBuffer(std::move(column.validity))};
  if (HasOffsets(column.kind)) {
    buffers.push_back(arrow::Buffer::FromString(std::move(column.offsets)));
  }
  buffers.push_back(std::move(values));
  if (column.shape.empty()) {
    return arrow::MakeArray(
        arrow::ArrayData::Make(type, column.rows, std::move(buffers), column.null_count));
  }
  int64_t per_row = 1;
  for (const int64_t dimension : column.shape) per_row *= dimension;
  PENSTOCK_TRY(const std::shared_ptr<arrow::DataType> tensor, TensorType(type, column.shape));
  // The nulls are whole tensors.
  const int64_t null_count = column.null_count;
  auto data = arrow::ArrayData::Make(tensor, column.rows, {std::move(buffers[0])}, null_count);
  buffers[0] = nullptr;
  data->child_data.push_back(
      arrow::ArrayData::Make(type, column.rows * per_row, std::move(buffers), 0));
  return arrow::MakeArray(std::move(data));
}

}  // namespace

std::optional<ColumnView> PlainView(std::string_view name, const arrow::Array& column) {
  const TensorParts parts = TensorPartsOf(*column.type());
  if (parts.values != nullptr) return TensorView(name, *column.data(), parts);
  const ColumnKind kind = KindOf(*column.type());
  if (kind == ColumnKind::kOther) return std::nullopt;
  return ScalarView(name, kind, *column.data());
}

Result<std::shared_ptr<arrow::RecordBatch>> BatchOf(std::vector<EncodedColumn> columns,
                                                    int64_t rows) {
  std::vector<std::shared_ptr<arrow::Field>> fields;
  std::vector<std::shared_ptr<arrow::Array>> arrays;
  for (EncodedColumn& column : columns) {
    if (column.rows != rows) {
      return Status::Invalid(fmt::format("Columns differ in length: '{}' has {} rows, '{}' has {}",
                                         columns.front().name, rows, column.name, column.rows));
    }
    const std::string name = column.name;
    PENSTOCK_TRY(std::shared_ptr<arrow::Array> array, ArrayOf(std::move(column)));
    fields.push_back(arrow::field(name, array->type()));
    arrays.push_back(std::move(array));
  }
  return arrow::RecordBatch::Make(arrow::schema(std::move(fields)), rows, std::move(arrays));
}

}  // namespace penstock::python
