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

/// Returns the pieces with their columns brought to a schema, as BringToSchema does it.
Result<std::vector<Piece>> BringPieces(std::span<const Piece> pieces,
                                       const std::shared_ptr<arrow::Schema>& schema);

/// Returns the pieces as they can be joined: of one schema, and with large types where the offsets
/// of others do not reach (widen.h); nothing where they are so already. Fails as UnifyPieces does.
Result<std::vector<Piece>> JoinablePieces(std::span<const Piece> pieces);

/// Copies one column of the pieces, one after the other, into memory of `pool`.
Result<std::shared_ptr<arrow::ArrayData>> JoinColumn(std::span<const Piece> pieces, int column,
                                                     arrow::MemoryPool* pool);

}  // namespace penstock
