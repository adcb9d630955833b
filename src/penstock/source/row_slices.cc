#include "penstock/source/row_slices.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "penstock/source/chunks.h"
#include "penstock/source/column_choice.h"

namespace penstock {
namespace {

constexpr int64_t kSplitsPerProcessor = 4;
constexpr int64_t kSplitsWanted = 16;
constexpr int64_t kRowsPerSplitMin = 256;

int64_t CeilDivide(int64_t dividend, int64_t divisor) {
  return dividend / divisor + (dividend % divisor > 0 ? 1 : 0);
}

class SliceReader final : public SplitReader {
 public:
  SliceReader(std::shared_ptr<const SliceableRows> rows, const ColumnChoice& choice, int64_t begin,
              int64_t end, int64_t block_bytes)
      : rows_(std::move(rows)), choice_(choice), begin_(begin), end_(end) {
    const int64_t blocks = std::max<int64_t>(CeilDivide(rows_->Bytes(begin, end), block_bytes), 1);
    rows_per_block_ = std::max<int64_t>(CeilDivide(end - begin, blocks), 1);
  }

  Result<std::shared_ptr<arrow::RecordBatch>> Next() override {
    if (begin_ == end_ && started_) return nullptr;
    started_ = true;
    const int64_t end = std::min(begin_ + rows_per_block_, end_);
    PENSTOCK_TRY(auto batch, rows_->Rows(begin_, end));
    begin_ = end;
    return choice_.Assemble(*batch, arrow::ScalarVector{});
  }

 private:
  const std::shared_ptr<const SliceableRows> rows_;  // Shared with the source, which may go first.
  const ColumnChoice choice_;
  int64_t begin_;
  const int64_t end_;
  int64_t rows_per_block_ = 1;
  bool started_ = false;
};

class SlicedSource final : public Source {
 public:
  SlicedSource(std::string name, std::shared_ptr<const SliceableRows> rows, ColumnChoice choice,
               RowBorders borders, const ReadOp& read, const ReadLimits& limits,
               std::vector<std::string> files)
      : name_(std::move(name)),
        rows_(std::move(rows)),
        choice_(std::move(choice)),
        borders_(std::move(borders)),
        limited_(read.row_limit.has_value() || read.filter.has_value()),
        limits_(limits),
        files_(std::move(files)),
        chunks_(limits) {}

  Result<std::vector<Split>> NextSplits(int64_t count_max) override {
    std::vector<Split> splits;
    while (next_ < borders_.splits() && static_cast<int64_t>(splits.size()) < count_max) {
      const int64_t begin = borders_.at(next_);
      const int64_t end = borders_.at(++next_);
      splits.push_back({.name = fmt::format("{}, rows {} to {}", name_, begin, end),
                        .rows = end - begin,
                        .bytes = rows_->Bytes(begin, end),
                        .begin = begin,
                        .end = end});
    }
    chunks_.Number(splits);
    return splits;
  }

  Result<std::unique_ptr<SplitReader>> Open(const Split& split) override {
    return std::make_unique<SliceReader>(rows_, choice_, split.begin, split.end,
                                         limits_.block_bytes);
  }

  Result<std::shared_ptr<arrow::Schema>> ReadSchema() override { return choice_.output_schema(); }

  Result<std::optional<int64_t>> CountRows() override {
    if (limited_) return std::nullopt;
    return rows_->rows();
  }

  Result<std::vector<std::string>> Files() override { return files_; }

 private:
  const std::string name_;
  const std::shared_ptr<const SliceableRows> rows_;  // Shared with the readers.
  const ColumnChoice choice_;
  const RowBorders borders_;
  const bool limited_;
  const ReadLimits limits_;
  const std::vector<std::string> files_;
  ChunkGrouper chunks_;
  int64_t next_ = 0;
};

}  // namespace

RowBorders::RowBorders(std::vector<int64_t> positions)
    : positions_(std::move(positions)),
      splits_(static_cast<int64_t>(positions_.size()) - 1),
      end_(positions_.back()) {}

RowBorders RowBorders::Even(int64_t rows, int64_t count) {
  RowBorders borders(std::vector<int64_t>{0});
  borders.positions_.clear();
  borders.larger_splits_ = rows % count;
  borders.rows_per_split_ = rows / count;
  borders.splits_ = count;
  borders.end_ = rows;
  return borders;
}

int64_t RowBorders::Uncut(int64_t index) const {
  if (!positions_.empty()) return positions_[static_cast<size_t>(index)];
  return index * rows_per_split_ + std::min(index, larger_splits_);
}

void RowBorders::CutAt(int64_t rows) {
  if (rows > end_) return;
  int64_t first = 0;
  for (int64_t last = splits_; first < last;) {
    const int64_t middle = first + (last - first) / 2;
    if (at(middle) < rows) {
      first = middle + 1;
    } else {
      last = middle;
    }
  }
  splits_ = std::max<int64_t>(first, 1);
  end_ = rows;
}

int64_t DefaultSplitCount(int64_t rows, int64_t bytes, const ReadLimits& limits, int parallelism) {
  const int64_t for_machine = std::max(kSplitsWanted, kSplitsPerProcessor * parallelism);
  const int64_t worth_a_split = CeilDivide(rows, kRowsPerSplitMin);
  const int64_t least = CeilDivide(bytes, limits.block_bytes);
  const int64_t wanted = std::max(std::min(for_machine, worth_a_split), least);
  return std::max<int64_t>(std::min(wanted, rows), 1);
}

Result<std::unique_ptr<Source>> MakeSlicedSource(std::string name,
                                                 std::unique_ptr<SliceableRows> rows,
                                                 RowBorders borders, const ReadOp& read,
                                                 const ReadLimits& limits,
                                                 std::vector<std::string> files) {
  PENSTOCK_TRY(auto choice, ColumnChoice::Make(*rows->schema(), read.columns,
                                               /*include_paths=*/false, name));
  const bool cut = read.row_limit.has_value() && !read.filter.has_value();
  const int64_t read_rows = cut ? std::min(rows->rows(), *read.row_limit) : rows->rows();
  if (read.splits) {
    borders = RowBorders::Even(read_rows, *read.splits);
  } else if (cut) {
    borders.CutAt(read_rows);
  }
  return std::make_unique<SlicedSource>(std::move(name), std::move(rows), std::move(choice),
                                        std::move(borders), read, limits, std::move(files));
}

}  // namespace penstock
