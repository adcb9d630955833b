#include <arrow/csv/api.h>
#include <arrow/csv/chunker.h>
#include <arrow/io/memory.h>
#include <arrow/table.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "penstock/base/error.h"
#include "penstock/source/input_files.h"
#include "penstock/source/registry.h"
#include "penstock/source/text_rows.h"
#include "penstock/source/text_source.h"
#include "penstock/source/type_names.h"

/// Options of the reader csv besides those of all file readers:
///   delimiter           one character; ","
///   quote               one character, or "" for none; "\""
///   escape              one character, or "" for none; ""
///   header_row          whether the first row names the columns; true without column_names
///   column_names        the columns' names; else f0, f1, .. where there is no header row
///   column_types        {"column": "int64"}, see type_names.h; the others are inferred
///   null_values         texts that stand for null besides Arrow's own set
///   skip_rows           rows to pass over before the header row; 0
///   newlines_in_values  whether quoted values may span lines; true
namespace penstock {
namespace {

struct CsvOptions {
  arrow::csv::ParseOptions parse = arrow::csv::ParseOptions::Defaults();
  arrow::csv::ConvertOptions convert = arrow::csv::ConvertOptions::Defaults();
  std::vector<std::string> column_names;
  bool header_row = true;
  int64_t skip_rows = 0;
};

Result<std::optional<char>> ReadCharacter(OptionReader& options, const std::string& name,
                                          const std::string& otherwise) {
  PENSTOCK_TRY(const std::string text, options.Text(name, otherwise));
  if (text.size() > 1) return options.Wrong(name, "one character");
  return text.empty() ? std::nullopt : std::optional(text.front());
}

Result<CsvOptions> ReadCsvOptions(OptionReader& options) {
  CsvOptions read;
  PENSTOCK_TRY(const auto delimiter, ReadCharacter(options, "delimiter", ","));
  if (!delimiter) return options.Wrong("delimiter", "one character");
  PENSTOCK_TRY(const auto quote, ReadCharacter(options, "quote", "\""));
  PENSTOCK_TRY(const auto escape, ReadCharacter(options, "escape", ""));
  read.parse.delimiter = *delimiter;
  read.parse.quoting = quote.has_value();
  read.parse.quote_char = quote.value_or('"');
  read.parse.escaping = escape.has_value();
  read.parse.escape_char = escape.value_or('\\');
  PENSTOCK_TRY(read.parse.newlines_in_values, options.Bool("newlines_in_values", true));
  PENSTOCK_TRY(auto names, options.Texts("column_names"));
  read.column_names = std::move(names).value_or(std::vector<std::string>{});
  PENSTOCK_TRY(read.header_row, options.Bool("header_row", read.column_names.empty()));
  PENSTOCK_TRY(read.skip_rows, options.Integer("skip_rows", 0, 0));
  PENSTOCK_TRY(read.convert.column_types, ReadColumnTypes(options));
  PENSTOCK_TRY(const auto nulls, options.Texts("null_values"));
  if (nulls) {
    read.convert.null_values.insert(read.convert.null_values.end(), nulls->begin(), nulls->end());
    read.convert.strings_can_be_null = true;
  }
  return read;
}

class CsvParser final : public TextParser {
 public:
  CsvParser(CsvOptions options, std::string path, std::shared_ptr<arrow::io::InputStream> stream,
            ParseTarget target)
      : options_(std::move(options)),
        path_(std::move(path)),
        target_(std::move(target)),
        names_(options_.column_names),
        rows_(std::move(stream), arrow::csv::MakeChunker(options_.parse), target_.piece_bytes) {
    if (target_.all == nullptr) return;
    for (const auto& field : target_.all->fields()) {
      options_.convert.column_types[field->name()] = field->type();
    }
    options_.convert.include_columns = target_.wanted->field_names();
    const bool none_wanted = target_.wanted->num_fields() == 0 && target_.all->num_fields() > 0;
    if (none_wanted) options_.convert.include_columns.push_back(target_.all->field(0)->name());
  }

  Result<std::shared_ptr<arrow::RecordBatch>> Next() override {
    if (!std::exchange(started_, true)) {
      PENSTOCK_RETURN_NOT_OK(ReadHeader());
    }
    while (true) {
      PENSTOCK_TRY(const auto text, ReadText(&TextRows::NextPiece));
      if (text == nullptr) return nullptr;
      if (IsBlank(*text)) continue;
      PENSTOCK_TRY(auto batch, ParseRows(text));
      if (batch->num_rows() > 0) return batch;
    }
  }

  std::shared_ptr<arrow::Schema> header() const override { return header_; }

 private:
  using ReadFunction = Result<std::shared_ptr<arrow::Buffer>> (TextRows::*)();

  Result<std::shared_ptr<arrow::Buffer>> ReadText(ReadFunction read) {
    auto text = (rows_.*read)();
    if (!text.ok()) return ReadFailure(text.status(), FromRow(1));
    return text;
  }

  Status ReadHeader() {
    for (int64_t i = 0; i < options_.skip_rows; ++i) {
      PENSTOCK_RETURN_NOT_OK(ReadText(&TextRows::NextRow).status());
    }
    if (!options_.header_row) return Status::OK();
    std::shared_ptr<arrow::Buffer> row;
    do {
      PENSTOCK_TRY(row, ReadText(&TextRows::NextRow));
      if (row == nullptr) return Status::OK();
    } while (IsBlank(*row));
    if (!names_.empty()) return CheckHeader();
    auto table = ParseText(row, /*names=*/{}, arrow::csv::ConvertOptions::Defaults());
    if (!table.ok()) return ReadFailure(table.status(), fmt::format("{}, header row", path_));
    header_ = (*table)->schema();
    names_ = header_->field_names();
    PENSTOCK_RETURN_NOT_OK(CheckNamesAreText());
    return CheckHeader();
  }

  Status CheckNamesAreText() const {
    const auto bad = std::ranges::find_if_not(names_, IsUtf8);
    if (bad == names_.end()) return Status::OK();
    return MakeError(
        ErrorKind::kCorruptData,
        fmt::format("{}, header row: the name of column {} is not UTF-8 text; save the "
                    "file as UTF-8",
                    path_, bad - names_.begin() + 1));
  }

  Status CheckHeader() const {
    if (target_.all == nullptr) return Status::OK();
    std::vector<std::string> wanted = target_.all->field_names();
    std::vector<std::string> found = names_;
    std::ranges::sort(wanted);
    std::ranges::sort(found);
    if (wanted == found) return Status::OK();
    std::vector<std::string> differing;
    std::ranges::set_symmetric_difference(wanted, found, std::back_inserter(differing));
    return MakeError(
        ErrorKind::kSchemaMismatch,
        fmt::format("{} and {} have different columns; all files that are read together must have "
                    "the same, in any order; only in one of them: {}",
                    path_, target_.schema_origin, fmt::join(differing, ", ")));
  }

  Result<std::shared_ptr<arrow::RecordBatch>> ParseRows(
      const std::shared_ptr<arrow::Buffer>& text) {
    auto table = ParseText(text, names_, options_.convert);
    if (!table.ok()) return Explain(table.status());
    PENSTOCK_RETURN_NOT_OK(CheckTextColumns(*(*table)->schema(), text));
    if (names_.empty()) {
      names_ = (*table)->schema()->field_names();
      PENSTOCK_RETURN_NOT_OK(CheckHeader());
    }
    rows_read_ += (*table)->num_rows();
    return (*table)->CombineChunksToBatch();
  }

  Result<std::shared_ptr<arrow::Table>> ParseText(const std::shared_ptr<arrow::Buffer>& text,
                                                  const std::vector<std::string>& names,
                                                  const arrow::csv::ConvertOptions& convert) const {
    auto read = arrow::csv::ReadOptions::Defaults();
    read.use_threads = false;
    read.block_size = static_cast<int32_t>(text->size()) + 1;
    read.column_names = names;
    read.autogenerate_column_names = names.empty() && !options_.header_row;
    PENSTOCK_TRY(const auto reader,
                 arrow::csv::TableReader::Make(arrow::io::default_io_context(),
                                               std::make_shared<arrow::io::BufferReader>(text),
                                               read, options_.parse, convert));
    return reader->Read();
  }

  /// Arrow infers binary, which nobody asked for, where a column's text is not UTF-8.
  Status CheckTextColumns(const arrow::Schema& found, const std::shared_ptr<arrow::Buffer>& text) {
    if (target_.all != nullptr) return Status::OK();
    if (names_.empty()) names_ = found.field_names();
    auto convert = options_.convert;
    for (const auto& field : found.fields()) {
      if (field->type()->id() == arrow::Type::BINARY) {
        convert.column_types.emplace(field->name(), arrow::utf8());
      }
    }
    if (convert.column_types.size() == options_.convert.column_types.size()) return Status::OK();
    const Status status = ParseText(text, names_, convert).status();
    return status.ok() ? status : Explain(status);
  }

  /// Turns an error about a piece into one about the file: Arrow counts from the piece's start.
  Status Explain(const Status& status) const {
    const std::string& reason = status.message();
    const std::string where = FromRow(NumberAfter(reason, "Row #").value_or(0));
    const auto column = NumberAfter(reason, "CSV column #");
    const bool conversion = reason.find("CSV conversion error") != std::string::npos;
    const bool named = column && *column >= 0 && static_cast<size_t>(*column) < names_.size();
    const std::string name = named ? names_[static_cast<size_t>(*column)] : "?";
    if (conversion && reason.find("UTF8") != std::string::npos) {
      return MakeError(ErrorKind::kCorruptData,
                       fmt::format("{}: the text in column \"{}\" is not UTF-8; save the file as "
                                   "UTF-8, or give the column the type binary in column_types",
                                   where, name));
    }
    if (!conversion || target_.all == nullptr) return ReadFailure(status, where);
    return MakeError(
        ErrorKind::kSchemaMismatch,
        fmt::format("{}: column \"{}\" does not fit the type that the first rows of {} have; name "
                    "a wider type for it in column_types; {}",
                    where, name, target_.schema_origin,
                    reason.substr(reason.find("CSV conversion error"))));
  }

  std::string FromRow(int64_t row_in_piece) const {
    if (row_in_piece > 0) return fmt::format("{}, data row {}", path_, rows_read_ + row_in_piece);
    return fmt::format("{}, from data row {} on", path_, rows_read_ + 1);
  }

  CsvOptions options_;
  const std::string path_;
  const ParseTarget target_;
  std::vector<std::string> names_;
  TextRows rows_;
  std::shared_ptr<arrow::Schema> header_;
  int64_t rows_read_ = 0;
  bool started_ = false;
};

class CsvFormat final : public TextFormat {
 public:
  explicit CsvFormat(CsvOptions options) : options_(std::move(options)) {}

  Result<std::unique_ptr<TextParser>> Open(const InputFile& file,
                                           ParseTarget target) const override {
    PENSTOCK_TRY(auto stream, OpenStream(file));
    return std::make_unique<CsvParser>(options_, file.path, std::move(stream), std::move(target));
  }

 private:
  const CsvOptions options_;
};

}  // namespace

Result<std::unique_ptr<Source>> MakeCsvSource(const ReadOp& read, const ReadLimits& limits,
                                              int /*parallelism*/) {
  OptionReader options("reader csv", read.options);
  PENSTOCK_TRY(const FileOptions file_options, ReadFileOptions(options));
  PENSTOCK_TRY(CsvOptions csv_options, ReadCsvOptions(options));
  PENSTOCK_RETURN_NOT_OK(options.RefuseOthers());
  PENSTOCK_TRY(auto files, ListFiles(file_options, /*folder_extensions=*/{}));
  return MakeTextSource(std::make_unique<CsvFormat>(std::move(csv_options)), std::move(files),
                        file_options.include_paths, read, limits);
}

}  // namespace penstock
