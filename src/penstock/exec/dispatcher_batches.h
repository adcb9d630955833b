#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <vector>

#include "penstock/exec/dispatcher_blocks.h"

namespace penstock::dispatch {

/// The input of one work or regroup task.
struct Batch {
  std::vector<Piece> pieces;
  int64_t rows = 0;
  int64_t own_bytes = 0;  // Of its rows alone.
  int64_t bytes = 0;      // Of the whole blocks that the pieces are of.
};

/// Cuts a queue of pieces into batches: whole blocks, a fixed number of rows, or a fixed number of
/// batches. A batch of several blocks is gathered here until it has its rows.
///
/// Order: pieces are taken in queue order. Where batches end at a chunk's border and order is
/// kept, one batch is gathered at a time, and the next chunk's first row ends it. Without order
/// the chunks come mingled, so each has its own gathering, which EndChunk ends.
/// Windows (window_rows) are cut like a function's batches. A batcher that follows windows makes
/// batches of the rows that it is told to expect.
/// A number of batches asked for with unknown rows waits for the whole input. Batches of no rows
/// are not made: of fewer rows than batches come as many batches as rows.
class Batcher {
 public:
  Batcher(const StageLimits& limits, bool preserve_order);

  /// Returns the next full batch, taking from `queue` what it needs; when the input has ended, also
  /// those that are not full. Leaves in the queue what is not needed for one batch.
  std::optional<Batch> Next(InputQueue& queue, bool input_ended);

  /// No more rows of `chunk` will come, and all were taken. Without order: ends its gathering.
  void EndChunk(int64_t chunk);

  /// Ends the gathering of the largest batch, if several are gathered at once, or of a window.
  bool FlushLargest();

  /// From here on batches have so many rows.
  void SetRows(int64_t rows) { rows_ = rows; }

  /// From here on batches have the rows that ExpectRows names, in that order.
  void FollowWindows() { follows_windows_ = true; }
  void ExpectRows(int64_t rows) { expected_.push_back(rows); }

  /// Returns whether rows have come that no window had: somebody between has made them up. Then
  /// Next must not be called.
  bool has_too_many(const InputQueue& queue) const {
    return follows_windows_ && expected_.empty() && !queue.empty();
  }

  /// From here on a window ends before it has more bytes, though it has a row.
  void SetWindowBytes(int64_t bytes) { window_bytes_max_ = bytes; }

  /// Hands back every piece that it holds.
  std::vector<Piece> Clear();

  bool empty() const { return gathered_.empty() && flushed_.empty(); }

  /// Returns whether it waits for the whole input: then the queue itself is its gathering.
  bool hoards() const { return blocks_ > 0 && rows_total_ < 0; }

  /// What waits for more rows: its bytes, and the rows of the largest batch.
  int64_t gathered_bytes() const { return gathered_bytes_; }
  int64_t gathered_rows_max() const;

  /// Rows that the next batch wants; -1 while that is not known.
  int64_t wanted_rows() const;

 private:
  void TakePiece(InputQueue& queue);
  void Flush(std::map<int64_t, Batch>::iterator found);

  bool TakesWholePieces() const { return rows_ == 0 && blocks_ == 0 && !follows_windows_; }

  int64_t rows_;  // A batch's rows; 0: a piece is a batch, or blocks_ says.
  const bool cuts_windows_;
  const int64_t rows_max_;     // Where a piece is a batch: its most rows; 0: no limit.
  const int64_t blocks_;       // Batches in all; 0: no limit.
  const bool ends_at_border_;  // The next chunk's first row ends a batch.
  const bool by_chunk_;        // Each chunk has its own gathering.
  int64_t rows_total_;         // Of the input, for blocks_; -1: not known.
  int64_t batches_ended_ = 0;  // For blocks_.
  int64_t RowsThatFit(const Batch& batch, const Piece& next) const;

  bool follows_windows_ = false;
  int64_t window_bytes_max_ = 0;       // 0: no limit.
  std::deque<int64_t> expected_;       // For follows_windows_.
  std::map<int64_t, Batch> gathered_;  // By chunk; by 0 where one is gathered at a time.
  std::deque<Batch> flushed_;
  int64_t gathered_bytes_ = 0;
};

}  // namespace penstock::dispatch
