#include "penstock/source/parquet_columns.h"

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/compute/cast.h>
#include <arrow/extension_type.h>
#include <arrow/util/bitmap_ops.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "penstock/base/error.h"
#include "penstock/base/mix.h"
#include "penstock/block/tensor.h"
#include "penstock/plan/type_text.h"

namespace penstock {
namespace {

using ArrayPointer = std::shared_ptr<arrow::Array>;
using TypePointer = std::shared_ptr<arrow::DataType>;

Result<std::shared_ptr<arrow::Schema>> ReadSchemaOption(OptionReader& options) {
  const nlohmann::json& given = options.Raw("schema");
  if (given.is_null()) return nullptr;
  if (!given.is_array()) return options.Wrong("schema", "a list of pairs of names and types");
  arrow::FieldVector fields;
  for (const nlohmann::json& pair : given) {
    if (!pair.is_array() || pair.size() != 2 || !pair[0].is_string() || !pair[1].is_string()) {
      return options.Wrong("schema", "a list of pairs of names and types");
    }
    PENSTOCK_TRY(auto type, TypeFromText(pair[1].get<std::string>()));
    fields.push_back(arrow::field(pair[0].get<std::string>(), std::move(type)));
  }
  return arrow::schema(std::move(fields));
}

Result<TypePointer> ReadTensorType(const std::string& column, const nlohmann::json& given) {
  if (!given.is_object()) {
    return Status::Invalid("option \"tensor_columns\" must say a type and a shape of '", column,
                           "'");
  }
  OptionReader parts("tensor_columns", given);
  PENSTOCK_TRY(const std::string name, parts.Text("type", ""));
  PENSTOCK_TRY(const auto values, TypeFromText(name));
  if (!arrow::is_integer(values->id()) && !arrow::is_floating(values->id())) {
    return parts.Wrong("type", "a type of numbers");
  }
  PENSTOCK_TRY(const auto shape, parts.Integers("shape", {}, 0));
  PENSTOCK_RETURN_NOT_OK(parts.RefuseOthers());
  return TensorType(values, shape);
}

Status Misfit(const std::string& column, int64_t row, int64_t wanted, int64_t found) {
  return MakeError(
      ErrorKind::kSchemaMismatch,
      fmt::format("column '{}', row {}: a tensor of the shape and type that were given has {} "
                  "bytes; got: {}",
                  column, row, wanted, found));
}

/// Copies the bytes of all values behind one another; a null's are zeros.
Result<ArrayPointer> Tensors(const arrow::Array& column, const std::string& name,
                             const TypePointer& type) {
  PENSTOCK_TRY(const auto cast, arrow::compute::Cast(column, arrow::large_binary()));
  const auto& values = dynamic_cast<const arrow::LargeBinaryArray&>(*cast);
  const auto& storage = dynamic_cast<const arrow::FixedSizeListType&>(
      *dynamic_cast<const arrow::ExtensionType&>(*type).storage_type());
  const int64_t bytes_each = storage.list_size() * storage.value_type()->byte_width();
  PENSTOCK_TRY(auto bytes, arrow::AllocateBuffer(bytes_each * values.length()));
  for (int64_t i = 0; i < values.length(); ++i) {
    uint8_t* place = bytes->mutable_data() + i * bytes_each;
    if (values.IsNull(i)) {
      std::memset(place, 0, static_cast<size_t>(bytes_each));
      continue;
    }
    const std::string_view value = values.GetView(i);
    if (static_cast<int64_t>(value.size()) != bytes_each) {
      return Misfit(name, i, bytes_each, static_cast<int64_t>(value.size()));
    }
    std::memcpy(place, value.data(), value.size());
  }
  std::shared_ptr<arrow::Buffer> valid;
  if (values.null_count() > 0) {
    PENSTOCK_TRY(
        valid, arrow::internal::CopyBitmap(arrow::default_memory_pool(), values.null_bitmap_data(),
                                           values.offset(), values.length()));
  }
  const auto numbers = arrow::MakeArray(
      arrow::ArrayData::Make(storage.value_type(), values.length() * storage.list_size(),
                             {nullptr, std::shared_ptr<arrow::Buffer>(std::move(bytes))}));
  return arrow::ExtensionType::WrapArray(
      type, std::make_shared<arrow::FixedSizeListArray>(
                dynamic_cast<const arrow::ExtensionType&>(*type).storage_type(), values.length(),
                numbers, std::move(valid), values.null_count()));
}

Result<ArrayPointer> CastTo(const ArrayPointer& column, const std::string& name,
                            const TypePointer& type) {
  auto cast = arrow::compute::Cast(*column, type);
  if (cast.ok()) return cast;
  return MakeError(ErrorKind::kSchemaMismatch,
                   fmt::format("column '{}' does not fit the type {} of the schema that was given: "
                               "{}",
                               name, type->ToString(), cast.status().message()));
}

Result<ArrayPointer> RowHashes(const std::string& path, int64_t first_row, int64_t rows) {
  const uint64_t key = Mix(HashText(path));
  arrow::UInt64Builder hashes;
  PENSTOCK_RETURN_NOT_OK(hashes.Reserve(rows));
  for (int64_t row = first_row; row < first_row + rows; ++row) {
    hashes.UnsafeAppend(Mix(key + static_cast<uint64_t>(row)));
  }
  return hashes.Finish();
}

}  // namespace

Result<ParquetColumns> ParquetColumns::Make(OptionReader& options) {
  ParquetColumns columns;
  PENSTOCK_TRY(columns.declared_, ReadSchemaOption(options));
  PENSTOCK_TRY(columns.row_hash_, options.Bool("row_hash", false));
  const nlohmann::json& tensors = options.Raw("tensor_columns");
  if (tensors.is_null()) return columns;
  if (!tensors.is_object()) return options.Wrong("tensor_columns", "an object");
  for (const auto& [column, given] : tensors.items()) {
    PENSTOCK_TRY(columns.tensors_[column], ReadTensorType(column, given));
  }
  return columns;
}

Result<std::shared_ptr<arrow::Schema>> ParquetColumns::Of(
    const std::shared_ptr<arrow::Schema>& found) const {
  if (tensors_.empty() && !row_hash_) return found;
  arrow::FieldVector fields;
  for (const auto& field : found->fields()) {
    if (IsMade(field->name())) continue;
    const auto tensor = tensors_.find(field->name());
    if (tensor == tensors_.end() || field->type()->Equals(*tensor->second)) {
      fields.push_back(field);
      continue;
    }
    if (!arrow::is_base_binary_like(field->type()->id()) &&
        field->type()->id() != arrow::Type::FIXED_SIZE_BINARY) {
      return Status::Invalid("tensor_columns names a column that holds no bytes: '", field->name(),
                             "' is ", field->type()->ToString());
    }
    fields.push_back(field->WithType(tensor->second));
  }
  if (row_hash_) fields.push_back(arrow::field(kRowHash, arrow::uint64()));
  return arrow::schema(std::move(fields), found->metadata());
}

bool ParquetColumns::IsMade(const std::string& name) const { return row_hash_ && name == kRowHash; }

std::vector<std::string> ParquetColumns::ChangedIn(const arrow::Schema& of_file) const {
  std::vector<std::string> changed;
  if (row_hash_) changed.emplace_back(kRowHash);
  for (const auto& [column, type] : tensors_) changed.push_back(column);
  if (declared_ == nullptr) return changed;
  for (const auto& field : of_file.fields()) {
    const auto declared = declared_->GetFieldByName(field->name());
    if (declared == nullptr || !declared->type()->Equals(*field->type())) {
      changed.push_back(field->name());
    }
  }
  return changed;
}

Result<std::shared_ptr<arrow::RecordBatch>> ParquetColumns::Apply(
    std::shared_ptr<arrow::RecordBatch> batch, const std::string& path, int64_t first_row,
    bool makes_hash) const {
  for (int i = 0; i < batch->num_columns(); ++i) {
    const std::string name = batch->column_name(i);
    const auto tensor = tensors_.find(name);
    const auto declared = declared_ == nullptr ? nullptr : declared_->GetFieldByName(name);
    ArrayPointer column = batch->column(i);
    if (tensor != tensors_.end() && !column->type()->Equals(*tensor->second)) {
      PENSTOCK_TRY(column, Tensors(*column, name, tensor->second));
    } else if (tensor == tensors_.end() && declared != nullptr &&
               !declared->type()->Equals(*column->type())) {
      PENSTOCK_TRY(column, CastTo(column, name, declared->type()));
    } else {
      continue;
    }
    PENSTOCK_TRY(batch, batch->SetColumn(i, arrow::field(name, column->type()), column));
  }
  if (!makes_hash) return batch;
  PENSTOCK_TRY(const auto hashes, RowHashes(path, first_row, batch->num_rows()));
  return batch->AddColumn(batch->num_columns(), kRowHash, hashes);
}

}  // namespace penstock
