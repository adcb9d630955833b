#include "penstock/block/array_writer.h"

#include <arrow/array.h>
#include <arrow/array/concatenate.h>

#include <cstring>
#include <limits>

#include "penstock/base/check.h"
#include "penstock/block/array_shape.h"

namespace penstock {
namespace {

/// Returns where the buffer's bytes lie in the arena, after copying them there if need be.
Result<uint8_t*> Inside(const arrow::Buffer& buffer, SegmentArena& arena) {
  if (arena.Owns(buffer.data())) return const_cast<uint8_t*>(buffer.data());
  uint8_t* place = nullptr;
  PENSTOCK_RETURN_NOT_OK(arena.Allocate(buffer.size(), &place));
  if (buffer.size() > 0) std::memcpy(place, buffer.data(), static_cast<size_t>(buffer.size()));
  return place;
}

/// Gathers the bytes that views point to into one buffer; nulls become empty.
Status GatherViews(arrow::ArrayData& array, SegmentArena& arena) {
  using View = arrow::BinaryViewType::c_type;
  if (array.length == 0) {
    array.buffers = {nullptr, nullptr, nullptr};
    return Status::OK();
  }
  PENSTOCK_TRY(uint8_t* place, Inside(*array.buffers[1], arena));
  auto* views = reinterpret_cast<View*>(place);
  int64_t bytes = 0;
  for (int64_t i = 0; i < array.length; ++i) {
    if (array.IsNull(i)) views[i] = View{};
    bytes += views[i].is_inline() ? 0 : views[i].size();
  }
  if (bytes > std::numeric_limits<int32_t>::max()) {
    return Status::Invalid("one batch can hold 2 GiB of ", array.type->ToString(),
                           "; use a smaller batch_size; bytes found: ", bytes);
  }
  uint8_t* text = nullptr;
  PENSTOCK_RETURN_NOT_OK(arena.Allocate(bytes, &text));
  int32_t used = 0;
  for (int64_t i = 0; i < array.length; ++i) {
    if (views[i].is_inline()) continue;
    auto& view = views[i].ref;
    const auto& source = array.buffers[static_cast<size_t>(2 + view.buffer_index)];
    std::memcpy(text + used, source->data() + view.offset, static_cast<size_t>(view.size));
    view.buffer_index = 0;
    view.offset = used;
    used += view.size;
  }
  const int64_t view_bytes = array.length * static_cast<int64_t>(sizeof(View));
  array.buffers.resize(3);
  array.buffers[1] = std::make_shared<arrow::Buffer>(place, view_bytes);
  array.buffers[2] = std::make_shared<arrow::Buffer>(text, bytes);
  return Status::OK();
}

/// Arrow hands on a dictionary that all pieces share as it is: elsewhere, and perhaps a slice.
Status WriteDictionary(const std::shared_ptr<arrow::ArrayData>& dictionary, SegmentArena& arena,
                       EntryTables& tables) {
  PENSTOCK_TRY(auto copy, arrow::Concatenate({arrow::MakeArray(dictionary)}, &arena));
  return WriteArray(*copy->data(), arena, tables);
}

}  // namespace

EntryTables::EntryTables(uint8_t* data, const BatchHeader& header)
    : data_(data),
      column_(sizeof(BatchHeader)),
      node_(column_ + int64_t{header.columns} * int64_t{sizeof(ColumnEntry)}),
      buffer_(node_ + int64_t{header.nodes} * int64_t{sizeof(NodeEntry)}),
      dimension_(buffer_ + int64_t{header.buffers} * int64_t{sizeof(BufferEntry)}),
      name_(header.names_offset) {}

void EntryTables::AddColumn(ColumnKind kind, const std::vector<int64_t>& shape,
                            const std::string& name) {
  const ColumnEntry entry{.kind = static_cast<uint32_t>(kind),
                          .dimension_count = static_cast<uint32_t>(shape.size()),
                          .first_dimension = dimensions_,
                          .first_node = nodes_,
                          .first_buffer = buffers_,
                          .name_bytes = static_cast<uint32_t>(name.size()),
                          .name_offset = name_};
  Put(column_, &entry, sizeof(entry));
  Put(dimension_, shape.data(), shape.size() * sizeof(int64_t));
  Put(name_, name.data(), name.size());
  dimensions_ += entry.dimension_count;
}

void EntryTables::AddNode(int64_t length, int64_t null_count) {
  const NodeEntry entry{length, null_count};
  Put(node_, &entry, sizeof(entry));
  ++nodes_;
}

void EntryTables::AddBuffer(int64_t offset, int64_t bytes) {
  const BufferEntry entry{offset, bytes};
  Put(buffer_, &entry, sizeof(entry));
  ++buffers_;
}

void EntryTables::Put(int64_t& place, const void* source, size_t bytes) {
  if (bytes > 0) std::memcpy(data_ + place, source, bytes);
  place += static_cast<int64_t>(bytes);
}

Status WriteArray(arrow::ArrayData& array, SegmentArena& arena, EntryTables& tables) {
  PENSTOCK_CHECK(array.offset == 0);
  const arrow::DataType& storage = StorageOf(*array.type);
  if (arrow::is_binary_view_like(storage)) PENSTOCK_RETURN_NOT_OK(GatherViews(array, arena));
  const int64_t null_count = array.GetNullCount();
  tables.AddNode(array.length, null_count);
  const int buffers = BufferCountOf(storage);
  for (int i = 0; i < buffers; ++i) {
    const auto& buffer = array.buffers[static_cast<size_t>(i)];
    if (buffer == nullptr || (i == 0 && null_count == 0)) {
      tables.AddBuffer(kAbsentBuffer, 0);
      continue;
    }
    PENSTOCK_TRY(const uint8_t* place, Inside(*buffer, arena));
    tables.AddBuffer(arena.OffsetOf(place), buffer->size());
  }
  for (const auto& child : array.child_data) {
    PENSTOCK_RETURN_NOT_OK(WriteArray(*child, arena, tables));
  }
  if (array.dictionary == nullptr) return Status::OK();
  return WriteDictionary(array.dictionary, arena, tables);
}

}  // namespace penstock
