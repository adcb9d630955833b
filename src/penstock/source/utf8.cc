#include "penstock/source/utf8.h"

#include <arrow/array/array_binary.h>
#include <arrow/array/data.h>
#include <arrow/extension_type.h>
#include <arrow/type_traits.h>
#include <arrow/util/bit_run_reader.h>
#include <arrow/util/utf8.h>

#include <algorithm>
#include <cstdint>

namespace penstock {
namespace {

using arrow::ArrayData;
using arrow::Type;

/// Says whether a byte can be where a character begins, in text that is UTF-8.
bool BeginsCharacter(uint8_t byte) { return (byte & 0xC0) != 0x80; }

/// Looks at neighbouring values at once: their bytes are UTF-8 together, and each begins where a
/// character does.
template <typename Offset>
bool AreUtf8(const Offset* offsets, int64_t count, const uint8_t* bytes) {
  const std::string_view all(reinterpret_cast<const char*>(bytes) + offsets[0],
                             static_cast<size_t>(offsets[count] - offsets[0]));
  if (all.empty()) return true;
  if (!IsUtf8(all)) return false;
  const Offset end = offsets[count];
  return std::all_of(offsets, offsets + count, [&](Offset offset) {
    return offset == end || BeginsCharacter(bytes[offset]);
  });
}

template <typename Offset>
bool TextIsUtf8(const ArrayData& array, int64_t begin, int64_t length) {
  if (array.buffers[2] == nullptr) return true;
  const auto* offsets = array.GetValues<Offset>(1, array.offset + begin);
  const uint8_t* bytes = array.buffers[2]->data();
  if (!array.MayHaveNulls()) return AreUtf8(offsets, length, bytes);
  arrow::internal::SetBitRunReader runs(array.buffers[0]->data(), array.offset + begin, length);
  for (auto run = runs.NextRun(); run.length > 0; run = runs.NextRun()) {
    if (!AreUtf8(offsets + run.position, run.length, bytes)) return false;
  }
  return true;
}

bool ViewsAreUtf8(const ArrayData& data, int64_t begin, int64_t length) {
  const arrow::StringViewArray views(data.Slice(begin, length));
  for (int64_t i = 0; i < length; ++i) {
    if (views.IsValid(i) && !IsUtf8(views.GetView(i))) return false;
  }
  return true;
}

int64_t ListSize(const arrow::DataType& type) {
  if (type.id() == Type::EXTENSION) {
    return ListSize(*static_cast<const arrow::ExtensionType&>(type).storage_type());
  }
  return static_cast<const arrow::FixedSizeListType&>(type).list_size();
}

bool ValuesAreUtf8(const ArrayData& array, int64_t begin, int64_t length);

template <typename Offset>
bool ItemsAreUtf8(const ArrayData& list, int64_t begin, int64_t length) {
  const auto* offsets = list.GetValues<Offset>(1, list.offset + begin);
  return ValuesAreUtf8(*list.child_data[0], offsets[0], offsets[length] - offsets[0]);
}

bool ChildrenAreUtf8(const ArrayData& array, int64_t begin, int64_t length) {
  return std::ranges::all_of(array.child_data, [&](const auto& child) {
    return ValuesAreUtf8(*child, array.offset + begin, length);
  });
}

/// Looks at values [begin, begin + length) of the array.
bool ValuesAreUtf8(const ArrayData& array, int64_t begin, int64_t length) {
  if (length == 0) return true;
  switch (array.type->storage_id()) {
    case Type::STRING:
      return TextIsUtf8<int32_t>(array, begin, length);
    case Type::LARGE_STRING:
      return TextIsUtf8<int64_t>(array, begin, length);
    case Type::STRING_VIEW:
      return ViewsAreUtf8(array, begin, length);
    case Type::LIST:
    case Type::MAP:
      return ItemsAreUtf8<int32_t>(array, begin, length);
    case Type::LARGE_LIST:
      return ItemsAreUtf8<int64_t>(array, begin, length);
    case Type::FIXED_SIZE_LIST: {
      const int64_t size = ListSize(*array.type);
      return ValuesAreUtf8(*array.child_data[0], (array.offset + begin) * size, length * size);
    }
    case Type::STRUCT:
      return ChildrenAreUtf8(array, begin, length);
    case Type::DICTIONARY:
      return ValuesAreUtf8(*array.dictionary, 0, array.dictionary->length);
    default:
      return true;
  }
}

}  // namespace

bool IsUtf8(std::string_view text) {
  static const bool kInitialised = [] {
    arrow::util::InitializeUTF8();
    return true;
  }();
  return kInitialised && arrow::util::ValidateUTF8(text);
}

Status CheckUtf8(const arrow::RecordBatch& batch, int64_t first_row) {
  for (int column = 0; column < batch.num_columns(); ++column) {
    const ArrayData& data = *batch.column_data(column);
    if (ValuesAreUtf8(data, 0, data.length)) continue;
    int64_t row = 0;
    while (row < data.length && ValuesAreUtf8(data, row, 1)) ++row;
    return Status::Invalid("row ", first_row + row, ", column \"", batch.column_name(column),
                           "\": the text is not UTF-8; write it as binary, or repair it");
  }
  return Status::OK();
}

}  // namespace penstock
