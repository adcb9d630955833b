#include "penstock/source/whole_files.h"

#include <arrow/type.h>
#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <utility>

#include "penstock/base/mix.h"
#include "penstock/base/mutex.h"
#include "penstock/source/batch_cutter.h"
#include "penstock/source/chunks.h"
#include "penstock/source/column_choice.h"
#include "penstock/source/file_lister.h"
#include "penstock/source/file_runs.h"
#include "penstock/source/file_values.h"

namespace penstock {
namespace {

constexpr int64_t kAll = std::numeric_limits<int64_t>::max();
constexpr int64_t kListedAtOnce = 4096;
constexpr int64_t kSplitsPerSize = 4;  // So many splits of 1 file, then of 2, of 4, ….

class WholeFileReader final : public SplitReader {
 public:
  WholeFileReader(const FileFormat& format, const std::shared_ptr<arrow::Schema>& schema,
                  std::vector<InputFile> files, const FileColumns& columns, ColumnChoice choice,
                  int64_t rows_max, int64_t block_bytes)
      : format_(format),
        files_(std::move(files)),
        choice_(std::move(choice)),
        rows_(format.MakeRows(schema)),
        file_values_(columns),
        rows_left_(rows_max),
        block_bytes_(block_bytes),
        cutter_(block_bytes) {}

  Result<std::shared_ptr<arrow::RecordBatch>> Next() override {
    while (true) {
      if (auto slice = cutter_.Next()) return slice;
      PENSTOCK_RETURN_NOT_OK(ReadBlock());
      if (rows_read_ == 0 && next_ == files_.size()) {
        if (std::exchange(started_, true)) return nullptr;
        return arrow::RecordBatch::MakeEmpty(choice_.output_schema());
      }
      if (rows_read_ == 0) continue;
      PENSTOCK_TRY(auto batch, TakeBlock());
      cutter_.Reset(std::move(batch));
    }
  }

 private:
  Status ReadBlock() {
    int64_t file_bytes = 0;
    rows_read_ = 0;
    while (next_ < files_.size() && rows_read_ < rows_left_) {
      const int64_t before = NeedsBytes() ? rows_->bytes() : 0;
      if (rows_read_ > 0 && before + file_bytes > block_bytes_) return Status::OK();
      PENSTOCK_RETURN_NOT_OK(ReadFile(files_[next_++]));
      file_bytes = (NeedsBytes() ? rows_->bytes() : 0) - before;
    }
    if (rows_read_ >= rows_left_) next_ = files_.size();
    return Status::OK();
  }

  bool NeedsBytes() const {
    return !format_.one_row_per_file() || choice_.read_schema()->num_fields() > 0;
  }

  Status ReadFile(const InputFile& file) {
    int64_t rows = 1;
    if (NeedsBytes()) {
      const int64_t rows_before = rows_->rows();
      PENSTOCK_TRY(const auto bytes, ReadWhole(file, format_.file_bytes_max()));
      const Status added = rows_->Add(file.path, bytes);
      if (!added.ok()) return ReadFailure(added, file.path);
      rows = rows_->rows() - rows_before;
    }
    rows_read_ += rows;
    return choice_.has_file_columns() ? file_values_.Add(file, rows) : Status::OK();
  }

  Result<std::shared_ptr<arrow::RecordBatch>> TakeBlock() {
    auto data = arrow::RecordBatch::Make(arrow::schema(arrow::FieldVector{}), rows_read_,
                                         arrow::ArrayVector{});
    if (NeedsBytes()) {
      PENSTOCK_TRY(data, rows_->Take());
    }
    arrow::ArrayVector of_files;
    if (choice_.has_file_columns()) {
      PENSTOCK_TRY(of_files, file_values_.Take());
    }
    PENSTOCK_TRY(auto batch, choice_.Assemble(*data, of_files));
    if (batch->num_rows() > rows_left_) batch = batch->Slice(0, rows_left_);
    rows_left_ -= batch->num_rows();
    started_ = true;
    return batch;
  }

  const FileFormat& format_;  // The source's, which outlives its readers.
  const std::vector<InputFile> files_;
  const ColumnChoice choice_;
  const std::unique_ptr<FileRows> rows_;
  FileValues file_values_;
  int64_t rows_left_;
  const int64_t block_bytes_;
  BatchCutter cutter_;
  int64_t rows_read_ = 0;  // Since the last block.
  size_t next_ = 0;
  bool started_ = false;
};

class WholeFileSource final : public Source {
 public:
  WholeFileSource(std::unique_ptr<FileFormat> format, WholeFileOptions options, const ReadOp& read,
                  const ReadLimits& limits)
      : format_(std::move(format)),
        options_(std::move(options)),
        columns_(read.columns),
        splits_wished_(read.splits),
        rows_max_(read.filter ? kAll : read.row_limit.value_or(kAll)),
        counts_all_(!read.filter && !read.row_limit),
        limits_(limits),
        lister_(MakeLister(FileSizes::kWanted)),
        chunks_(limits) {}

  Result<std::vector<Split>> NextSplits(int64_t count_max) override {
    std::vector<Split> splits;
    while (static_cast<int64_t>(splits.size()) < count_max) {
      if (format_->one_row_per_file() && files_listed_ >= rows_max_) break;
      PENSTOCK_TRY(const auto files, NextFiles());
      if (files.empty()) break;
      files_listed_ += static_cast<int64_t>(files.size());
      ++splits_listed_;
      splits.push_back(MakeSplit(files));
    }
    chunks_.Number(splits);
    return splits;
  }

  Result<std::unique_ptr<SplitReader>> Open(const Split& split) override {
    PENSTOCK_TRY(const auto schema, Schema());
    PENSTOCK_TRY(const FileColumns columns, OwnColumns());
    PENSTOCK_TRY(auto choice, Choose(*schema, columns));
    std::vector<InputFile> files;
    {
      MutexLock lock(mutex_);
      files = groups_[static_cast<size_t>(split.item)].Files();
    }
    return std::make_unique<WholeFileReader>(*format_, schema, std::move(files), columns,
                                             std::move(choice), rows_max_, limits_.block_bytes);
  }

  Result<std::shared_ptr<arrow::Schema>> ReadSchema() override {
    PENSTOCK_TRY(const auto schema, Schema());
    PENSTOCK_TRY(const FileColumns columns, OwnColumns());
    PENSTOCK_TRY(const auto choice, Choose(*schema, columns));
    return choice.output_schema();
  }

  Result<std::optional<int64_t>> CountRows() override {
    if (!counts_all_ || !format_->one_row_per_file()) return std::nullopt;
    FileLister lister = MakeLister(FileSizes::kWhereFree);
    int64_t count = 0;
    while (true) {
      PENSTOCK_TRY(const auto files, lister.Next(kListedAtOnce));
      if (files.empty()) return count;
      count += static_cast<int64_t>(files.size());
    }
  }

  Result<std::vector<std::string>> Files() override {
    std::vector<std::string> paths;
    FileLister lister = MakeLister(FileSizes::kWhereFree);
    PENSTOCK_TRY(auto files, lister.Next(kAll));
    Shuffle(files);
    for (InputFile& file : files) paths.push_back(std::move(file.path));
    return paths;
  }

 private:
  FileLister MakeLister(FileSizes sizes) const {
    return {options_.files, format_->extensions(), sizes};
  }

  Result<ColumnChoice> Choose(const arrow::Schema& schema, const FileColumns& columns) const {
    return ColumnChoice::Make(schema, columns_, columns, options_.files.paths.front());
  }

  /// Returns the files' own columns. The first time all files are listed where their folders tell
  /// some, a few at a time.
  Result<FileColumns> OwnColumns() {
    if (!options_.columns.is_partitioned()) return options_.columns;
    MutexLock lock(schema_mutex_);
    if (own_columns_) return *own_columns_;
    FileColumns columns = options_.columns;
    FileLister lister = MakeLister(FileSizes::kWhereFree);
    while (true) {
      PENSTOCK_TRY(const auto files, lister.Next(kListedAtOnce));
      if (files.empty()) break;
      PENSTOCK_RETURN_NOT_OK(columns.AddPartitionsOf(files));
    }
    own_columns_ = columns;
    return columns;
  }

  Result<std::shared_ptr<arrow::Schema>> Schema() {
    MutexLock lock(schema_mutex_);
    if (schema_ == nullptr) {
      FileLister lister = MakeLister(FileSizes::kWhereFree);
      const auto next = [&lister]() -> Result<std::optional<InputFile>> {
        PENSTOCK_TRY(auto files, lister.Next(1));  // It fails without any file.
        if (files.empty()) return std::nullopt;
        return std::move(files.front());
      };
      PENSTOCK_TRY(schema_, format_->ReadSchema(next));
    }
    return schema_;
  }

  Status ListMore() {
    if (splits_wished_ || options_.shuffle_seed) {
      if (std::exchange(listed_all_, true)) return Status::OK();
      PENSTOCK_TRY(auto files, lister_.Next(kAll));
      Shuffle(files);
      total_ = static_cast<int64_t>(files.size());
      std::ranges::move(files, std::back_inserter(pending_));
      return Status::OK();
    }
    PENSTOCK_TRY(auto files, lister_.Next(format_->files_per_split_max()));
    std::ranges::move(files, std::back_inserter(pending_));
    return Status::OK();
  }

  /// Returns the files of the next split; none at the end.
  Result<std::vector<InputFile>> NextFiles() {
    std::vector<InputFile> files;
    int64_t bytes = 0;
    while (true) {
      if (pending_.empty()) PENSTOCK_RETURN_NOT_OK(ListMore());
      if (pending_.empty()) return files;
      if (static_cast<int64_t>(files.size()) == FilesWanted()) return files;
      const int64_t file_bytes = std::max<int64_t>(format_->RowBytes(pending_.front()), 0);
      if (!splits_wished_ && !files.empty() && bytes + file_bytes > limits_.block_bytes) {
        return files;
      }
      bytes += file_bytes;
      files.push_back(std::move(pending_.front()));
      pending_.pop_front();
    }
  }

  int64_t FilesWanted() const {
    if (!splits_wished_) {
      const int64_t doublings = std::min<int64_t>(splits_listed_ / kSplitsPerSize, 30);
      return std::min(int64_t{1} << doublings, format_->files_per_split_max());
    }
    const int64_t splits = std::min(*splits_wished_, total_);
    return total_ / splits + (splits_listed_ < total_ % splits ? 1 : 0);
  }

  void Shuffle(std::vector<InputFile>& files) const {
    if (!options_.shuffle_seed) return;
    uint64_t state = Mix(static_cast<uint64_t>(*options_.shuffle_seed));
    for (size_t left = files.size(); left > 1; --left) {
      state = Mix(state);
      std::swap(files[left - 1], files[state % left]);
    }
  }

  Split MakeSplit(const std::vector<InputFile>& files) {
    FileRuns group;
    Split split{.bytes = 0};
    for (const InputFile& file : files) {
      group.Add(file);
      const int64_t bytes = format_->RowBytes(file);
      if (bytes < 0) split.bytes = -1;
      if (split.bytes >= 0) split.bytes += bytes;
    }
    split.name = files.front().path;
    if (files.size() > 1) {
      split.name += fmt::format(" to {} ({} files)", files.back().path, files.size());
    }
    if (format_->one_row_per_file()) split.rows = group.count();
    MutexLock lock(mutex_);
    split.item = static_cast<int64_t>(groups_.size());
    groups_.push_back(std::move(group));
    return split;
  }

  const std::unique_ptr<FileFormat> format_;
  const WholeFileOptions options_;
  const std::optional<std::vector<std::string>> columns_;
  const std::optional<int64_t> splits_wished_;
  const int64_t rows_max_;
  const bool counts_all_;
  const ReadLimits limits_;

  FileLister lister_;  // This and what follows: NextSplits' alone.
  ChunkGrouper chunks_;
  std::deque<InputFile> pending_;  // Listed, not yet in a split.
  int64_t splits_listed_ = 0;
  int64_t files_listed_ = 0;
  int64_t total_ = 0;
  bool listed_all_ = false;

  Mutex mutex_;
  std::deque<FileRuns> groups_ PENSTOCK_GUARDED_BY(mutex_);  // The splits' files.

  Mutex schema_mutex_;
  std::shared_ptr<arrow::Schema> schema_ PENSTOCK_GUARDED_BY(schema_mutex_);  // Null: not read yet.
  std::optional<FileColumns> own_columns_ PENSTOCK_GUARDED_BY(schema_mutex_);
};

}  // namespace

Result<WholeFileOptions> ReadWholeFileOptions(OptionReader& options, const ReadOp& read_op) {
  WholeFileOptions read;
  PENSTOCK_TRY(read.files, ReadFileOptions(options, read_op));
  PENSTOCK_TRY(read.columns, FileColumns::Make(options, read.files.include_paths));
  if (!options.Raw("shuffle_seed").is_null()) {
    PENSTOCK_TRY(read.shuffle_seed, options.Integer("shuffle_seed", 0, 0));
  }
  return read;
}

std::unique_ptr<Source> MakeWholeFileSource(std::unique_ptr<FileFormat> format,
                                            WholeFileOptions options, const ReadOp& read,
                                            const ReadLimits& limits) {
  return std::make_unique<WholeFileSource>(std::move(format), std::move(options), read, limits);
}

}  // namespace penstock
