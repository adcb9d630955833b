#include "penstock/source/parquet_row_groups.h"

#include <arrow/record_batch.h>
#include <parquet/exception.h>

#include <algorithm>
#include <utility>

#include "penstock/block/ray_tensor.h"
#include "penstock/block/unify.h"
#include "penstock/source/batch_cutter.h"

namespace penstock {
namespace {

constexpr int64_t kRowsPerBatchMax = int64_t{1} << 20;

/// Where the rows of a range come from, and where they go.
struct RowsWay {
  ColumnChoice choice;
  const ParquetColumns& columns;
  bool makes_hash;
  arrow::ScalarVector file_values;
  std::string path;
  std::string name;
};

class RowGroupReader final : public SplitReader {
 public:
  RowGroupReader(std::unique_ptr<parquet::arrow::FileReader> file,
                 std::unique_ptr<arrow::RecordBatchReader> batches, RowsWay way, int64_t first_row,
                 int64_t rows_max, int64_t block_bytes)
      : file_(std::move(file)),
        batches_(std::move(batches)),
        way_(std::move(way)),
        next_row_(first_row),
        rows_left_(rows_max),
        cutter_(block_bytes) {}

  Result<std::shared_ptr<arrow::RecordBatch>> Next() override {
    while (true) {
      if (auto slice = cutter_.Next()) return slice;
      std::shared_ptr<arrow::RecordBatch> read;
      if (rows_left_ > 0) {
        const Status status = batches_->ReadNext(&read);
        if (!status.ok()) return ReadFailure(status, way_.name);
      }
      if (read == nullptr) {
        if (std::exchange(started_, true)) return nullptr;
        return arrow::RecordBatch::MakeEmpty(way_.choice.output_schema());
      }
      if (read->num_rows() == 0) continue;
      started_ = true;
      if (read->num_rows() > rows_left_) read = read->Slice(0, rows_left_);
      rows_left_ -= read->num_rows();
      PENSTOCK_TRY(auto batch, InSchema(read));
      next_row_ += read->num_rows();
      cutter_.Reset(std::move(batch));
    }
  }

 private:
  Result<std::shared_ptr<arrow::RecordBatch>> InSchema(
      const std::shared_ptr<arrow::RecordBatch>& read) const {
    auto brought = WithCanonicalTensors(read);
    if (brought.ok()) {
      brought = way_.columns.Apply(*std::move(brought), way_.path, next_row_, way_.makes_hash);
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
  int64_t next_row_;  // Of the file.
  int64_t rows_left_;
  BatchCutter cutter_;
  bool started_ = false;
};

int64_t RowsPerBatch(const RowGroupRange& range, int64_t block_bytes) {
  const int64_t bytes_per_row = range.bytes / std::max<int64_t>(range.rows, 1) + 1;
  return std::clamp<int64_t>(block_bytes / bytes_per_row, 1, kRowsPerBatchMax);
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
  reader->set_batch_size(RowsPerBatch(range, block_bytes));
  auto batches = reader->GetRecordBatchReader(row_groups, LeavesOf(*footer, choice, columns));
  if (!batches.ok()) return ReadFailure(batches.status(), name);
  const bool makes_hash = columns.IsMade(ParquetColumns::kRowHash) &&
                          choice.read_schema()->GetFieldIndex(ParquetColumns::kRowHash) >= 0;
  PENSTOCK_TRY(const int64_t first_row, makes_hash ? RowsBefore(*footer, range.begin) : 0);
  RowsWay way{choice, columns, makes_hash, std::move(file_values), file.path, std::move(name)};
  return std::make_unique<RowGroupReader>(std::move(reader), batches.MoveValueUnsafe(),
                                          std::move(way), first_row, rows_max, block_bytes);
}

}  // namespace penstock
