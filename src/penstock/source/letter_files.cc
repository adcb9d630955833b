#include "penstock/source/letter_files.h"

#include <arrow/array/array_nested.h>
#include <arrow/type.h>

#include <optional>
#include <utility>

#include "penstock/base/mutex.h"
#include "penstock/source/chunks.h"

namespace penstock {
namespace {

constexpr const char* kRow = "row";              // A struct of the row's columns,
constexpr const char* kSomeColumn = "attempts";  // where it has any; each file has this one.

std::shared_ptr<arrow::Schema> SchemaOfRow(const arrow::Schema& letters) {
  const std::shared_ptr<arrow::Field> row = letters.GetFieldByName(kRow);
  return row == nullptr ? arrow::schema(arrow::FieldVector{})
                        : arrow::schema(row->type()->fields());
}

/// Takes the rows out of letters.
class RowReader final : public SplitReader {
 public:
  explicit RowReader(std::unique_ptr<SplitReader> letters) : letters_(std::move(letters)) {}

  Result<std::shared_ptr<arrow::RecordBatch>> Next() override {
    PENSTOCK_TRY(const auto batch, letters_->Next());
    if (batch == nullptr) return nullptr;
    const auto row = std::static_pointer_cast<arrow::StructArray>(batch->GetColumnByName(kRow));
    PENSTOCK_TRY(arrow::ArrayVector columns,
                 row == nullptr ? arrow::ArrayVector{} : row->Flatten());
    return arrow::RecordBatch::Make(SchemaOfRow(*batch->schema()), batch->num_rows(),
                                    std::move(columns));
  }

 private:
  const std::unique_ptr<SplitReader> letters_;
};

struct LetterSplit {
  Source* file = nullptr;
  Split split;  // As the file's own source has it.
};

class LetterSource final : public Source {
 public:
  LetterSource(std::vector<std::unique_ptr<Source>> files, std::shared_ptr<arrow::Schema> schema,
               const std::vector<std::string>& paths, const ReadLimits& limits)
      : files_(std::move(files)), schema_(std::move(schema)), paths_(paths), chunks_(limits) {}

  Result<std::vector<Split>> NextSplits(int64_t count_max) override {
    std::vector<Split> splits;
    while (splits.empty() && next_file_ < files_.size()) {
      PENSTOCK_TRY(splits, files_[next_file_]->NextSplits(count_max));
      if (splits.empty()) ++next_file_;
    }
    MutexLock lock(mutex_);
    for (Split& split : splits) {
      const auto item = static_cast<int64_t>(splits_.size());
      splits_.push_back({files_[next_file_].get(), split});
      split.item = item;
      split.name.erase(0, paths_[next_file_].rfind('/') + 1);  // It begins with the path.
    }
    chunks_.Number(splits);
    return splits;
  }

  Result<std::unique_ptr<SplitReader>> Open(const Split& split) override {
    LetterSplit letters;
    {
      MutexLock lock(mutex_);
      letters = splits_[static_cast<size_t>(split.item)];
    }
    PENSTOCK_TRY(auto reader, letters.file->Open(letters.split));
    return std::make_unique<RowReader>(std::move(reader));
  }

  Result<std::shared_ptr<arrow::Schema>> ReadSchema() override { return schema_; }

  Result<std::optional<int64_t>> CountRows() override {
    std::optional<int64_t> rows = 0;
    for (const std::unique_ptr<Source>& file : files_) {
      PENSTOCK_TRY(const std::optional<int64_t> more, file->CountRows());
      if (!more) return std::nullopt;
      *rows += *more;
    }
    return rows;
  }

  Result<std::vector<std::string>> Files() override { return paths_; }

 private:
  const std::vector<std::unique_ptr<Source>> files_;
  const std::shared_ptr<arrow::Schema> schema_;  // Of the first file's rows.
  const std::vector<std::string> paths_;
  ChunkGrouper chunks_;   // Of NextSplits alone,
  size_t next_file_ = 0;  // as this is.

  Mutex mutex_;
  std::vector<LetterSplit> splits_ PENSTOCK_GUARDED_BY(mutex_);  // By Split::item.
};

ReadOp ReadOf(const std::string& path) {
  return {.kind = "parquet", .options = {{"paths", {path}}}};
}

}  // namespace

Result<std::unique_ptr<Source>> MakeLetterSource(const std::vector<std::string>& paths,
                                                 const ReadLimits& limits, int parallelism) {
  std::vector<std::unique_ptr<Source>> files;
  std::shared_ptr<arrow::Schema> first;
  for (const std::string& path : paths) {
    ReadOp read = ReadOf(path);
    PENSTOCK_TRY(const auto whole, MakeSource(read, limits, parallelism));
    PENSTOCK_TRY(const std::shared_ptr<arrow::Schema> letters, whole->ReadSchema());
    read.columns = {letters->GetFieldByName(kRow) == nullptr ? kSomeColumn : kRow};
    PENSTOCK_TRY(files.emplace_back(), MakeSource(read, limits, parallelism));
    if (first == nullptr) first = SchemaOfRow(*letters);
  }
  return std::make_unique<LetterSource>(std::move(files), std::move(first), paths, limits);
}

}  // namespace penstock
