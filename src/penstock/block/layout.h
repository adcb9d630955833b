#pragma once

#include <cstdint>

/// How a batch of columns lies in a shared-memory segment.
///
/// Plain structs without Arrow: workers read them too. All offsets count from the segment's
/// first byte; all numbers are little-endian; data buffers are 64-byte aligned.
///
///   BatchHeader | ColumnEntry[columns] | NodeEntry[nodes] | BufferEntry[buffers]
///   | int64 dimensions[] | names | IPC schema | data buffers
///
/// Nodes and buffers stand depth first, as in Arrow IPC: for each array its node, then its
/// buffers (validity first; an absent one has offset -1), then its children; a dictionary array's
/// dictionary counts as its last child. Arrays start at offset 0 of their buffers. View types have
/// one data buffer, whatever they had before.
///
/// Columns whose kind is not kOther can be read from the entries alone ("plain" columns). If any
/// column is kOther, or schema or fields have metadata, the IPC schema message is present: it names
/// every column's Arrow type and carries the metadata. Whether a field may be null it does not say.
namespace penstock {

inline constexpr uint64_t kBatchMagic = 0x3130'4b54'534e'4550;  // "PENSTK01"
inline constexpr int64_t kBufferAlignment = 64;
inline constexpr int64_t kAbsentBuffer = -1;
inline constexpr int64_t kColumnsMax = 65'536;

enum class ColumnKind : uint32_t {
  kOther = 0,  // Any Arrow type; read it through the IPC schema.
  kBool = 1,   // Bits.
  kInt8 = 2,
  kInt16 = 3,
  kInt32 = 4,
  kInt64 = 5,
  kUInt8 = 6,
  kUInt16 = 7,
  kUInt32 = 8,
  kUInt64 = 9,
  kFloat16 = 10,
  kFloat32 = 11,
  kFloat64 = 12,
  kUtf8 = 13,             // int32 offsets, bytes.
  kBinary = 14,           // int32 offsets, bytes.
  kLargeUtf8 = 15,        // int64 offsets, bytes.
  kLargeBinary = 16,      // int64 offsets, bytes.
  kNull = 17,             // No buffers but an absent validity.
  kTimestampSecond = 18,  // int64 since the epoch, no zone.
  kTimestampMilli = 19,
  kTimestampMicro = 20,
  kTimestampNano = 21,
};

struct BatchHeader {
  uint64_t magic = kBatchMagic;
  int64_t rows = 0;
  int64_t bytes = 0;  // Of the whole packed batch, header included.
  uint32_t columns = 0;
  uint32_t nodes = 0;
  uint32_t buffers = 0;
  uint32_t dimensions = 0;
  int64_t names_offset = 0;
  int64_t names_bytes = 0;
  int64_t schema_offset = 0;  // 0 when there is no IPC schema.
  int64_t schema_bytes = 0;
};
static_assert(sizeof(BatchHeader) == 72);

/// One top-level column. A fixed-shape tensor column of a plain kind has `dimension_count` > 0
/// (the shape of one row, row-major) and is stored as Arrow's fixed_shape_tensor: a node for the
/// fixed-size list and one for its values; `kind` is the kind of the values.
struct ColumnEntry {
  uint32_t kind = 0;  // ColumnKind
  uint32_t dimension_count = 0;
  uint32_t first_dimension = 0;
  uint32_t first_node = 0;
  uint32_t first_buffer = 0;
  uint32_t name_bytes = 0;
  int64_t name_offset = 0;  // From the segment's first byte.
};
static_assert(sizeof(ColumnEntry) == 32);

struct NodeEntry {
  int64_t length = 0;
  int64_t null_count = 0;
};
static_assert(sizeof(NodeEntry) == 16);

struct BufferEntry {
  int64_t offset = kAbsentBuffer;
  int64_t bytes = 0;
};
static_assert(sizeof(BufferEntry) == 16);

}  // namespace penstock
