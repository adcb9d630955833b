#include "penstock/block/join.h"

#include <arrow/array/concatenate.h>
#include <arrow/array/util.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
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

bool IsNull(const arrow::Field& field) { return field.type()->id() == arrow::Type::NA; }

/// Takes the types of `other` for those columns of `fields` that hold nothing but nulls so far.
Status TakeTypes(const arrow::Schema& other, arrow::FieldVector& fields) {
  const int columns = std::min(static_cast<int>(fields.size()), other.num_fields());
  for (int i = 0; i < columns; ++i) {
    const arrow::Field& wanted = *fields[i];
    const arrow::Field& found = *other.field(i);
    if (wanted.name() != found.name()) {
      return Mismatch(fmt::format("Column {} is called '{}' ({}) in the first and '{}' ({}) here.",
                                  i, wanted.name(), wanted.type()->ToString(), found.name(),
                                  found.type()->ToString()));
    }
    if (wanted.type()->Equals(*found.type()) || IsNull(found)) continue;
    if (!IsNull(wanted)) {
      return Mismatch(fmt::format(
          "Column '{}' is {} in the first and {} here; cast it to one type where it is made.",
          wanted.name(), wanted.type()->ToString(), found.type()->ToString()));
    }
    fields[i] = other.field(i);
  }
  if (static_cast<int>(fields.size()) == other.num_fields()) return Status::OK();
  const bool missing = static_cast<int>(fields.size()) > other.num_fields();
  const arrow::Field& extra = missing ? *fields[columns] : *other.field(columns);
  return Mismatch(
      fmt::format("Column '{}' ({}) is {}.", extra.name(), extra.type()->ToString(),
                  missing ? "in the first and missing here" : "here and missing in the first"));
}

/// Returns the batch with columns of nulls in the types of `schema`.
Result<std::shared_ptr<arrow::RecordBatch>> WithTypes(
    const std::shared_ptr<arrow::RecordBatch>& batch,
    const std::shared_ptr<arrow::Schema>& schema) {
  arrow::ArrayVector columns = batch->columns();
  for (int i = 0; i < schema->num_fields(); ++i) {
    if (columns[i]->type_id() == schema->field(i)->type()->id()) continue;
    PENSTOCK_TRY(columns[i], arrow::MakeArrayOfNull(schema->field(i)->type(), batch->num_rows()));
  }
  return arrow::RecordBatch::Make(schema, batch->num_rows(), std::move(columns));
}

}  // namespace

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
  arrow::FieldVector fields = pieces.front().block.batch->schema()->fields();
  for (const Piece& piece : pieces) {
    PENSTOCK_RETURN_NOT_OK(TakeTypes(*piece.block.batch->schema(), fields));
  }
  const auto schema = arrow::schema(std::move(fields));
  std::vector<Piece> unified(pieces.begin(), pieces.end());
  for (Piece& piece : unified) {
    PENSTOCK_TRY(piece.block.batch, WithTypes(piece.block.batch, schema));
    piece.block.packed = nullptr;
  }
  return unified;
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
  std::vector<Piece> unified;
  if (!HaveOneSchema(pieces)) {
    PENSTOCK_TRY(unified, UnifyPieces(pieces));
    pieces = unified;
  }
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
