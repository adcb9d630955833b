#include "penstock/exec/dispatcher_blocks.h"

#include <algorithm>

namespace penstock::dispatch {

LiveBlock* BlockTable::Add(const BlockSize& size, StageIndex stage) {
  if (free_.empty()) {
    blocks_.push_back({.size = size, .stage = stage});
    return &blocks_.back();
  }
  LiveBlock* block = free_.back();
  free_.pop_back();
  *block = {.size = size, .stage = stage};
  return block;
}

void InputQueue::Push(const Piece& piece) {
  pieces_.push_back(piece);
  rows_ += piece.rows;
  bytes_ += piece.block->size.bytes;
  if (follows_chunks_) rows_of_chunk_[piece.block->size.chunk] += piece.rows;
}

Piece InputQueue::Take(int64_t rows) {
  Piece& front = pieces_.front();
  const Piece taken = {front.block, front.offset, std::min(rows, front.rows)};
  rows_ -= taken.rows;
  if (follows_chunks_) {
    auto found = rows_of_chunk_.find(front.block->size.chunk);
    if ((found->second -= taken.rows) == 0) rows_of_chunk_.erase(found);
  }
  if (taken.rows == front.rows) {
    bytes_ -= front.block->size.bytes;
    pieces_.pop_front();
  } else {
    front.offset += taken.rows;
    front.rows -= taken.rows;
    ++front.block->holds;
  }
  return taken;
}

bool InputQueue::Drained(int64_t chunk) const {
  return complete_.contains(chunk) && !rows_of_chunk_.contains(chunk);
}

}  // namespace penstock::dispatch
