#include "penstock/source/parquet_row_groups.h"

#include <arrow/record_batch.h>
#include <parquet/exception.h>

#include <algorithm>
#include <utility>

#include "penstock/block/block.h"
#include "penstock/block/ray_tensor.h"
#include "penstock/block/unify.h"
#include "penstock/source/batch_cutter.h"
#include "penstock/source/utf8.h"

namespace penstock {
namespace {

constexpr int64_t kRowsPerBatchMax = int64_t{1} << 20;
constexpr int64_t kFirstRows = 256;  // Where only reading tells how long the values are.
constexpr int64_t kGrowthMax = 8;    // From batch to batch.

/// Where the rows of a range come from, and where they go.
struct RowsWay {
  ColumnChoice choice;
  const ParquetColumns& columns;
  bool makes_hash;
  arrow::ScalarVector file_values;
  std::string path;
  std::string name;
};

/// How many rows are read at once: as many as are estimated to fill a block, until what was read
/// shows that they take more. A dictionary of a few long values may stand for gigabytes.
class BatchSize {
 public:
  BatchSize(int64_t rows_estimated, bool is_certain, int64_t block_bytes)
      : rows_max_(rows_estimated),
        rows_(is_certain ? rows_estimated : std::min(rows_estimated, kFirstRows)),
        block_bytes_(block_bytes) {}

  int64_t rows() const { return rows_; }

  void Learn(const arrow::RecordBatch& read) {
    const int64_t bytes_per_row = BlockBytes(read) / std::max<int64_t>(read.num_rows(), 1) + 1;
    const int64_t fitting = std::max<int64_t>(block_bytes_ / bytes_per_row, 1);
    rows_ = std::min({fitting, rows_ * kGrowthMax, rows_max_});
  }

 private:
  const int64_t rows_max_;
  int64_t rows_;
  const int64_t block_bytes_;
};

class RowGroupReader final : public SplitReader {
 public:
  RowGroupReader(std::unique_ptr<parquet::arrow::FileReader> file,
                 std::unique_ptr<arrow::RecordBatchReader> batches, RowsWay way, BatchSize size,
                 int64_t first_row, int64_t rows_max, int64_t block_bytes)
      : file_(std::move(file)),
        batches_(std::move(batches)),
        way_(std::move(way)),
        size_(size),
        first_row_(first_row),
        rows_max_(rows_max),
        cutter_(block_bytes) {}

  Result<std::shared_ptr<arrow::RecordBatch>> Next() override {
    while (true) {
      if (auto slice = cutter_.Next()) return slice;
      PENSTOCK_TRY(auto read, Read());
      if (read == nullptr) {
        if (std::exchange(started_, true)) return nullptr;
        return arrow::RecordBatch::MakeEmpty(way_.choice.output_schema());
      }
      started_ = true;
      PENSTOCK_TRY(auto batch, InSchema(read));
      rows_read_ += read->num_rows();
      cutter_.Reset(std::move(batch));
    }
  }

 private:
  /// Returns the next rows that are wanted, or nullptr where there is none.
  Result<std::shared_ptr<arrow::RecordBatch>> Read() {
    std::shared_ptr<arrow::RecordBatch> read;
    do {
      if (rows_read_ == rows_max_) return nullptr;
      file_->set_batch_size(size_.rows());
      Status status = batches_->ReadNext(&read);
      if (status.ok() && read != nullptr) status = CheckUtf8(*read, rows_read_ + 1);
      if (!status.ok()) return ReadFailure(status, way_.name);
      if (read == nullptr) return nullptr;
      size_.Learn(*read);
    } while (read->num_rows() == 0);
    return read->Slice(0, std::min(read->num_rows(), rows_max_ - rows_read_));
  }

  Result<std::shared_ptr<arrow::RecordBatch>> InSchema(
      const std::shared_ptr<arrow::RecordBatch>& read) const {
    auto brought = WithCanonicalTensors(read);
    if (brought.ok()) {
      brought = way_.columns.Apply(*std::move(brought), way_.path, first_row_ + rows_read_,
                                   way_.makes_hash);
    }
    if (brought.ok()) brought = BringToSchema(*brought, way_.choice.read_schema());
    if (!brought.ok()) {
      return brought.status().WithMessage(way_.name, ": ", brought.status().message());
    }
    return way_.choice.Assemble(**brought, way_.file_values);
  }

  const std::unique_ptr<parquet::arrow::FileReader> file_;  // Must outlive batches_.
  const std::unique_ptr<arrow::RecordBatchReader> batches_;
  const RowsWay way_;
  BatchSize size_;
  const int64_t first_row_;  // Of the range, within the file.
  const int64_t rows_max_;
  int64_t rows_read_ = 0;  // Of the range.
  BatchCutter cutter_;
  bool started_ = false;
};

int64_t RowsPerBatch(const RowGroupRange& range, int64_t block_bytes) {
  const int64_t bytes_per_row = range.bytes / std::max<int64_t>(range.rows, 1) + 1;
  return std::clamp<int64_t>(block_bytes / bytes_per_row, 1, kRowsPerBatchMax);
}

/// Says whether the footer tells for certain how long the values of all leaves are.
bool AreFixedWidth(const ParquetFooter& footer, const std::vector<int>& leaves) {
  const parquet::SchemaDescriptor& columns = *footer.metadata->schema();
  return std::ranges::all_of(leaves, [&](int leaf) {
    return columns.Column(leaf)->physical_type() != parquet::Type::BYTE_ARRAY;
  });
}

Result<int64_t> RowsBefore(const ParquetFooter& footer, int row_group) {
  int64_t rows = 0;
  BEGIN_PARQUET_CATCH_EXCEPTIONS
  for (int group = 0; group < row_group; ++group) {
    rows += footer.metadata->RowGroup(group)->num_rows();
  }
  END_PARQUET_CATCH_EXCEPTIONS
  return rows;
}

}  // namespace

std::vector<int> LeavesOf(const ParquetFooter& footer, const ColumnChoice& choice,
                          const ParquetColumns& columns) {
  std::vector<int> leaves;
  for (const std::string& name : choice.read_schema()->field_names()) {
    const int position = columns.IsMade(name) ? -1 : footer.schema->GetFieldIndex(name);
    if (position < 0) continue;
    const auto& of_column = footer.leaves[static_cast<size_t>(position)];
    leaves.insert(leaves.end(), of_column.begin(), of_column.end());
  }
  return leaves;
}

Result<std::unique_ptr<SplitReader>> OpenRowGroups(
    const InputFile& file, const std::shared_ptr<const ParquetFooter>& footer,
    const RowGroupRange& range, const ColumnChoice& choice, const ParquetColumns& columns,
    arrow::ScalarVector file_values, std::string name, int64_t rows_max, int64_t block_bytes) {
  PENSTOCK_TRY(auto reader, OpenParquet(file, footer.get()));
  std::vector<int> row_groups;
  for (int group = range.begin; group < range.end; ++group) row_groups.push_back(group);
  const std::vector<int> leaves = LeavesOf(*footer, choice, columns);
  auto batches = reader->GetRecordBatchReader(row_groups, leaves);
  if (!batches.ok()) return ReadFailure(batches.status(), name);
  const bool makes_hash = columns.IsMade(ParquetColumns::kRowHash) &&
                          choice.read_schema()->GetFieldIndex(ParquetColumns::kRowHash) >= 0;
  PENSTOCK_TRY(const int64_t first_row, makes_hash ? RowsBefore(*footer, range.begin) : 0);
  RowsWay way{choice, columns, makes_hash, std::move(file_values), file.path, std::move(name)};
  const BatchSize size(RowsPerBatch(range, block_bytes), AreFixedWidth(*footer, leaves),
                       block_bytes);
  return std::make_unique<RowGroupReader>(std::move(reader), batches.MoveValueUnsafe(),
                                          std::move(way), size, first_row, rows_max, block_bytes);
}

}  // namespace penstock
