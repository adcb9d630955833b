#include "penstock/source/parted_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <optional>
#include <utility>

#include "penstock/base/mutex.h"
#include "penstock/block/unify.h"
#include "penstock/source/batch_cutter.h"
#include "penstock/source/chunks.h"
#include "penstock/source/column_choice.h"

namespace penstock {
namespace {

class PartReader final : public SplitReader {
 public:
  PartReader(std::unique_ptr<PartedFile> file, ColumnChoice choice, arrow::ScalarVector file_values,
             const Split& split, int64_t rows_max, int64_t block_bytes)
      : file_(std::move(file)),
        choice_(std::move(choice)),
        file_values_(std::move(file_values)),
        split_(split),
        rows_left_(rows_max),
        cutter_(block_bytes) {}

  Result<std::shared_ptr<arrow::RecordBatch>> Next() override {
    while (true) {
      if (auto slice = cutter_.Next()) {
        yielded_ = true;
        return slice;
      }
      PENSTOCK_TRY(auto batch, NextOfPart());
      if (batch == nullptr) break;
      if (batch->num_rows() > rows_left_) batch = batch->Slice(0, rows_left_);
      rows_left_ -= batch->num_rows();
      if (batch->num_rows() > 0) cutter_.Reset(std::move(batch));
    }
    if (std::exchange(yielded_, true)) return nullptr;
    return arrow::RecordBatch::MakeEmpty(choice_.output_schema());
  }

 private:
  /// Returns the part's next rows as they go out, or nullptr where there is none that is wanted.
  Result<std::shared_ptr<arrow::RecordBatch>> NextOfPart() {
    if (rows_left_ == 0 || split_.begin == split_.end) return nullptr;
    if (part_ == nullptr) {
      auto opened = OpenPart();
      if (!opened.ok()) return ReadFailure(opened.status(), split_.name);
      part_ = opened.MoveValueUnsafe();
    }
    const auto read = part_->Next();
    if (!read.ok()) return ReadFailure(read.status(), split_.name);
    if (*read == nullptr) return nullptr;
    const auto brought = BringToSchema(*read, choice_.read_schema());
    if (!brought.ok()) {
      return brought.status().WithMessage(split_.name, ": ", brought.status().message());
    }
    return choice_.Assemble(**brought, file_values_);
  }

  Result<std::shared_ptr<arrow::RecordBatchReader>> OpenPart() {
    const auto schema = file_->schema();
    std::vector<int> columns;
    for (int i = 0; i < schema->num_fields(); ++i) {
      if (choice_.read_schema()->GetFieldIndex(schema->field(i)->name()) >= 0) columns.push_back(i);
    }
    const int64_t rows = file_->rows(split_.begin);
    if (columns.empty() && rows >= 0) {
      const auto none = arrow::schema(arrow::FieldVector{});
      return arrow::RecordBatchReader::Make(
          {arrow::RecordBatch::Make(none, rows, arrow::ArrayVector{})}, none);
    }
    if (columns.empty() && schema->num_fields() > 0) columns.push_back(0);  // For its rows.
    return file_->Read(split_.begin, columns);
  }

  const std::unique_ptr<PartedFile> file_;  // Must outlive part_.
  const ColumnChoice choice_;
  const arrow::ScalarVector file_values_;
  const Split split_;
  std::shared_ptr<arrow::RecordBatchReader> part_;  // Null until it is opened.
  int64_t rows_left_;
  BatchCutter cutter_;
  bool yielded_ = false;
};

class PartedSource final : public Source {
 public:
  PartedSource(std::unique_ptr<PartedFormat> format, std::vector<InputFile> files,
               FileColumns file_columns, const ReadOp& read, const ReadLimits& limits)
      : format_(std::move(format)),
        files_(std::move(files)),
        file_columns_(std::move(file_columns)),
        columns_(read.columns),
        rows_max_(read.filter ? INT64_MAX : read.row_limit.value_or(INT64_MAX)),
        counts_all_(!read.filter && !read.row_limit),
        limits_(limits),
        chunks_(limits) {}

  Result<std::vector<Split>> NextSplits(int64_t count_max) override {
    std::vector<Split> splits;
    while (static_cast<int64_t>(splits.size()) < count_max && rows_listed_ < rows_max_) {
      if (pending_.empty()) {
        if (next_file_ == files_.size()) break;
        PENSTOCK_RETURN_NOT_OK(ListFile(next_file_++));
        continue;
      }
      rows_listed_ += std::max<int64_t>(pending_.front().rows, 0);
      splits.push_back(std::move(pending_.front()));
      pending_.pop_front();
    }
    chunks_.Number(splits);
    return splits;
  }

  Result<std::unique_ptr<SplitReader>> Open(const Split& split) override {
    const InputFile& file = files_[static_cast<size_t>(split.item)];
    PENSTOCK_TRY(ColumnChoice choice, Choose());
    PENSTOCK_TRY(auto file_values, file_columns_.ValuesOf(file));
    PENSTOCK_TRY(auto opened, OpenParts(file));
    return std::make_unique<PartReader>(std::move(opened), std::move(choice),
                                        std::move(file_values), split, rows_max_,
                                        limits_.block_bytes);
  }

  Result<std::shared_ptr<arrow::Schema>> ReadSchema() override {
    PENSTOCK_TRY(const ColumnChoice choice, Choose());
    return choice.output_schema();
  }

  Result<std::optional<int64_t>> CountRows() override {
    if (!counts_all_) return std::nullopt;
    int64_t rows = 0;
    for (const InputFile& file : files_) {
      PENSTOCK_TRY(const auto opened, OpenParts(file));
      const auto counted = opened->CountRows();
      if (!counted.ok()) return ReadFailure(counted.status(), file.path);
      rows += *counted;
    }
    return rows;
  }

  Result<std::vector<std::string>> Files() override {
    std::vector<std::string> paths;
    for (const InputFile& file : files_) paths.push_back(file.path);
    return paths;
  }

 private:
  Result<std::unique_ptr<PartedFile>> OpenParts(const InputFile& file) const {
    auto opened = format_->Open(file);
    if (!opened.ok()) return OpenFailure(opened.status(), file);
    return opened;
  }

  Result<ColumnChoice> Choose() {
    PENSTOCK_TRY(const auto schema, Schema());
    return ColumnChoice::Make(*schema, columns_, file_columns_, files_.front().path);
  }

  Result<std::shared_ptr<arrow::Schema>> Schema() {
    MutexLock lock(mutex_);
    if (schema_ == nullptr) {
      PENSTOCK_TRY(schema_, UnifyAll());
    }
    return schema_;
  }

  Result<std::shared_ptr<arrow::Schema>> UnifyAll() const {
    std::shared_ptr<arrow::Schema> schema;
    for (const InputFile& file : files_) {
      PENSTOCK_TRY(const auto opened, OpenParts(file));
      if (schema == nullptr) schema = opened->schema();
      auto unified = UnifySchemas(schema, opened->schema());
      if (!unified.ok()) {
        return unified.status().WithMessage(
            files_.front().path, " (and those after it) and ", file.path,
            " cannot be read together; read them apart, or convert one: ",
            unified.status().message());
      }
      schema = unified.MoveValueUnsafe();
    }
    return schema;
  }

  Status ListFile(size_t position) {
    const InputFile& file = files_[position];
    PENSTOCK_TRY(const auto opened, OpenParts(file));
    const auto item = static_cast<int64_t>(position);
    for (int64_t part = 0; part < opened->parts(); ++part) {
      pending_.push_back({.name = fmt::format("{}, {} {}", file.path, format_->part_name(), part),
                          .rows = opened->rows(part),
                          .bytes = opened->bytes(part),
                          .item = item,
                          .begin = part,
                          .end = part + 1});
    }
    if (opened->parts() == 0) {
      pending_.push_back({.name = file.path, .rows = 0, .bytes = 0, .item = item});
    }
    return Status::OK();
  }

  const std::unique_ptr<PartedFormat> format_;
  const std::vector<InputFile> files_;
  const FileColumns file_columns_;
  const std::optional<std::vector<std::string>> columns_;
  const int64_t rows_max_;
  const bool counts_all_;
  const ReadLimits limits_;

  ChunkGrouper chunks_;  // This and what follows: NextSplits' alone.
  std::deque<Split> pending_;
  size_t next_file_ = 0;
  int64_t rows_listed_ = 0;

  Mutex mutex_;
  std::shared_ptr<arrow::Schema> schema_ PENSTOCK_GUARDED_BY(mutex_);  // Null until asked for.
};

}  // namespace

Result<std::unique_ptr<Source>> MakePartedSource(std::unique_ptr<PartedFormat> format,
                                                 std::vector<InputFile> files,
                                                 FileColumns file_columns, const ReadOp& read,
                                                 const ReadLimits& limits) {
  return std::make_unique<PartedSource>(std::move(format), std::move(files),
                                        std::move(file_columns), read, limits);
}

}  // namespace penstock
