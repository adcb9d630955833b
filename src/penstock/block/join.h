#pragma once

#include <arrow/array.h>

#include <span>
#include <vector>

#include "penstock/base/status.h"
#include "penstock/block/packed.h"

namespace penstock {

/// Says whether all pieces have equal column names and types, metadata apart. Pieces that reach
/// beyond their blocks are our own mistake and abort.
bool HaveOneSchema(std::span<const Piece> pieces);

/// Returns the pieces with the one schema that UnifySchemas (unify.h) makes of theirs. Fails as it
/// and BringToSchema do.
Result<std::vector<Piece>> UnifyPieces(std::span<const Piece> pieces);

/// Copies one column of the pieces, one after the other, into memory of `pool`.
Result<std::shared_ptr<arrow::ArrayData>> JoinColumn(std::span<const Piece> pieces, int column,
                                                     arrow::MemoryPool* pool);

}  // namespace penstock
