#include "penstock/source/text_source.h"

#include <arrow/scalar.h>
#include <arrow/type.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "penstock/base/mutex.h"
#include "penstock/source/batch_cutter.h"
#include "penstock/source/column_choice.h"
#include "penstock/source/text_columns.h"
#include "penstock/source/text_splits.h"

namespace penstock {
namespace {

constexpr size_t kProbedFilesMax = 16;
constexpr int64_t kProbedBytes = int64_t{1} << 20;
constexpr int64_t kPieceBytesMin = 4096;
constexpr int64_t kPieceBytesMax = int64_t{4} << 20;

/// Text takes less room than the columns that it becomes.
int64_t PieceBytes(const ReadLimits& limits) {
  return std::clamp(limits.block_bytes / 4, kPieceBytesMin, kPieceBytesMax);
}

/// What the files of a source are expected to hold.
struct TextSchema {
  std::shared_ptr<arrow::Schema> all;  // Shared with the parsers.
  std::string origin;
};

class TextReader final : public SplitReader {
 public:
  TextReader(std::unique_ptr<TextParser> parser, ColumnChoice choice,
             arrow::ScalarVector file_values, int64_t rows_max, int64_t block_bytes)
      : parser_(std::move(parser)),
        choice_(std::move(choice)),
        file_values_(std::move(file_values)),
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
      PENSTOCK_TRY(auto batch, choice_.Assemble(*parsed, file_values_));
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
  const arrow::ScalarVector file_values_;
  int64_t rows_left_;
  BatchCutter cutter_;
  bool started_ = false;
};

class TextSource final : public Source {
 public:
  TextSource(std::unique_ptr<TextFormat> format, std::vector<InputFile> files,
             FileColumns file_columns, const ReadOp& read, const ReadLimits& limits)
      : format_(std::move(format)),
        files_(std::move(files)),
        file_columns_(std::move(file_columns)),
        columns_(read.columns),
        rows_max_(read.filter ? INT64_MAX : read.row_limit.value_or(INT64_MAX)),
        limits_(limits),
        splits_(*format_, files_, read.splits, limits) {}

  Result<std::vector<Split>> NextSplits(int64_t count_max) override {
    return splits_.Next(count_max);
  }

  Result<std::unique_ptr<SplitReader>> Open(const Split& split) override {
    const InputFile& file = files_[static_cast<size_t>(split.item)];
    PENSTOCK_TRY(const TextSchema schema, Schema());
    PENSTOCK_TRY(auto choice, Choose(schema));
    PENSTOCK_TRY(auto file_values, file_columns_.ValuesOf(file));
    PENSTOCK_TRY(auto parser, format_->Open(file, RangeOf(split),
                                            {.wanted = choice.read_schema(),
                                             .only_wanted = choice.only_chosen(),
                                             .schema_origin = schema.origin,
                                             .piece_bytes = PieceBytes(limits_)}));
    return std::make_unique<TextReader>(std::move(parser), std::move(choice),
                                        std::move(file_values), rows_max_, limits_.block_bytes);
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
    return ColumnChoice::Make(*schema.all, columns_, file_columns_, schema.origin);
  }

  Result<TextSchema> Schema() {
    MutexLock lock(mutex_);
    if (schema_.all == nullptr) {
      PENSTOCK_TRY(schema_, ProbeFiles());
    }
    return schema_;
  }

  Result<TextSchema> ProbeFiles() const {
    const auto fixed = format_->fixed_schema();
    if (fixed != nullptr) return TextSchema{.all = fixed, .origin = files_.front().path};
    TextSchema found{.all = nullptr, .origin = files_.front().path};
    for (size_t i = 0; i < std::min(files_.size(), kProbedFilesMax); ++i) {
      PENSTOCK_TRY(auto schema, ProbeFile(files_[i]));
      if (schema == nullptr) continue;
      if (found.all == nullptr) {
        found = {.all = schema, .origin = files_[i].path};
        continue;
      }
      if (columns_) schema = OnlyColumnsOf(*schema, *Chosen());
      auto unified = format_->Unify(found.all, schema);
      if (!unified.ok()) {
        return unified.status().WithMessage(
            found.origin, " and ", files_[i].path,
            " cannot be read together; read them apart, convert one, or name the type in ",
            format_->types_option(), ": ", unified.status().message());
      }
      found.all = unified.MoveValueUnsafe();
    }
    if (found.all == nullptr) found.all = arrow::schema(arrow::FieldVector{});
    return found;
  }

  /// Returns the columns asked for, whose types do not matter.
  std::shared_ptr<arrow::Schema> Chosen() const {
    arrow::FieldVector fields;
    for (const std::string& name : *columns_) fields.push_back(arrow::field(name, arrow::null()));
    return arrow::schema(std::move(fields));
  }

  /// Returns nullptr for a file without columns.
  Result<std::shared_ptr<arrow::Schema>> ProbeFile(const InputFile& file) const {
    const int64_t bytes = std::min(PieceBytes(limits_), kProbedBytes);
    PENSTOCK_TRY(const auto parser, format_->Open(file, TextRange{}, {.piece_bytes = bytes}));
    PENSTOCK_TRY(const auto batch, parser->Next());
    return batch == nullptr ? parser->header() : batch->schema();
  }

  const std::unique_ptr<TextFormat> format_;
  const std::vector<InputFile> files_;
  const FileColumns file_columns_;
  const std::optional<std::vector<std::string>> columns_;
  const int64_t rows_max_;
  const ReadLimits limits_;
  TextSplits splits_;  // NextSplits' alone.

  Mutex mutex_;
  TextSchema schema_ PENSTOCK_GUARDED_BY(mutex_);  // Empty until the files were probed.
};

}  // namespace

Result<std::unique_ptr<Source>> MakeTextSource(std::unique_ptr<TextFormat> format,
                                               std::vector<InputFile> files,
                                               FileColumns file_columns, const ReadOp& read,
                                               const ReadLimits& limits) {
  return std::make_unique<TextSource>(std::move(format), std::move(files), std::move(file_columns),
                                      read, limits);
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
