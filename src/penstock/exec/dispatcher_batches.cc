#include "penstock/exec/dispatcher_batches.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace penstock::dispatch {

namespace {

bool KeepsToChunks(const StageLimits& limits) {
  if (limits.window_rows > 0) return true;
  const bool runs_functions = limits.role == StageRole::kWork || limits.role == StageRole::kNative;
  return runs_functions && limits.batch_in_chunk;
}

int64_t RowsOf(const StageLimits& limits) {
  if (limits.role != StageRole::kRegroup) return limits.batch_rows;
  return limits.window_rows > 0 ? limits.window_rows : limits.regroup_rows;
}

}  // namespace

Batcher::Batcher(const StageLimits& limits, bool preserve_order)
    : rows_(RowsOf(limits)),
      cuts_windows_(limits.window_rows > 0),
      rows_max_(limits.batch_rows_max),
      blocks_(limits.role == StageRole::kRegroup ? limits.regroup_blocks : 0),
      ends_at_border_(KeepsToChunks(limits) && preserve_order),
      by_chunk_(KeepsToChunks(limits) && !preserve_order),
      rows_total_(blocks_ > 0 ? limits.rows_known : -1) {}

int64_t Batcher::wanted_rows() const {
  if (follows_windows_) return expected_.empty() ? -1 : expected_.front();
  if (blocks_ == 0) return rows_;
  if (rows_total_ < 0) return -1;
  const bool larger = batches_ended_ < rows_total_ % blocks_;
  return std::max<int64_t>(1, rows_total_ / blocks_ + (larger ? 1 : 0));
}

void Batcher::Flush(std::map<int64_t, Batch>::iterator found) {
  gathered_bytes_ -= found->second.bytes;
  flushed_.push_back(std::move(found->second));
  gathered_.erase(found);
  ++batches_ended_;
  if (follows_windows_) expected_.pop_front();
}

void Batcher::TakePiece(InputQueue& queue) {
  const int64_t chunk = queue.front().block->size.chunk;
  if (ends_at_border_ && !gathered_.empty() &&
      gathered_.begin()->second.pieces.back().block->size.chunk != chunk) {
    Flush(gathered_.begin());
    return;
  }
  const bool whole = TakesWholePieces();
  const int64_t unlimited = std::numeric_limits<int64_t>::max();
  const int64_t wanted = whole ? (rows_max_ > 0 ? rows_max_ : unlimited) : wanted_rows();
  const auto found = gathered_.try_emplace(by_chunk_ ? chunk : 0).first;
  Batch& batch = found->second;
  if (batch.rows >= wanted) return Flush(found);  // Batches have become smaller meanwhile.
  const int64_t fitting = RowsThatFit(batch, queue.front());
  if (fitting == 0) return Flush(found);
  const Piece piece = queue.Take(std::min(wanted - batch.rows, fitting));
  batch.pieces.push_back(piece);
  batch.rows += piece.rows;
  batch.own_bytes += piece.bytes();
  batch.bytes += piece.block->size.bytes;
  gathered_bytes_ += piece.block->size.bytes;
  if (whole || batch.rows == wanted) Flush(found);
  if (by_chunk_ && queue.Drained(chunk)) {
    queue.Forget(chunk);
    EndChunk(chunk);
  }
}

/// Returns how many rows of `next` a window still takes by its bytes; of an empty one at least one.
int64_t Batcher::RowsThatFit(const Batch& batch, const Piece& next) const {
  if (window_bytes_max_ == 0) return next.rows;
  const int64_t row_bytes = std::max<int64_t>(1, next.bytes() / next.rows);
  const int64_t fitting = std::max<int64_t>(0, window_bytes_max_ - batch.own_bytes) / row_bytes;
  return batch.rows == 0 ? std::max<int64_t>(1, fitting) : fitting;
}

void Batcher::EndChunk(int64_t chunk) {
  const auto found = gathered_.find(chunk);
  if (by_chunk_ && found != gathered_.end()) Flush(found);
}

std::optional<Batch> Batcher::Next(InputQueue& queue, bool input_ended) {
  if (hoards()) {
    if (!input_ended) return std::nullopt;
    rows_total_ = queue.rows();
  }
  while (flushed_.empty() && !queue.empty()) TakePiece(queue);
  if (flushed_.empty() && input_ended && !gathered_.empty()) Flush(gathered_.begin());
  if (flushed_.empty()) return std::nullopt;
  Batch batch = std::move(flushed_.front());
  flushed_.pop_front();
  return batch;
}

bool Batcher::FlushLargest() {
  if (gathered_.empty() || (gathered_.size() == 1 && !cuts_windows_)) return false;
  Flush(std::max_element(gathered_.begin(), gathered_.end(), [](const auto& a, const auto& b) {
    return a.second.bytes < b.second.bytes;
  }));
  return true;
}

std::vector<Piece> Batcher::Clear() {
  std::vector<Piece> pieces;
  for (const auto& [chunk, batch] : gathered_) {
    pieces.insert(pieces.end(), batch.pieces.begin(), batch.pieces.end());
  }
  for (const Batch& batch : flushed_) {
    pieces.insert(pieces.end(), batch.pieces.begin(), batch.pieces.end());
  }
  gathered_.clear();
  flushed_.clear();
  gathered_bytes_ = 0;
  return pieces;
}

int64_t Batcher::gathered_rows_max() const {
  int64_t rows = 0;
  for (const auto& [chunk, batch] : gathered_) rows = std::max(rows, batch.rows);
  return rows;
}

}  // namespace penstock::dispatch
