#include <arrow/array.h>
#include <arrow/extension_type.h>
#include <arrow/type_traits.h>

#include <optional>
#include <utility>
#include <vector>

#include "penstock/block/ragged.h"
#include "penstock/block/tensor.h"
#include "penstock/sink/json_cells.h"

namespace penstock {
namespace {

using Cells = std::unique_ptr<JsonCells>;

template <typename ArrayType>
class ListCells final : public JsonCells {
 public:
  explicit ListCells(Cells values) : values_(std::move(values)) {}

  void Bind(const arrow::Array& array) override {
    array_ = static_cast<const ArrayType*>(&array);
    values_->Bind(*array_->values());
  }

  Status Append(int64_t row, std::string* out) const override {
    if (array_->IsNull(row)) {
      *out += "null";
      return Status::OK();
    }
    *out += '[';
    const int64_t begin = array_->value_offset(row);
    const int64_t end = begin + array_->value_length(row);
    for (int64_t i = begin; i < end; ++i) {
      if (i > begin) *out += ',';
      PENSTOCK_RETURN_NOT_OK(values_->Append(i, out));
    }
    *out += ']';
    return Status::OK();
  }

 private:
  const Cells values_;
  const ArrayType* array_ = nullptr;
};

/// Row-major tensors of one shape: lists in lists.
class TensorCells final : public JsonCells {
 public:
  TensorCells(Cells values, std::vector<int64_t> shape)
      : values_(std::move(values)), shape_(std::move(shape)) {}

  void Bind(const arrow::Array& array) override {
    storage_ = std::static_pointer_cast<arrow::FixedSizeListArray>(
        static_cast<const arrow::ExtensionArray&>(array).storage());
    values_->Bind(*storage_->values());
  }

  Status Append(int64_t row, std::string* out) const override {
    if (storage_->IsNull(row)) {
      *out += "null";
      return Status::OK();
    }
    int64_t next = storage_->value_offset(row);
    return AppendDimension(0, &next, out);
  }

 private:
  Status AppendDimension(size_t dimension, int64_t* next, std::string* out) const {
    if (dimension == shape_.size()) return values_->Append((*next)++, out);
    *out += '[';
    for (int64_t i = 0; i < shape_[dimension]; ++i) {
      if (i > 0) *out += ',';
      PENSTOCK_RETURN_NOT_OK(AppendDimension(dimension + 1, next, out));
    }
    *out += ']';
    return Status::OK();
  }

  const Cells values_;
  const std::vector<int64_t> shape_;
  std::shared_ptr<arrow::FixedSizeListArray> storage_;  // Shared with the bound array.
};

/// Row-major tensors whose shapes vary: lists in lists too.
class RaggedCells final : public JsonCells {
 public:
  explicit RaggedCells(Cells values) : values_(std::move(values)) {}

  void Bind(const arrow::Array& array) override {
    column_.emplace(array);
    values_->Bind(*column_->data().values());
  }

  Status Append(int64_t row, std::string* out) const override {
    if (column_->IsNull(row)) {
      *out += "null";
      return Status::OK();
    }
    PENSTOCK_RETURN_NOT_OK(column_->Check(row));
    int64_t next = column_->data().value_offset(row);
    return AppendDimension(row, 0, &next, out);
  }

 private:
  Status AppendDimension(int64_t row, int dimension, int64_t* next, std::string* out) const {
    if (dimension == column_->dimensions()) return values_->Append((*next)++, out);
    *out += '[';
    for (int32_t i = 0; i < column_->Extent(row, dimension); ++i) {
      if (i > 0) *out += ',';
      PENSTOCK_RETURN_NOT_OK(AppendDimension(row, dimension + 1, next, out));
    }
    *out += ']';
    return Status::OK();
  }

  const Cells values_;
  std::optional<RaggedColumn> column_;  // Shares the bound array's memory.
};

class StructCells final : public JsonCells {
 public:
  void Add(std::string prefix, Cells cells) {
    fields_.push_back({std::move(prefix), std::move(cells)});
  }

  void Bind(const arrow::Array& array) override {
    array_ = static_cast<const arrow::StructArray*>(&array);
    for (size_t i = 0; i < fields_.size(); ++i) {
      fields_[i].cells->Bind(*array_->field(static_cast<int>(i)));
    }
  }

  Status Append(int64_t row, std::string* out) const override {
    if (array_->IsNull(row)) {
      *out += "null";
      return Status::OK();
    }
    *out += '{';
    for (const Field& field : fields_) {
      *out += field.prefix;
      PENSTOCK_RETURN_NOT_OK(field.cells->Append(row, out));
    }
    *out += '}';
    return Status::OK();
  }

 private:
  struct Field {
    std::string prefix;  // `,"name":`
    Cells cells;
  };
  std::vector<Field> fields_;
  const arrow::StructArray* array_ = nullptr;
};

class MapCells final : public JsonCells {
 public:
  MapCells(Cells keys, Cells items, bool object)
      : keys_(std::move(keys)), items_(std::move(items)), object_(object) {}

  void Bind(const arrow::Array& array) override {
    array_ = static_cast<const arrow::MapArray*>(&array);
    keys_->Bind(*array_->keys());
    items_->Bind(*array_->items());
  }

  Status Append(int64_t row, std::string* out) const override {
    if (array_->IsNull(row)) {
      *out += "null";
      return Status::OK();
    }
    *out += object_ ? '{' : '[';
    const int64_t begin = array_->value_offset(row);
    for (int64_t i = begin; i < begin + array_->value_length(row); ++i) {
      if (i > begin) *out += ',';
      if (!object_) *out += '[';
      PENSTOCK_RETURN_NOT_OK(keys_->Append(i, out));
      *out += object_ ? ':' : ',';
      PENSTOCK_RETURN_NOT_OK(items_->Append(i, out));
      if (!object_) *out += ']';
    }
    *out += object_ ? '}' : ']';
    return Status::OK();
  }

 private:
  const Cells keys_;
  const Cells items_;
  const bool object_;
  const arrow::MapArray* array_ = nullptr;
};

class DictionaryCells final : public JsonCells {
 public:
  explicit DictionaryCells(Cells values) : values_(std::move(values)) {}

  void Bind(const arrow::Array& array) override {
    array_ = static_cast<const arrow::DictionaryArray*>(&array);
    values_->Bind(*array_->dictionary());
  }

  Status Append(int64_t row, std::string* out) const override {
    if (!array_->IsNull(row)) return values_->Append(array_->GetValueIndex(row), out);
    *out += "null";
    return Status::OK();
  }

 private:
  const Cells values_;
  const arrow::DictionaryArray* array_ = nullptr;
};

/// An extension type of no form of its own goes as what it is stored as.
class StorageCells final : public JsonCells {
 public:
  explicit StorageCells(Cells storage) : storage_(std::move(storage)) {}

  void Bind(const arrow::Array& array) override {
    storage_->Bind(*static_cast<const arrow::ExtensionArray&>(array).storage());
  }
  Status Append(int64_t row, std::string* out) const override { return storage_->Append(row, out); }

 private:
  const Cells storage_;
};

Result<Cells> Structs(const arrow::DataType& type, const JsonStyle& style) {
  auto cells = std::make_unique<StructCells>();
  for (int i = 0; i < type.num_fields(); ++i) {
    std::string prefix = i == 0 ? "" : ",";
    PENSTOCK_RETURN_NOT_OK(AppendJsonText(type.field(i)->name(), style.ascii, &prefix));
    PENSTOCK_TRY(auto field, MakeJsonCells(*type.field(i)->type(), style));
    cells->Add(prefix + ':', std::move(field));
  }
  return cells;
}

Result<Cells> Maps(const arrow::DataType& type, const JsonStyle& style) {
  const auto& map = static_cast<const arrow::MapType&>(type);
  PENSTOCK_TRY(auto keys, MakeJsonCells(*map.key_type(), style));
  PENSTOCK_TRY(auto items, MakeJsonCells(*map.item_type(), style));
  return std::make_unique<MapCells>(std::move(keys), std::move(items),
                                    arrow::is_string(map.key_type()->id()));
}

template <typename ArrayType>
Result<Cells> Lists(const arrow::DataType& type, const JsonStyle& style) {
  PENSTOCK_TRY(auto values, MakeJsonCells(*type.field(0)->type(), style));
  return std::make_unique<ListCells<ArrayType>>(std::move(values));
}

Result<Cells> Extensions(const arrow::DataType& type, const JsonStyle& style) {
  const TensorParts tensor = TensorPartsOf(type);
  if (tensor.values != nullptr) {
    PENSTOCK_TRY(auto values, MakeJsonCells(*tensor.values, style));
    return std::make_unique<TensorCells>(std::move(values), tensor.shape);
  }
  const RaggedParts ragged = RaggedPartsOf(type);
  if (ragged.values != nullptr) {
    PENSTOCK_TRY(auto values, MakeJsonCells(*ragged.values, style));
    return std::make_unique<RaggedCells>(std::move(values));
  }
  const auto& extension = static_cast<const arrow::ExtensionType&>(type);
  PENSTOCK_TRY(auto storage, MakeJsonCells(*extension.storage_type(), style));
  return std::make_unique<StorageCells>(std::move(storage));
}

}  // namespace

Result<Cells> MakeNestedJsonCells(const arrow::DataType& type, const JsonStyle& style) {
  switch (type.id()) {
    case arrow::Type::LIST:
      return Lists<arrow::ListArray>(type, style);
    case arrow::Type::LARGE_LIST:
      return Lists<arrow::LargeListArray>(type, style);
    case arrow::Type::FIXED_SIZE_LIST:
      return Lists<arrow::FixedSizeListArray>(type, style);
    case arrow::Type::STRUCT:
      return Structs(type, style);
    case arrow::Type::MAP:
      return Maps(type, style);
    case arrow::Type::DICTIONARY: {
      const auto& dictionary = static_cast<const arrow::DictionaryType&>(type);
      PENSTOCK_TRY(auto values, MakeJsonCells(*dictionary.value_type(), style));
      return std::make_unique<DictionaryCells>(std::move(values));
    }
    case arrow::Type::EXTENSION:
      return Extensions(type, style);
    default:
      return Status::Invalid("JSON has no form for the type; cast the column; got: ",
                             type.ToString());
  }
}

}  // namespace penstock
