#include <arrow/record_batch.h>
#include <fmt/format.h>
#include <parquet/exception.h>

#include <algorithm>
#include <deque>
#include <utility>

#include "penstock/base/mutex.h"
#include "penstock/block/ray_tensor.h"
#include "penstock/block/unify.h"
#include "penstock/plan/expression.h"
#include "penstock/source/batch_cutter.h"
#include "penstock/source/chunks.h"
#include "penstock/source/column_choice.h"
#include "penstock/source/file_set.h"
#include "penstock/source/input_files.h"
#include "penstock/source/parquet_footer.h"
#include "penstock/source/parquet_footers.h"
#include "penstock/source/registry.h"

/// The reader parquet has only the options of all file readers.
///
/// All files are read as one schema: the columns of the first in their order, then those that come
/// in later ones, by name; types are promoted and what a file lacks is null (see block/unify.h).
/// kSchemaMismatch, naming both files, where no type holds both. So the footers of all files are
/// read, several at once, before the first row; those that fit the cache are not read again.
namespace penstock {
namespace {

constexpr int64_t kRowsPerBatchMax = int64_t{1} << 20;

class RowGroupReader final : public SplitReader {
 public:
  RowGroupReader(std::unique_ptr<parquet::arrow::FileReader> file,
                 std::unique_ptr<arrow::RecordBatchReader> batches, ColumnChoice choice,
                 arrow::ScalarVector file_values, std::string split_name, int64_t rows_max,
                 int64_t block_bytes)
      : file_(std::move(file)),
        batches_(std::move(batches)),
        choice_(std::move(choice)),
        file_values_(std::move(file_values)),
        split_name_(std::move(split_name)),
        rows_left_(rows_max),
        cutter_(block_bytes) {}

  Result<std::shared_ptr<arrow::RecordBatch>> Next() override {
    while (true) {
      if (auto slice = cutter_.Next()) return slice;
      std::shared_ptr<arrow::RecordBatch> read;
      if (rows_left_ > 0) {
        const Status status = batches_->ReadNext(&read);
        if (!status.ok()) return ReadFailure(status, split_name_);
      }
      if (read == nullptr) {
        if (std::exchange(started_, true)) return nullptr;
        return arrow::RecordBatch::MakeEmpty(choice_.output_schema());
      }
      if (read->num_rows() == 0) continue;
      started_ = true;
      if (read->num_rows() > rows_left_) read = read->Slice(0, rows_left_);
      rows_left_ -= read->num_rows();
      PENSTOCK_TRY(auto batch, InSchema(read));
      cutter_.Reset(std::move(batch));
    }
  }

 private:
  Result<std::shared_ptr<arrow::RecordBatch>> InSchema(
      const std::shared_ptr<arrow::RecordBatch>& read) const {
    auto brought = WithCanonicalTensors(read);
    if (brought.ok()) brought = BringToSchema(*brought, choice_.read_schema());
    if (!brought.ok()) {
      return brought.status().WithMessage(split_name_, ": ", brought.status().message());
    }
    return choice_.Assemble(**brought, file_values_);
  }

  const std::unique_ptr<parquet::arrow::FileReader> file_;  // Must outlive batches_.
  const std::unique_ptr<arrow::RecordBatchReader> batches_;
  const ColumnChoice choice_;
  const arrow::ScalarVector file_values_;
  const std::string split_name_;
  int64_t rows_left_;
  BatchCutter cutter_;
  bool started_ = false;
};

class ParquetSource final : public Source {
 public:
  ParquetSource(std::vector<InputFile> files, FileColumns file_columns, const ReadOp& read,
                const ReadLimits& limits)
      : files_(std::move(files)),
        footers_(files_),
        file_columns_(std::move(file_columns)),
        columns_(read.columns),
        // Together they do not say which comes first: then neither may spare rows.
        filter_(read.row_limit ? std::nullopt : read.filter),
        rows_max_(read.filter ? INT64_MAX : read.row_limit.value_or(INT64_MAX)),
        counts_all_(!read.filter && !read.row_limit),
        limits_(limits),
        chunks_(limits) {}

  Result<std::vector<Split>> NextSplits(int64_t count_max) override {
    std::vector<Split> splits;
    while (static_cast<int64_t>(splits.size()) < count_max && rows_listed_ < rows_max_) {
      if (pending_.empty()) {
        if (next_file_ == static_cast<int64_t>(files_.size())) break;
        PENSTOCK_RETURN_NOT_OK(ListFile(next_file_++));
        continue;
      }
      any_listed_ = true;
      rows_listed_ += pending_.front().rows;
      splits.push_back(std::move(pending_.front()));
      pending_.pop_front();
    }
    if (splits.empty() && count_max > 0 && !std::exchange(any_listed_, true)) {
      splits.push_back(EmptySplit(0));  // Every row group was skipped; the schema still matters.
    }
    chunks_.Number(splits);
    return splits;
  }

  Result<std::unique_ptr<SplitReader>> Open(const Split& split) override {
    const InputFile& file = files_[static_cast<size_t>(split.item)];
    PENSTOCK_TRY(ColumnChoice choice, Choose());
    PENSTOCK_TRY(auto file_values, file_columns_.ValuesOf(file));
    PENSTOCK_TRY(const FooterPointer footer, footers_.Get(split.item));
    PENSTOCK_TRY(auto reader, OpenParquet(file, footer.get()));
    std::vector<int> row_groups;
    for (int64_t group = split.begin; group < split.end; ++group) {
      row_groups.push_back(static_cast<int>(group));
    }
    reader->set_batch_size(RowsPerBatch(split));
    auto batches = reader->GetRecordBatchReader(row_groups, Leaves(*footer, choice));
    if (!batches.ok()) return ReadFailure(batches.status(), split.name);
    return std::make_unique<RowGroupReader>(std::move(reader), batches.MoveValueUnsafe(),
                                            std::move(choice), std::move(file_values), split.name,
                                            rows_max_, limits_.block_bytes);
  }

  Result<std::shared_ptr<arrow::Schema>> ReadSchema() override {
    PENSTOCK_TRY(const ColumnChoice choice, Choose());
    return choice.output_schema();
  }

  Result<std::optional<int64_t>> CountRows() override {
    if (!counts_all_) return std::nullopt;
    int64_t rows = 0;
    for (int64_t file = 0; file < static_cast<int64_t>(files_.size()); ++file) {
      PENSTOCK_TRY(const FooterPointer footer, footers_.Get(file));
      rows += footer->metadata->num_rows();
    }
    return rows;
  }

  Result<std::vector<std::string>> Files() override {
    std::vector<std::string> paths;
    for (const InputFile& file : files_) paths.push_back(file.path);
    return paths;
  }

 private:
  Result<ColumnChoice> Choose() {
    PENSTOCK_TRY(auto schema, UnifiedSchema());
    auto choice = ColumnChoice::Make(*schema, columns_, file_columns_, files_.front().path);
    if (!choice.status().IsKeyError()) return choice;
    PENSTOCK_TRY(schema, footers_.UnifySchemas(/*columns=*/std::nullopt));  // To name them all.
    return ColumnChoice::Make(*schema, columns_, file_columns_, files_.front().path);
  }

  Result<std::shared_ptr<arrow::Schema>> UnifiedSchema() {
    MutexLock lock(mutex_);
    if (schema_ == nullptr) {
      PENSTOCK_TRY(schema_, footers_.UnifySchemas(columns_));
    }
    return schema_;
  }

  static std::vector<int> Leaves(const ParquetFooter& footer, const ColumnChoice& choice) {
    std::vector<int> leaves;
    for (const std::string& name : choice.read_schema()->field_names()) {
      const int position = footer.schema->GetFieldIndex(name);
      if (position < 0) continue;
      const auto& of_column = footer.leaves[static_cast<size_t>(position)];
      leaves.insert(leaves.end(), of_column.begin(), of_column.end());
    }
    return leaves;
  }

  Status ListFile(int64_t file) {
    PENSTOCK_TRY(const ColumnChoice choice, Choose());
    PENSTOCK_TRY(const FooterPointer footer, footers_.Get(file));
    const std::vector<int> leaves = Leaves(*footer, choice);
    PENSTOCK_TRY(const auto filter, BoundFilter(*footer));
    BEGIN_PARQUET_CATCH_EXCEPTIONS
    for (int group = 0; group < footer->metadata->num_row_groups(); ++group) {
      if (filter) {
        PENSTOCK_TRY(const bool may_match, RowGroupMayMatch(*footer, group, *filter));
        if (!may_match) continue;
      }
      pending_.push_back(
          {.name = fmt::format("{}, row group {}", files_[static_cast<size_t>(file)].path, group),
           .rows = footer->metadata->RowGroup(group)->num_rows(),
           .bytes = RowGroupBytes(*footer, group, leaves),
           .item = file,
           .begin = group,
           .end = group + 1});
    }
    END_PARQUET_CATCH_EXCEPTIONS
    return Status::OK();
  }

  Split EmptySplit(int64_t file) const {
    return {.name = files_[static_cast<size_t>(file)].path, .rows = 0, .bytes = 0, .item = file};
  }

  /// Returns the filter for a file's statistics; none where it does not fit the file's columns, for
  /// the operator that filters the rows to judge.
  Result<std::optional<arrow::compute::Expression>> BoundFilter(const ParquetFooter& footer) const {
    if (!filter_) return std::nullopt;
    PENSTOCK_TRY(const auto expression, ExpressionFromJson(*filter_));
    auto bound = BindExpression(expression, *footer.schema);
    if (!bound.ok()) return std::nullopt;
    return bound.MoveValueUnsafe();
  }

  int64_t RowsPerBatch(const Split& split) const {
    const int64_t bytes_per_row = split.bytes / std::max<int64_t>(split.rows, 1) + 1;
    return std::clamp<int64_t>(limits_.block_bytes / bytes_per_row, 1, kRowsPerBatchMax);
  }

  const std::vector<InputFile> files_;
  ParquetFooters footers_;  // Guards itself.
  const FileColumns file_columns_;
  const std::optional<std::vector<std::string>> columns_;
  const std::optional<nlohmann::json> filter_;
  const int64_t rows_max_;
  const bool counts_all_;
  const ReadLimits limits_;

  ChunkGrouper chunks_;  // This and what follows: NextSplits' alone.
  std::deque<Split> pending_;
  int64_t next_file_ = 0;
  int64_t rows_listed_ = 0;
  bool any_listed_ = false;

  Mutex mutex_;
  std::shared_ptr<arrow::Schema> schema_
      PENSTOCK_GUARDED_BY(mutex_);  // Null until it was asked for.
};

}  // namespace

Result<std::unique_ptr<Source>> MakeParquetSource(const ReadOp& read, const ReadLimits& limits,
                                                  int /*parallelism*/) {
  OptionReader options("reader parquet", read.options);
  PENSTOCK_TRY(auto set, ListFileSet(options, {"parquet"}));
  PENSTOCK_RETURN_NOT_OK(options.RefuseOthers());
  return std::make_unique<ParquetSource>(std::move(set.files), std::move(set.columns), read,
                                         limits);
}

}  // namespace penstock
