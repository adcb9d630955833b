#pragma once

#include <cstdint>
#include <deque>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "penstock/exec/dispatcher.h"

namespace penstock::dispatch {

/// A block that was yielded and not yet dropped or handed over. `holds` counts the pieces of it
/// that wait or are worked on.
struct LiveBlock {
  BlockSize size;
  StageIndex stage = 0;  // Which stage yielded it.
  int holds = 0;
};

/// Rows [offset, offset + rows) of a live block; one hold on it.
struct Piece {
  LiveBlock* block = nullptr;
  int64_t offset = 0;
  int64_t rows = 0;

  /// Returns the rows' share of the block's bytes.
  int64_t bytes() const {
    const BlockSize& whole = block->size;
    return whole.bytes / whole.rows * rows + whole.bytes % whole.rows * rows / whole.rows;
  }
};

/// Owns the live blocks; addresses are stable until Remove.
class BlockTable {
 public:
  LiveBlock* Add(const BlockSize& size, StageIndex stage);
  void Remove(LiveBlock* block) { free_.push_back(block); }

 private:
  std::deque<LiveBlock> blocks_;
  std::vector<LiveBlock*> free_;
};

/// The blocks that wait at a stage's input, in the order in which they came.
///
/// With `follows_chunks` it also knows when the last row of a chunk has been taken, once
/// MarkComplete has said that no more of the chunk will come.
class InputQueue {
 public:
  explicit InputQueue(bool follows_chunks) : follows_chunks_(follows_chunks) {}

  void Push(const Piece& piece);

  /// Takes the first `rows` rows of the front piece. A piece taken in part gets one more hold.
  Piece Take(int64_t rows);

  /// No more rows of `chunk` will be pushed.
  void MarkComplete(int64_t chunk) { complete_.insert(chunk); }

  /// Returns whether all rows of `chunk` have been pushed and taken.
  bool Drained(int64_t chunk) const;
  void Forget(int64_t chunk) { complete_.erase(chunk); }

  const Piece& front() const { return pieces_.front(); }
  bool empty() const { return pieces_.empty(); }
  int64_t blocks() const { return static_cast<int64_t>(pieces_.size()); }
  int64_t rows() const { return rows_; }
  int64_t bytes() const { return bytes_; }  // Of whole blocks, until their last row is taken.

 private:
  const bool follows_chunks_;
  std::deque<Piece> pieces_;
  int64_t rows_ = 0;
  int64_t bytes_ = 0;
  std::unordered_map<int64_t, int64_t> rows_of_chunk_;
  std::unordered_set<int64_t> complete_;
};

}  // namespace penstock::dispatch
