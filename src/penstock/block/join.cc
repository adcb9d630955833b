#include "penstock/block/join.h"

#include <arrow/array/concatenate.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include "penstock/base/check.h"
#include "penstock/block/unify.h"
#include "penstock/block/widen.h"

namespace penstock {

bool HaveOneSchema(std::span<const Piece> pieces) {
  PENSTOCK_CHECK(!pieces.empty());
  const auto& first = pieces.front().block.batch->schema();
  bool one = true;
  for (const Piece& piece : pieces) {
    PENSTOCK_CHECK(piece.offset >= 0 && piece.rows >= 0);
    PENSTOCK_CHECK(piece.offset <= piece.block.rows() - piece.rows);
    const auto& schema = piece.block.batch->schema();
    one = one && (schema == first || schema->Equals(*first, /*check_metadata=*/false));
  }
  return one;
}

Result<std::vector<Piece>> UnifyPieces(std::span<const Piece> pieces) {
  std::shared_ptr<arrow::Schema> schema = pieces.front().block.batch->schema();
  for (const Piece& piece : pieces) {
    PENSTOCK_TRY(schema, UnifySchemas(schema, piece.block.batch->schema()));
  }
  return BringPieces(pieces, schema);
}

Result<std::vector<Piece>> BringPieces(std::span<const Piece> pieces,
                                       const std::shared_ptr<arrow::Schema>& schema) {
  std::vector<Piece> brought(pieces.begin(), pieces.end());
  for (Piece& piece : brought) {
    const auto used = piece.block.batch->Slice(piece.offset, piece.rows);
    PENSTOCK_TRY(piece.block.batch, BringToSchema(used, schema));
    piece.block.lineage = piece.block.lineage.Slice(piece.offset, piece.rows);
    piece.block.packed = nullptr;
    piece.offset = 0;
  }
  return brought;
}

Result<std::vector<Piece>> JoinablePieces(std::span<const Piece> pieces) {
  std::vector<Piece> unified;
  if (!HaveOneSchema(pieces)) {
    PENSTOCK_TRY(unified, UnifyPieces(pieces));
    pieces = unified;
  }
  PENSTOCK_TRY(std::vector<Piece> widened, WidenPieces(pieces));
  return widened.empty() ? std::move(unified) : std::move(widened);
}

Result<std::shared_ptr<arrow::ArrayData>> JoinColumn(std::span<const Piece> pieces, int column,
                                                     arrow::MemoryPool* pool) {
  arrow::ArrayVector parts;
  parts.reserve(pieces.size());
  for (const Piece& piece : pieces) {
    parts.push_back(piece.block.batch->column(column)->Slice(piece.offset, piece.rows));
  }
  auto joined = arrow::Concatenate(parts, pool);
  if (joined.ok()) return (*joined)->data();
  return joined.status().WithMessage("Column '", pieces.front().block.batch->column_name(column),
                                     "' cannot be joined into one batch; a smaller batch_size may "
                                     "help: ",
                                     joined.status().message());
}

Result<Block> ConcatenatePieces(std::span<const Piece> pieces) {
  PENSTOCK_TRY(const std::vector<Piece> joinable, JoinablePieces(pieces));
  if (!joinable.empty()) pieces = joinable;
  const Block& first = pieces.front().block;
  if (pieces.size() == 1) return SliceBlock(first, pieces.front().offset, pieces.front().rows);
  Lineage lineage;
  int64_t rows = 0;
  for (const Piece& piece : pieces) {
    lineage.Append(piece.block.lineage.Slice(piece.offset, piece.rows));
    rows += piece.rows;
  }
  std::vector<std::shared_ptr<arrow::ArrayData>> columns;
  for (int i = 0; i < first.batch->num_columns(); ++i) {
    PENSTOCK_TRY(auto column, JoinColumn(pieces, i, arrow::default_memory_pool()));
    columns.push_back(std::move(column));
  }
  auto batch = arrow::RecordBatch::Make(first.batch->schema(), rows, std::move(columns));
  return Block{std::move(batch), std::move(lineage), nullptr};
}

}  // namespace penstock
