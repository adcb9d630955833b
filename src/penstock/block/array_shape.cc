#include "penstock/block/array_shape.h"

#include <arrow/extension_type.h>
#include <arrow/type_traits.h>
#include <arrow/util/bit_util.h>

namespace penstock {
namespace {

using arrow::Type;
using arrow::bit_util::BytesForBits;

int64_t ChildBytes(const arrow::ArrayData& child, int64_t first, int64_t rows) {
  return ArrayBytes(child, child.offset + first, rows);
}

int64_t WholeChildrenBytes(const arrow::ArrayData& array) {
  int64_t bytes = 0;
  for (const auto& child : array.child_data) bytes += ChildBytes(*child, 0, child->length);
  return bytes;
}

template <typename Offset>
int64_t TextBytes(const arrow::ArrayData& array, int64_t offset, int64_t rows) {
  if (rows == 0) return 0;
  const Offset* offsets = array.GetValues<Offset>(1, offset);
  return (rows + 1) * static_cast<int64_t>(sizeof(Offset)) + offsets[rows] - offsets[0];
}

template <typename Offset>
int64_t ListBytes(const arrow::ArrayData& array, int64_t offset, int64_t rows) {
  if (rows == 0) return 0;
  const Offset* offsets = array.GetValues<Offset>(1, offset);
  return (rows + 1) * static_cast<int64_t>(sizeof(Offset)) +
         ChildBytes(*array.child_data[0], offsets[0], offsets[rows] - offsets[0]);
}

int64_t ViewBytes(const arrow::ArrayData& array, int64_t offset, int64_t rows) {
  using View = arrow::BinaryViewType::c_type;
  if (rows == 0) return 0;
  const View* views = array.GetValues<View>(1, offset);
  int64_t bytes = rows * static_cast<int64_t>(sizeof(View));
  for (int64_t i = 0; i < rows; ++i) bytes += views[i].is_inline() ? 0 : views[i].size();
  return bytes;
}

int64_t StructBytes(const arrow::ArrayData& array, int64_t offset, int64_t rows) {
  int64_t bytes = 0;
  for (const auto& child : array.child_data) bytes += ChildBytes(*child, offset, rows);
  return bytes;
}

}  // namespace

const arrow::DataType& StorageOf(const arrow::DataType& type) {
  const arrow::DataType* storage = &type;
  while (storage->id() == Type::EXTENSION) {
    storage = static_cast<const arrow::ExtensionType*>(storage)->storage_type().get();
  }
  return *storage;
}

int BufferCountOf(const arrow::DataType& storage) {
  switch (storage.id()) {
    case Type::NA:
    case Type::STRUCT:
    case Type::FIXED_SIZE_LIST:
    case Type::RUN_END_ENCODED:
      return 1;
    case Type::STRING:
    case Type::BINARY:
    case Type::LARGE_STRING:
    case Type::LARGE_BINARY:
    case Type::STRING_VIEW:
    case Type::BINARY_VIEW:
    case Type::LIST_VIEW:
    case Type::LARGE_LIST_VIEW:
    case Type::DENSE_UNION:
      return 3;
    default:
      return 2;
  }
}

bool HoldsValuesAlone(const arrow::DataType& storage, int index) {
  switch (storage.id()) {
    case Type::STRING:
    case Type::BINARY:
    case Type::LARGE_STRING:
    case Type::LARGE_BINARY:
    case Type::STRING_VIEW:
    case Type::BINARY_VIEW:
      return index == 2;
    case Type::BOOL:
    case Type::DICTIONARY:
      return false;
    default:
      return index == 1 && arrow::is_fixed_width(storage.id());
  }
}

EntryCounts EntryCountsOf(const arrow::DataType& type) {
  const arrow::DataType& storage = StorageOf(type);
  EntryCounts counts{1, BufferCountOf(storage)};
  const auto add = [&counts](const arrow::DataType& child) {
    const EntryCounts more = EntryCountsOf(child);
    counts.nodes += more.nodes;
    counts.buffers += more.buffers;
  };
  for (const auto& field : storage.fields()) add(*field->type());
  if (storage.id() == Type::DICTIONARY) {
    add(*static_cast<const arrow::DictionaryType&>(storage).value_type());
  }
  return counts;
}

int64_t ArrayBytes(const arrow::ArrayData& array, int64_t offset, int64_t rows) {
  const arrow::DataType& type = StorageOf(*array.type);
  const int64_t validity = array.HasValidityBitmap() ? BytesForBits(rows) : 0;
  switch (type.id()) {
    case Type::NA:
      return 0;
    case Type::STRING:
    case Type::BINARY:
      return validity + TextBytes<int32_t>(array, offset, rows);
    case Type::LARGE_STRING:
    case Type::LARGE_BINARY:
      return validity + TextBytes<int64_t>(array, offset, rows);
    case Type::STRING_VIEW:
    case Type::BINARY_VIEW:
      return validity + ViewBytes(array, offset, rows);
    case Type::LIST:
    case Type::MAP:
      return validity + ListBytes<int32_t>(array, offset, rows);
    case Type::LARGE_LIST:
      return validity + ListBytes<int64_t>(array, offset, rows);
    case Type::LIST_VIEW:
      return validity + 8 * rows + WholeChildrenBytes(array);
    case Type::LARGE_LIST_VIEW:
      return validity + 16 * rows + WholeChildrenBytes(array);
    case Type::FIXED_SIZE_LIST: {
      const int64_t size = static_cast<const arrow::FixedSizeListType&>(type).list_size();
      return validity + ChildBytes(*array.child_data[0], offset * size, rows * size);
    }
    case Type::STRUCT:
      return validity + StructBytes(array, offset, rows);
    case Type::SPARSE_UNION:
      return rows + StructBytes(array, offset, rows);
    case Type::DENSE_UNION:
      return 5 * rows + WholeChildrenBytes(array);
    case Type::RUN_END_ENCODED:
      return WholeChildrenBytes(array);
    case Type::DICTIONARY:
      return validity + BytesForBits(rows * type.bit_width()) +
             ChildBytes(*array.dictionary, 0, array.dictionary->length);
    default:
      return validity + BytesForBits(rows * type.bit_width());
  }
}

}  // namespace penstock
