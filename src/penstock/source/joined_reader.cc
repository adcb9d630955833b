#include "penstock/source/joined_reader.h"

#include <arrow/record_batch.h>

#include <algorithm>
#include <utility>

#include "penstock/block/block.h"

namespace penstock {
namespace {

using Batch = std::shared_ptr<arrow::RecordBatch>;

class JoinedReader final : public SplitReader {
 public:
  JoinedReader(std::vector<OpenPart> parts, int64_t rows_max, int64_t block_bytes)
      : parts_(std::move(parts)), rows_left_(rows_max), block_bytes_(block_bytes) {}

  Result<Batch> Next() override {
    while (true) {
      PENSTOCK_TRY(Batch batch, NextOfParts());
      if (batch == nullptr) break;
      if (batch->num_rows() == 0) {
        without_rows_ = std::move(batch);
        continue;
      }
      const int64_t bytes = BlockBytes(*batch);
      const bool full = !held_.empty() && held_bytes_ + bytes > block_bytes_;
      Result<Batch> joined = full ? Joined() : Batch();
      held_.push_back(std::move(batch));
      held_bytes_ += bytes;
      if (full) return joined;
    }
    if (!held_.empty()) return Joined();
    return std::exchange(yielded_, true) ? nullptr : without_rows_;
  }

 private:
  /// Returns the next batch of the part that is read, or of the one after it; null at the end.
  Result<Batch> NextOfParts() {
    while (true) {
      if (reader_ == nullptr) {
        if (next_ == parts_.size() || rows_left_ <= 0) return nullptr;
        PENSTOCK_TRY(reader_, parts_[next_++]());
      }
      PENSTOCK_TRY(Batch batch, reader_->Next());
      if (batch != nullptr) {
        rows_left_ -= batch->num_rows();
        return batch;
      }
      reader_.reset();
    }
  }

  Result<Batch> Joined() {
    yielded_ = true;
    held_bytes_ = 0;
    const std::vector<Batch> batches = std::exchange(held_, {});
    return batches.size() == 1 ? batches.front() : arrow::ConcatenateRecordBatches(batches);
  }

  const std::vector<OpenPart> parts_;
  size_t next_ = 0;
  int64_t rows_left_;
  const int64_t block_bytes_;
  std::unique_ptr<SplitReader> reader_;
  std::vector<Batch> held_;
  int64_t held_bytes_ = 0;
  Batch without_rows_;  // Shows the columns where there are no rows.
  bool yielded_ = false;
};

}  // namespace

std::unique_ptr<SplitReader> MakeJoinedReader(std::vector<OpenPart> parts, int64_t rows_max,
                                              int64_t block_bytes) {
  return std::make_unique<JoinedReader>(std::move(parts), rows_max, block_bytes);
}

std::vector<int64_t> RunBorders(const std::vector<int64_t>& bytes, int64_t count) {
  const auto pieces = static_cast<int64_t>(bytes.size());
  const int64_t runs = std::min(count, pieces);
  double total = 0;
  for (const int64_t size : bytes) total += static_cast<double>(size);
  std::vector<int64_t> borders{0};
  double before = 0;
  for (int64_t piece = 0; piece < pieces && static_cast<int64_t>(borders.size()) < runs; ++piece) {
    const auto run = static_cast<int64_t>(borders.size());
    const double middle = before + static_cast<double>(bytes[static_cast<size_t>(piece)]) / 2;
    before += static_cast<double>(bytes[static_cast<size_t>(piece)]);
    const bool is_needed = pieces - piece <= runs - run;  // One piece for each run that is left.
    const bool is_due = middle * static_cast<double>(runs) >= total * static_cast<double>(run);
    if (piece > borders.back() && (is_needed || is_due)) borders.push_back(piece);
  }
  borders.push_back(pieces);
  return borders;
}

}  // namespace penstock
