#include "penstock/block/packed.h"

#include <arrow/extension/fixed_shape_tensor.h>
#include <arrow/ipc/writer.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "penstock/block/arena.h"
#include "penstock/block/array_shape.h"
#include "penstock/block/array_writer.h"
#include "penstock/block/join.h"
#include "penstock/block/layout.h"
#include "penstock/block/tensor.h"

namespace penstock {
namespace {

static_assert(std::endian::native == std::endian::little);

constexpr int kAttemptsMax = 4;  // Each doubles the room; the estimate fails for rare types only.

int64_t Aligned(int64_t bytes) { return (bytes + kBufferAlignment - 1) & -kBufferAlignment; }

/// How one column is packed.
struct ColumnPlan {
  ColumnKind kind = ColumnKind::kOther;
  std::vector<int64_t> shape;  // Of a plain tensor column; else empty.
  int64_t values_a_row = 1;
  int64_t value_bytes = 0;  // Of fixed-width values; else 0.
  bool by_memcpy = false;   // Fixed width and no nulls.
  int64_t bytes_estimate = 0;
};

bool HasDimensionNames(const arrow::DataType& type) {
  const auto* tensor = dynamic_cast<const arrow::extension::FixedShapeTensorType*>(&type);
  return tensor != nullptr && !tensor->dim_names().empty();
}

void PlanType(const arrow::DataType& type, ColumnPlan& plan) {
  plan.kind = KindOf(type);
  const arrow::DataType* values = &type;
  TensorParts parts;
  if (plan.kind == ColumnKind::kOther && type.id() == arrow::Type::EXTENSION) {
    parts = TensorPartsOf(type);
    const bool plain = parts.values != nullptr && !parts.shape.empty() &&
                       !HasDimensionNames(type) && parts.values->bit_width() > 0;
    if (!plain) return;
    plan.kind = KindOf(*parts.values);
    if (plan.kind == ColumnKind::kOther) return;
    values = parts.values.get();
    plan.shape = std::move(parts.shape);
    plan.values_a_row = static_cast<const arrow::FixedSizeListType&>(StorageOf(type)).list_size();
  }
  if (plan.kind != ColumnKind::kOther) plan.value_bytes = std::max(0, values->bit_width()) / 8;
}

bool HasNulls(const arrow::ArrayData& column) {
  if (column.MayHaveNulls()) return true;
  return std::any_of(column.child_data.begin(), column.child_data.end(),
                     [](const auto& child) { return child->MayHaveNulls(); });
}

/// Packs one span of pieces: first counts, then writes.
class Packer {
 public:
  explicit Packer(std::span<const Piece> pieces)
      : pieces_(pieces), schema_(*pieces.front().block.batch->schema()) {}

  Status Plan() {
    const int columns = schema_.num_fields();
    if (columns > kColumnsMax) {
      return Status::Invalid("A batch holds at most ", kColumnsMax, " columns; got: ", columns);
    }
    for (const Piece& piece : pieces_) header_.rows += piece.rows;
    columns_.resize(static_cast<size_t>(columns));
    EntryCounts counts;
    bool with_schema = schema_.HasMetadata();
    for (int i = 0; i < columns; ++i) {
      ColumnPlan& plan = columns_[static_cast<size_t>(i)];
      PlanColumn(i, plan);
      with_schema =
          with_schema || plan.kind == ColumnKind::kOther || schema_.field(i)->HasMetadata();
      const EntryCounts more = EntryCountsOf(*schema_.field(i)->type());
      counts.nodes += more.nodes;
      counts.buffers += more.buffers;
      header_.dimensions += static_cast<uint32_t>(plan.shape.size());
      header_.names_bytes += static_cast<int64_t>(schema_.field(i)->name().size());
    }
    header_.columns = static_cast<uint32_t>(columns);
    header_.nodes = static_cast<uint32_t>(counts.nodes);
    header_.buffers = static_cast<uint32_t>(counts.buffers);
    return PlaceHead(with_schema);
  }

  /// Returns the bytes needed; a little too few at worst for unusual nested types.
  int64_t bytes_estimate() const {
    int64_t bytes = data_offset_;
    for (const ColumnPlan& plan : columns_) bytes += plan.bytes_estimate;
    return bytes;
  }

  Status Write(SegmentArena& arena, uint8_t* data) {
    EntryTables tables(data, header_);
    for (int i = 0; i < schema_.num_fields(); ++i) {
      const ColumnPlan& plan = columns_[static_cast<size_t>(i)];
      tables.AddColumn(plan.kind, plan.shape, schema_.field(i)->name());
      PENSTOCK_RETURN_NOT_OK(plan.by_memcpy ? CopyFixed(i, plan, arena, tables)
                                            : CopyAny(i, arena, tables));
    }
    if (ipc_schema_ != nullptr) {
      std::memcpy(data + header_.schema_offset, ipc_schema_->data(),
                  static_cast<size_t>(ipc_schema_->size()));
    }
    header_.bytes = arena.used();
    std::memcpy(data, &header_, sizeof(header_));
    return Status::OK();
  }

  int64_t data_offset() const { return data_offset_; }
  const BatchHeader& header() const { return header_; }

 private:
  void PlanColumn(int index, ColumnPlan& plan) {
    const arrow::DataType& type = *schema_.field(index)->type();
    PlanType(type, plan);
    plan.by_memcpy = plan.value_bytes > 0;
    for (const Piece& piece : pieces_) {
      if (!plan.by_memcpy) break;
      plan.by_memcpy = !HasNulls(*piece.block.batch->column_data(index));
    }
    if (plan.by_memcpy) {
      plan.bytes_estimate = Aligned(header_.rows * plan.values_a_row * plan.value_bytes);
      return;
    }
    const arrow::ArrayData* dictionary = nullptr;
    for (const Piece& piece : pieces_) {
      const auto column = piece.block.batch->column_data(index);
      plan.bytes_estimate += ArrayBytes(*column, column->offset + piece.offset, piece.rows);
      if (dictionary != nullptr && column->dictionary.get() == dictionary) {
        plan.bytes_estimate -= ArrayBytes(*dictionary, dictionary->offset, dictionary->length);
      }
      dictionary = column->dictionary.get();
    }
    if (pieces_.size() > 1) plan.bytes_estimate += plan.bytes_estimate / 8;  // Missing validity.
    plan.bytes_estimate += 2 * kBufferAlignment * EntryCountsOf(type).buffers;
  }

  Status PlaceHead(bool with_schema) {
    header_.names_offset = int64_t{sizeof(BatchHeader)} +
                           header_.columns * int64_t{sizeof(ColumnEntry)} +
                           header_.nodes * int64_t{sizeof(NodeEntry)} +
                           header_.buffers * int64_t{sizeof(BufferEntry)} +
                           header_.dimensions * int64_t{sizeof(int64_t)};
    data_offset_ = header_.names_offset + header_.names_bytes;
    if (with_schema) {
      arrow::FieldVector fields;
      for (const auto& field : schema_.fields()) fields.push_back(field->WithNullable(true));
      PENSTOCK_TRY(ipc_schema_, arrow::ipc::SerializeSchema(
                                    arrow::Schema(std::move(fields), schema_.metadata())));
      header_.schema_offset = Aligned(data_offset_);
      header_.schema_bytes = ipc_schema_->size();
      data_offset_ = header_.schema_offset + header_.schema_bytes;
    }
    data_offset_ = Aligned(data_offset_);
    return Status::OK();
  }

  Status CopyFixed(int index, const ColumnPlan& plan, SegmentArena& arena, EntryTables& tables) {
    const int64_t row_bytes = plan.values_a_row * plan.value_bytes;
    const int64_t bytes = header_.rows * row_bytes;
    uint8_t* place = nullptr;
    PENSTOCK_RETURN_NOT_OK(arena.Allocate(bytes, &place));
    uint8_t* end = place;
    for (const Piece& piece : pieces_) {
      const auto column = piece.block.batch->column_data(index);
      const bool tensor = !plan.shape.empty();
      const arrow::ArrayData& values = tensor ? *column->child_data[0] : *column;
      const int64_t first = (column->offset + piece.offset) * row_bytes +
                            (tensor ? values.offset * plan.value_bytes : 0);
      const int64_t piece_bytes = piece.rows * row_bytes;
      if (piece_bytes == 0) continue;
      std::memcpy(end, values.buffers[1]->data() + first, static_cast<size_t>(piece_bytes));
      end += piece_bytes;
    }
    if (!plan.shape.empty()) {
      tables.AddNode(header_.rows, 0);
      tables.AddBuffer(kAbsentBuffer, 0);
    }
    tables.AddNode(header_.rows * plan.values_a_row, 0);
    tables.AddBuffer(kAbsentBuffer, 0);
    tables.AddBuffer(arena.OffsetOf(place), bytes);
    return Status::OK();
  }

  Status CopyAny(int index, SegmentArena& arena, EntryTables& tables) {
    PENSTOCK_TRY(auto column, JoinColumn(pieces_, index, &arena));
    const Status status = WriteArray(*column, arena, tables);
    if (status.ok()) return status;
    return status.WithMessage("Column '", schema_.field(index)->name(), "': ", status.message());
  }

  const std::span<const Piece> pieces_;
  const arrow::Schema& schema_;
  BatchHeader header_;
  int64_t data_offset_ = 0;
  std::vector<ColumnPlan> columns_;
  std::shared_ptr<arrow::Buffer> ipc_schema_;
};

}  // namespace

Result<PackedBatch> PackPieces(std::span<const Piece> pieces, SegmentPool& pool) {
  PENSTOCK_TRY(const std::vector<Piece> joinable, JoinablePieces(pieces));
  if (!joinable.empty()) pieces = joinable;
  const Piece& first = pieces.front();
  if (pieces.size() == 1 && first.block.packed != nullptr && first.rows == first.block.rows()) {
    return *first.block.packed;
  }
  Packer packer(pieces);
  PENSTOCK_RETURN_NOT_OK(packer.Plan());
  int64_t bytes = packer.bytes_estimate();
  for (int attempt = 1;; ++attempt, bytes *= 2) {
    PENSTOCK_TRY(auto segment, pool.Acquire(bytes));
    SegmentArena arena(*segment, packer.data_offset());
    const Status status = packer.Write(arena, segment->data());
    if (status.ok()) {
      return PackedBatch(std::move(segment), packer.header().bytes, packer.header().rows);
    }
    if (!arena.overflowed() || attempt == kAttemptsMax) return status;
  }
}

}  // namespace penstock
