#pragma once

#include <cstdint>
#include <span>

#include "penstock/base/status.h"
#include "penstock/block/packed.h"

namespace penstock {

/// Returns the rows with these numbers, counted through all pieces, in the order given, as a block
/// in memory of its own; lineage alike. IndexError for a number outside of the pieces; else as
/// ConcatenatePieces. At least one piece.
Result<Block> TakeRows(std::span<const Piece> pieces, std::span<const int64_t> rows);

}  // namespace penstock
