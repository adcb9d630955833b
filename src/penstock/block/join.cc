#include "penstock/block/join.h"

#include <arrow/array/concatenate.h>
#include <fmt/format.h>

#include <algorithm>

#include "penstock/base/check.h"
#include "penstock/base/error.h"

namespace penstock {
namespace {

Status Mismatch(std::string what) {
  return MakeError(ErrorKind::kSchemaMismatch,
                   "Blocks that are joined into one batch must have the same columns. " + what);
}

Status CheckSchema(const arrow::Schema& first, const arrow::Schema& other) {
  const int columns = std::min(first.num_fields(), other.num_fields());
  for (int i = 0; i < columns; ++i) {
    const arrow::Field& wanted = *first.field(i);
    const arrow::Field& found = *other.field(i);
    if (wanted.name() != found.name()) {
      return Mismatch(fmt::format("Column {} is called '{}' ({}) in the first and '{}' ({}) here.",
                                  i, wanted.name(), wanted.type()->ToString(), found.name(),
                                  found.type()->ToString()));
    }
    if (wanted.type() != found.type() && !wanted.type()->Equals(*found.type())) {
      return Mismatch(fmt::format(
          "Column '{}' is {} in the first and {} here; cast it to one type where it is made.",
          wanted.name(), wanted.type()->ToString(), found.type()->ToString()));
    }
  }
  if (first.num_fields() == other.num_fields()) return Status::OK();
  const bool missing = first.num_fields() > other.num_fields();
  const arrow::Field& extra = *(missing ? first : other).field(columns);
  return Mismatch(
      fmt::format("Column '{}' ({}) is {}.", extra.name(), extra.type()->ToString(),
                  missing ? "in the first and missing here" : "here and missing in the first"));
}

}  // namespace

Status CheckPieces(std::span<const Piece> pieces) {
  PENSTOCK_CHECK(!pieces.empty());
  const auto& first = pieces.front().block.batch->schema();
  for (const Piece& piece : pieces) {
    PENSTOCK_CHECK(piece.offset >= 0 && piece.rows >= 0);
    PENSTOCK_CHECK(piece.offset <= piece.block.rows() - piece.rows);
    const auto& schema = piece.block.batch->schema();
    if (schema != first) PENSTOCK_RETURN_NOT_OK(CheckSchema(*first, *schema));
  }
  return Status::OK();
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
  PENSTOCK_RETURN_NOT_OK(CheckPieces(pieces));
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
