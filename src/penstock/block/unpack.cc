#include <arrow/array/validate.h>
#include <arrow/io/memory.h>
#include <arrow/ipc/dictionary.h>
#include <arrow/ipc/reader.h>
#include <arrow/util/utf8.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "penstock/block/array_shape.h"
#include "penstock/block/layout.h"
#include "penstock/block/packed.h"
#include "penstock/block/tensor.h"

namespace penstock {
namespace {

template <typename... Parts>
Status Broken(Parts&&... parts) {
  return Status::Invalid("A packed batch is broken: ", std::forward<Parts>(parts)...);
}

/// Whether [offset, offset + bytes) lies within [0, end).
bool Fits(int64_t offset, int64_t bytes, int64_t end) {
  return offset >= 0 && bytes >= 0 && bytes <= end && offset <= end - bytes;
}

/// A copy of all that describes the columns, taken before anything in it is looked at, since
/// whoever wrote the segment may still be writing.
struct Description {
  std::vector<ColumnEntry> columns;
  std::vector<NodeEntry> nodes;
  std::vector<BufferEntry> buffers;
  std::vector<int64_t> dimensions;
  std::string names;
  std::shared_ptr<arrow::Schema> schema;  // The IPC schema; null without one.
};

template <typename Entry>
void CopyEntries(const uint8_t*& source, uint32_t count, std::vector<Entry>& entries) {
  entries.resize(count);
  const size_t bytes = count * sizeof(Entry);
  if (bytes > 0) std::memcpy(entries.data(), source, bytes);
  source += bytes;
}

Result<BatchHeader> ReadHeader(const Segment& segment) {
  BatchHeader header;
  if (segment.capacity() < int64_t{sizeof(header)}) return Broken("no room for its header");
  std::memcpy(&header, segment.data(), sizeof(header));
  if (header.magic != kBatchMagic) return Broken("it does not begin as one");
  if (header.rows < 0) return Broken("its number of rows is ", header.rows);
  if (header.bytes < int64_t{sizeof(header)} || header.bytes > segment.capacity()) {
    return Broken("its size in a segment of ", segment.capacity(), " bytes is ", header.bytes);
  }
  if (header.columns > kColumnsMax) return Broken("its number of columns is ", header.columns);
  const int64_t entries = int64_t{header.columns} * int64_t{sizeof(ColumnEntry)} +
                          int64_t{header.nodes} * int64_t{sizeof(NodeEntry)} +
                          int64_t{header.buffers} * int64_t{sizeof(BufferEntry)} +
                          int64_t{header.dimensions} * int64_t{sizeof(int64_t)};
  if (!Fits(sizeof(header), entries, header.bytes)) return Broken("its entries leave it");
  if (!Fits(header.names_offset, header.names_bytes, header.bytes)) {
    return Broken("its names leave it");
  }
  if (!Fits(header.schema_offset, header.schema_bytes, header.bytes)) {
    return Broken("its schema leaves it");
  }
  return header;
}

Result<std::shared_ptr<arrow::Schema>> ReadSchema(const BatchHeader& header, const uint8_t* data) {
  if (header.schema_offset == 0) return nullptr;
  const auto* message = reinterpret_cast<const char*>(data + header.schema_offset);
  arrow::io::BufferReader reader(
      arrow::Buffer::FromString(std::string(message, static_cast<size_t>(header.schema_bytes))));
  arrow::ipc::DictionaryMemo dictionaries;
  PENSTOCK_TRY(auto schema, arrow::ipc::ReadSchema(&reader, &dictionaries));
  if (schema->num_fields() != static_cast<int>(header.columns)) {
    return Broken("its schema names another number of columns: ", schema->num_fields());
  }
  return schema;
}

Result<Description> Describe(const BatchHeader& header, const uint8_t* data) {
  Description description;
  const uint8_t* source = data + sizeof(header);
  CopyEntries(source, header.columns, description.columns);
  CopyEntries(source, header.nodes, description.nodes);
  CopyEntries(source, header.buffers, description.buffers);
  CopyEntries(source, header.dimensions, description.dimensions);
  description.names.assign(reinterpret_cast<const char*>(data + header.names_offset),
                           static_cast<size_t>(header.names_bytes));
  PENSTOCK_TRY(description.schema, ReadSchema(header, data));
  return description;
}

/// Builds the columns of one description over `bytes`, which hold the whole packed batch.
class BatchReader {
 public:
  BatchReader(const BatchHeader& header, const Description& description,
              std::shared_ptr<arrow::Buffer> bytes, bool may_change)
      : header_(header),
        description_(description),
        bytes_(std::move(bytes)),
        may_change_(may_change) {}

  Result<std::shared_ptr<arrow::RecordBatch>> Read() {
    arrow::FieldVector fields;
    arrow::ArrayDataVector columns;
    fields.reserve(header_.columns);
    columns.reserve(header_.columns);
    for (size_t i = 0; i < description_.columns.size(); ++i) {
      PENSTOCK_TRY(auto field, ReadField(i));
      PENSTOCK_TRY(auto column, ReadColumn(*field, description_.columns[i]));
      fields.push_back(std::move(field));
      columns.push_back(std::move(column));
    }
    if (node_ != header_.nodes || buffer_ != header_.buffers) {
      return Broken("it has entries that belong to no column");
    }
    const auto metadata =
        description_.schema == nullptr ? nullptr : description_.schema->metadata();
    return arrow::RecordBatch::Make(arrow::schema(std::move(fields), metadata), header_.rows,
                                    std::move(columns));
  }

 private:
  Result<std::shared_ptr<arrow::Field>> ReadField(size_t index) {
    const ColumnEntry& entry = description_.columns[index];
    const int64_t first = std::max<int64_t>(entry.name_offset, -1) - header_.names_offset;
    if (!Fits(first, entry.name_bytes, header_.names_bytes)) {
      return Broken("the name leaves the names in column ", index);
    }
    std::string name = description_.names.substr(static_cast<size_t>(first), entry.name_bytes);
    if (!arrow::util::ValidateUTF8(name)) return Broken("the name is not UTF-8 in column ", index);
    PENSTOCK_TRY(auto type, ReadType(index));
    const auto metadata = description_.schema == nullptr
                              ? nullptr
                              : description_.schema->field(static_cast<int>(index))->metadata();
    return arrow::field(std::move(name), std::move(type), /*nullable=*/true, metadata);
  }

  Result<std::shared_ptr<arrow::DataType>> ReadType(size_t index) {
    const ColumnEntry& entry = description_.columns[index];
    if (entry.kind == static_cast<uint32_t>(ColumnKind::kOther)) {
      if (description_.schema == nullptr) {
        return Broken("no schema tells the type of column ", index);
      }
      return description_.schema->field(static_cast<int>(index))->type();
    }
    std::shared_ptr<arrow::DataType> type = TypeOf(static_cast<ColumnKind>(entry.kind));
    if (type == nullptr) return Broken("the kind of column ", index, " is ", entry.kind);
    if (entry.dimension_count == 0) return type;
    if (!Fits(entry.first_dimension, entry.dimension_count, header_.dimensions)) {
      return Broken("the dimensions leave it in column ", index);
    }
    const auto first = description_.dimensions.begin() + entry.first_dimension;
    return TensorType(type, std::vector<int64_t>(first, first + entry.dimension_count));
  }

  Result<std::shared_ptr<arrow::ArrayData>> ReadColumn(const arrow::Field& field,
                                                       const ColumnEntry& entry) {
    if (entry.first_node != node_ || entry.first_buffer != buffer_) {
      return Broken("the entries are out of order at column '", field.name(), "'");
    }
    auto read = ReadArray(field.type());
    Status status = read.status();
    if (status.ok() && (*read)->length != header_.rows) {
      status = Broken("it has ", header_.rows, " rows, one column of it ", (*read)->length);
    }
    if (status.ok()) status = arrow::internal::ValidateArrayFull(**read);
    if (status.ok()) return read;
    return status.WithMessage("Column '", field.name(), "': ", status.message());
  }

  Result<std::shared_ptr<arrow::ArrayData>> ReadArray(
      const std::shared_ptr<arrow::DataType>& type) {
    if (node_ == header_.nodes) return Broken("it has too few nodes");
    const NodeEntry node = description_.nodes[node_++];
    if (node.length < 0 || node.null_count < -1 || node.null_count > node.length) {
      return Broken("a node has ", node.length, " rows and nulls: ", node.null_count);
    }
    const arrow::DataType& storage = StorageOf(*type);
    auto array = std::make_shared<arrow::ArrayData>(type, node.length, node.null_count);
    PENSTOCK_RETURN_NOT_OK(ReadBuffers(storage, *array));
    for (const auto& child : storage.fields()) {
      PENSTOCK_TRY(auto data, ReadArray(child->type()));
      array->child_data.push_back(std::move(data));
    }
    if (storage.id() == arrow::Type::DICTIONARY) {
      const auto& values = static_cast<const arrow::DictionaryType&>(storage).value_type();
      PENSTOCK_TRY(array->dictionary, ReadArray(values));
    }
    return array;
  }

  Status ReadBuffers(const arrow::DataType& storage, arrow::ArrayData& array) {
    const int count = BufferCountOf(storage);
    if (header_.buffers - buffer_ < static_cast<uint32_t>(count)) {
      return Broken("it has too few buffers");
    }
    array.buffers.reserve(static_cast<size_t>(count));
    for (int i = 0; i < count; ++i) {
      const BufferEntry& entry = description_.buffers[buffer_++];
      const bool in_place = !may_change_ || HoldsValuesAlone(storage, i);
      PENSTOCK_TRY(auto buffer, ReadBuffer(entry, in_place));
      if (buffer == nullptr && i > 0) buffer = arrow::SliceBuffer(bytes_, 0, 0);
      array.buffers.push_back(std::move(buffer));
    }
    const bool bits = arrow::internal::may_have_validity_bitmap(storage.id());
    if (!bits && array.buffers[0] != nullptr) {
      return Broken("a validity buffer stands where none can be");
    }
    if (bits && array.buffers[0] == nullptr) {
      if (array.null_count > 0) return Broken("nulls are counted, but no buffer tells them");
      array.null_count = 0;
    }
    return Status::OK();
  }

  Result<std::shared_ptr<arrow::Buffer>> ReadBuffer(const BufferEntry& entry, bool in_place) {
    if (entry.offset == kAbsentBuffer && entry.bytes == 0) return nullptr;
    if (!Fits(entry.offset, entry.bytes, header_.bytes)) {
      return Broken("a buffer of ", entry.bytes, " bytes leaves it at offset ", entry.offset);
    }
    if (entry.bytes > 0 && entry.offset % kBufferAlignment != 0) {
      return Broken("a buffer is not aligned at offset ", entry.offset);
    }
    auto buffer = arrow::SliceBuffer(bytes_, entry.offset, entry.bytes);
    if (in_place) return buffer;
    return arrow::Buffer::Copy(buffer, arrow::default_cpu_memory_manager());
  }

  const BatchHeader& header_;
  const Description& description_;
  const std::shared_ptr<arrow::Buffer> bytes_;  // Shared with the columns' buffers.
  const bool may_change_;  // While we read and after: copy what leads to other bytes.
  uint32_t node_ = 0;
  uint32_t buffer_ = 0;
};

}  // namespace

Result<Block> UnpackBatch(std::shared_ptr<Segment> segment, int64_t copy_bytes_max) {
  arrow::util::InitializeUTF8();
  PENSTOCK_TRY(const BatchHeader header, ReadHeader(*segment));
  const bool copied = header.bytes <= copy_bytes_max;
  std::shared_ptr<arrow::Buffer> bytes = SegmentBuffer(segment, 0, header.bytes);
  if (copied) {
    PENSTOCK_TRY(bytes, arrow::Buffer::Copy(bytes, arrow::default_cpu_memory_manager()));
  }
  PENSTOCK_TRY(const Description description, Describe(header, bytes->data()));
  BatchReader reader(header, description, std::move(bytes), !copied);
  PENSTOCK_TRY(auto batch, reader.Read());
  if (copied) return Block{std::move(batch), {}, nullptr};
  auto packed = std::make_shared<PackedBatch>(std::move(segment), header.bytes, header.rows);
  return Block{std::move(batch), {}, std::move(packed)};
}

}  // namespace penstock
