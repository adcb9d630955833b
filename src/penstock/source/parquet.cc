#include <arrow/record_batch.h>
#include <fmt/format.h>
#include <parquet/exception.h>

#include <algorithm>
#include <deque>
#include <utility>

#include "penstock/base/mutex.h"
#include "penstock/plan/expression.h"
#include "penstock/source/batch_cutter.h"
#include "penstock/source/chunks.h"
#include "penstock/source/column_choice.h"
#include "penstock/source/input_files.h"
#include "penstock/source/parquet_footer.h"
#include "penstock/source/registry.h"

/// The reader parquet has only the options of all file readers.
namespace penstock {
namespace {

using FooterPointer = std::shared_ptr<const ParquetFooter>;  // Shared by cache and readers.

constexpr size_t kCachedFootersMax = 32;
constexpr int64_t kRowsPerBatchMax = int64_t{1} << 20;

/// Keeps the footers that were used last, so that many row groups of one file cost one footer.
class FooterCache {
 public:
  Result<FooterPointer> Get(const std::vector<InputFile>& files, int64_t file) {
    {
      MutexLock lock(mutex_);
      const auto found = std::ranges::find(kept_, file, &Entry::first);
      if (found != kept_.end()) return found->second;
    }
    PENSTOCK_TRY(auto footer, ReadParquetFooter(files[static_cast<size_t>(file)]));
    MutexLock lock(mutex_);
    kept_.emplace_back(file, footer);
    if (kept_.size() > kCachedFootersMax) kept_.pop_front();
    return footer;
  }

 private:
  using Entry = std::pair<int64_t, FooterPointer>;
  Mutex mutex_;
  std::deque<Entry> kept_ PENSTOCK_GUARDED_BY(mutex_);
};

class RowGroupReader final : public SplitReader {
 public:
  RowGroupReader(std::unique_ptr<parquet::arrow::FileReader> file,
                 std::unique_ptr<arrow::RecordBatchReader> batches, ColumnChoice choice,
                 std::string path, std::string split_name, int64_t rows_max, int64_t block_bytes)
      : file_(std::move(file)),
        batches_(std::move(batches)),
        choice_(std::move(choice)),
        path_(std::move(path)),
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
      PENSTOCK_TRY(auto batch, choice_.Assemble(*read, path_));
      cutter_.Reset(std::move(batch));
    }
  }

 private:
  const std::unique_ptr<parquet::arrow::FileReader> file_;  // Must outlive batches_.
  const std::unique_ptr<arrow::RecordBatchReader> batches_;
  const ColumnChoice choice_;
  const std::string path_;
  const std::string split_name_;
  int64_t rows_left_;
  BatchCutter cutter_;
  bool started_ = false;
};

class ParquetSource final : public Source {
 public:
  ParquetSource(std::vector<InputFile> files, bool include_paths, const ReadOp& read,
                const ReadLimits& limits)
      : files_(std::move(files)),
        include_paths_(include_paths),
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
    PENSTOCK_TRY(const FooterPointer footer, CheckedFooter(split.item));
    PENSTOCK_TRY(ColumnChoice choice, Choose());
    PENSTOCK_TRY(auto reader, OpenParquet(file, footer.get()));
    std::vector<int> row_groups;
    for (int64_t group = split.begin; group < split.end; ++group) {
      row_groups.push_back(static_cast<int>(group));
    }
    reader->set_batch_size(RowsPerBatch(split));
    auto batches = reader->GetRecordBatchReader(row_groups, Leaves(*footer, choice));
    if (!batches.ok()) return ReadFailure(batches.status(), split.name);
    return std::make_unique<RowGroupReader>(std::move(reader), batches.MoveValueUnsafe(),
                                            std::move(choice), file.path, split.name, rows_max_,
                                            limits_.block_bytes);
  }

  Result<std::shared_ptr<arrow::Schema>> ReadSchema() override {
    PENSTOCK_TRY(const ColumnChoice choice, Choose());
    return choice.output_schema();
  }

  Result<std::optional<int64_t>> CountRows() override {
    if (!counts_all_) return std::nullopt;
    int64_t rows = 0;
    for (int64_t file = 0; file < static_cast<int64_t>(files_.size()); ++file) {
      PENSTOCK_TRY(const FooterPointer footer, CheckedFooter(file));
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
  /// Returns the columns to read, as the first file has them.
  Result<ColumnChoice> Choose() {
    PENSTOCK_TRY(const FooterPointer first, First());
    return ColumnChoice::Make(*first->schema, columns_, include_paths_, files_.front().path);
  }

  Result<FooterPointer> First() {
    MutexLock lock(mutex_);
    if (first_ == nullptr) {
      PENSTOCK_TRY(first_, ReadParquetFooter(files_.front()));
    }
    return first_;
  }

  Result<FooterPointer> CheckedFooter(int64_t file) {
    if (file == 0) return First();
    PENSTOCK_TRY(const FooterPointer footer, footers_.Get(files_, file));
    PENSTOCK_TRY(const ColumnChoice choice, Choose());
    const std::string& first_path = files_.front().path;
    const std::string& path = files_[static_cast<size_t>(file)].path;
    PENSTOCK_RETURN_NOT_OK(CheckColumns(*choice.read_schema(), first_path, *footer->schema, path));
    if (columns_) return footer;
    PENSTOCK_RETURN_NOT_OK(CheckColumns(*footer->schema, path, *choice.read_schema(), first_path));
    return footer;
  }

  static std::vector<int> Leaves(const ParquetFooter& footer, const ColumnChoice& choice) {
    std::vector<int> leaves;
    for (const std::string& name : choice.read_schema()->field_names()) {
      const auto& of_column =
          footer.leaves[static_cast<size_t>(footer.schema->GetFieldIndex(name))];
      leaves.insert(leaves.end(), of_column.begin(), of_column.end());
    }
    return leaves;
  }

  Status ListFile(int64_t file) {
    PENSTOCK_TRY(const FooterPointer footer, CheckedFooter(file));
    PENSTOCK_TRY(const ColumnChoice choice, Choose());
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

  Result<std::optional<arrow::compute::Expression>> BoundFilter(const ParquetFooter& footer) const {
    if (!filter_) return std::nullopt;
    PENSTOCK_TRY(const auto expression, ExpressionFromJson(*filter_));
    PENSTOCK_TRY(auto bound, expression.Bind(*footer.schema));
    return bound;
  }

  int64_t RowsPerBatch(const Split& split) const {
    const int64_t bytes_per_row = split.bytes / std::max<int64_t>(split.rows, 1) + 1;
    return std::clamp<int64_t>(limits_.block_bytes / bytes_per_row, 1, kRowsPerBatchMax);
  }

  const std::vector<InputFile> files_;
  const bool include_paths_;
  const std::optional<std::vector<std::string>> columns_;
  const std::optional<nlohmann::json> filter_;
  const int64_t rows_max_;
  const bool counts_all_;
  const ReadLimits limits_;
  FooterCache footers_;  // Guards itself.

  ChunkGrouper chunks_;  // This and what follows: NextSplits' alone.
  std::deque<Split> pending_;
  int64_t next_file_ = 0;
  int64_t rows_listed_ = 0;
  bool any_listed_ = false;

  Mutex mutex_;
  FooterPointer first_ PENSTOCK_GUARDED_BY(mutex_);  // Kept for ever: every file is checked by it.
};

}  // namespace

Result<std::unique_ptr<Source>> MakeParquetSource(const ReadOp& read, const ReadLimits& limits,
                                                  int /*parallelism*/) {
  OptionReader options("reader parquet", read.options);
  PENSTOCK_TRY(const FileOptions file_options, ReadFileOptions(options));
  PENSTOCK_RETURN_NOT_OK(options.RefuseOthers());
  PENSTOCK_TRY(auto files, ListFiles(file_options, {"parquet"}));
  return std::make_unique<ParquetSource>(std::move(files), file_options.include_paths, read,
                                         limits);
}

}  // namespace penstock
