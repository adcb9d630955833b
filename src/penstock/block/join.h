#pragma once

#include <arrow/array.h>

#include <span>

#include "penstock/base/status.h"
#include "penstock/block/packed.h"

namespace penstock {

/// Checks that all pieces have the first one's column names and types, metadata apart; else
/// SchemaMismatch, naming the first column that differs and both types. Pieces that reach beyond
/// their blocks are our own mistake and abort.
Status CheckPieces(std::span<const Piece> pieces);

/// Copies one column of the pieces, one after the other, into memory of `pool`.
Result<std::shared_ptr<arrow::ArrayData>> JoinColumn(std::span<const Piece> pieces, int column,
                                                     arrow::MemoryPool* pool);

}  // namespace penstock
