#include "penstock/source/text_source.h"

#include <arrow/type.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "penstock/base/mutex.h"
#include "penstock/source/batch_cutter.h"
#include "penstock/source/chunks.h"
#include "penstock/source/column_choice.h"

namespace penstock {
namespace {

constexpr size_t kProbedFilesMax = 17;
constexpr int64_t kPieceBytesMin = 4096;
constexpr int64_t kPieceBytesMax = int64_t{4} << 20;
constexpr int64_t kCompressionRatio = 4;  // A guess, to group small files into chunks.

/// Text takes less room than the columns that it becomes.
int64_t PieceBytes(const ReadLimits& limits) {
  return std::clamp(limits.block_bytes / 4, kPieceBytesMin, kPieceBytesMax);
}

/// What all files of a source are read as.
struct TextSchema {
  std::shared_ptr<arrow::Schema> all;  // Shared with the parsers.
  std::string origin;
};

bool HasUntyped(const arrow::Schema& schema) {
  return std::ranges::any_of(
      schema.fields(), [](const auto& field) { return field->type()->id() == arrow::Type::NA; });
}

/// Gives the columns of `schema` that have no type yet the type that they have in `other`.
Result<std::shared_ptr<arrow::Schema>> FillTypes(std::shared_ptr<arrow::Schema> schema,
                                                 const arrow::Schema& other) {
  for (int i = 0; i < schema->num_fields(); ++i) {
    const auto& field = schema->field(i);
    const auto found = other.GetFieldByName(field->name());
    if (field->type()->id() != arrow::Type::NA || found == nullptr) continue;
    PENSTOCK_TRY(schema, schema->SetField(i, found));
  }
  return schema;
}

class TextReader final : public SplitReader {
 public:
  TextReader(std::unique_ptr<TextParser> parser, ColumnChoice choice, std::string path,
             int64_t rows_max, int64_t block_bytes)
      : parser_(std::move(parser)),
        choice_(std::move(choice)),
        path_(std::move(path)),
        rows_left_(rows_max),
        cutter_(block_bytes) {}

  Result<std::shared_ptr<arrow::RecordBatch>> Next() override {
    while (true) {
      if (auto slice = cutter_.Next()) return slice;
      std::shared_ptr<arrow::RecordBatch> parsed;
      if (rows_left_ > 0) {
        PENSTOCK_TRY(parsed, parser_->Next());
      }
      if (parsed == nullptr) return EndOfFile();
      started_ = true;
      if (parsed->num_rows() > rows_left_) parsed = parsed->Slice(0, rows_left_);
      rows_left_ -= parsed->num_rows();
      PENSTOCK_TRY(auto batch, choice_.Assemble(*parsed, path_));
      cutter_.Reset(std::move(batch));
    }
  }

 private:
  Result<std::shared_ptr<arrow::RecordBatch>> EndOfFile() {
    if (std::exchange(started_, true)) return nullptr;
    return arrow::RecordBatch::MakeEmpty(choice_.output_schema());
  }

  const std::unique_ptr<TextParser> parser_;
  const ColumnChoice choice_;
  const std::string path_;
  int64_t rows_left_;
  BatchCutter cutter_;
  bool started_ = false;
};

class TextSource final : public Source {
 public:
  TextSource(std::unique_ptr<TextFormat> format, std::vector<InputFile> files, bool include_paths,
             const ReadOp& read, const ReadLimits& limits)
      : format_(std::move(format)),
        files_(std::move(files)),
        include_paths_(include_paths),
        columns_(read.columns),
        rows_max_(read.filter ? INT64_MAX : read.row_limit.value_or(INT64_MAX)),
        limits_(limits),
        chunks_(limits) {}

  Result<std::vector<Split>> NextSplits(int64_t count_max) override {
    std::vector<Split> splits;
    for (; next_ < files_.size() && static_cast<int64_t>(splits.size()) < count_max; ++next_) {
      const InputFile& file = files_[next_];
      splits.push_back({.name = file.path,
                        .bytes = file.bytes < 0 ? -1 : file.bytes * kCompressionRatio,
                        .item = static_cast<int64_t>(next_)});
    }
    chunks_.Number(splits);
    return splits;
  }

  Result<std::unique_ptr<SplitReader>> Open(const Split& split) override {
    const InputFile& file = files_[static_cast<size_t>(split.item)];
    PENSTOCK_TRY(const TextSchema schema, Schema());
    PENSTOCK_TRY(auto choice, Choose(schema));
    PENSTOCK_TRY(auto parser, format_->Open(file, {.all = schema.all,
                                                   .wanted = choice.read_schema(),
                                                   .schema_origin = schema.origin,
                                                   .piece_bytes = PieceBytes(limits_)}));
    return std::make_unique<TextReader>(std::move(parser), std::move(choice), file.path, rows_max_,
                                        limits_.block_bytes);
  }

  Result<std::shared_ptr<arrow::Schema>> ReadSchema() override {
    PENSTOCK_TRY(const TextSchema schema, Schema());
    PENSTOCK_TRY(const auto choice, Choose(schema));
    return choice.output_schema();
  }

  Result<std::optional<int64_t>> CountRows() override { return std::nullopt; }

  Result<std::vector<std::string>> Files() override {
    std::vector<std::string> paths;
    for (const InputFile& file : files_) paths.push_back(file.path);
    return paths;
  }

 private:
  Result<ColumnChoice> Choose(const TextSchema& schema) const {
    return ColumnChoice::Make(*schema.all, columns_, include_paths_, schema.origin);
  }

  Result<TextSchema> Schema() {
    MutexLock lock(mutex_);
    if (schema_.all == nullptr) {
      PENSTOCK_TRY(schema_, ProbeFiles());
    }
    return schema_;
  }

  Result<TextSchema> ProbeFiles() const {
    TextSchema found{.all = arrow::schema(arrow::FieldVector{}), .origin = files_.front().path};
    bool has_columns = false;
    for (size_t i = 0; i < std::min(files_.size(), kProbedFilesMax); ++i) {
      PENSTOCK_TRY(const auto schema, ProbeFile(files_[i]));
      if (schema == nullptr) continue;
      if (!std::exchange(has_columns, true)) {
        found = {.all = schema, .origin = files_[i].path};
      } else {
        PENSTOCK_TRY(found.all, FillTypes(found.all, *schema));
      }
      if (!HasUntyped(*found.all)) break;
    }
    return found;
  }

  /// Returns nullptr for a file without columns.
  Result<std::shared_ptr<arrow::Schema>> ProbeFile(const InputFile& file) const {
    PENSTOCK_TRY(const auto parser, format_->Open(file, {.piece_bytes = PieceBytes(limits_)}));
    PENSTOCK_TRY(const auto batch, parser->Next());
    return batch == nullptr ? parser->header() : batch->schema();
  }

  const std::unique_ptr<TextFormat> format_;
  const std::vector<InputFile> files_;
  const bool include_paths_;
  const std::optional<std::vector<std::string>> columns_;
  const int64_t rows_max_;
  const ReadLimits limits_;
  ChunkGrouper chunks_;
  size_t next_ = 0;

  Mutex mutex_;
  TextSchema schema_ PENSTOCK_GUARDED_BY(mutex_);  // Empty until the files were probed.
};

}  // namespace

std::unique_ptr<Source> MakeTextSource(std::unique_ptr<TextFormat> format,
                                       std::vector<InputFile> files, bool include_paths,
                                       const ReadOp& read, const ReadLimits& limits) {
  return std::make_unique<TextSource>(std::move(format), std::move(files), include_paths, read,
                                      limits);
}

std::optional<int64_t> NumberAfter(const std::string& text, const std::string& label) {
  const size_t at = text.find(label);
  if (at == std::string::npos) return std::nullopt;
  int64_t number = 0;
  const char* first = text.data() + at + label.size();
  const auto [end, error] = std::from_chars(first, text.data() + text.size(), number);
  if (error != std::errc()) return std::nullopt;
  return number;
}

}  // namespace penstock
