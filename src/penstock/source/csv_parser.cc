#include "penstock/source/csv_parser.h"

#include <arrow/csv/api.h>
#include <arrow/csv/chunker.h>
#include <arrow/io/memory.h>
#include <arrow/table.h>
#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include "penstock/base/error.h"
#include "penstock/source/text_columns.h"
#include "penstock/source/text_encoding.h"
#include "penstock/source/text_rows.h"
#include "penstock/source/utf8.h"

namespace penstock {
namespace {

constexpr int64_t kHeaderPieceBytes = int64_t{64} << 10;

class CsvParser final : public TextParser {
 public:
  CsvParser(const CsvOptions& options, InputFile file, const TextRange& range, ParseTarget target)
      : options_(options),
        file_(std::move(file)),
        range_(range),
        piece_bytes_(target.piece_bytes),
        columns_(std::move(target.wanted), target.only_wanted, std::move(target.schema_origin)),
        names_(options.column_names),
        place_(file_.path) {}

  Result<std::shared_ptr<arrow::RecordBatch>> Next() override {
    if (!rows_) PENSTOCK_RETURN_NOT_OK(Start());
    while (true) {
      PENSTOCK_TRY(const auto text, Read(*rows_, &TextRows::NextPiece));
      if (text == nullptr) return nullptr;
      if (IsOnlyLineEnds(*text)) continue;
      PENSTOCK_TRY(auto batch, ParseRows(text));
      if (batch->num_rows() > 0) return batch;
    }
  }

  std::shared_ptr<arrow::Schema> header() const override { return header_; }

 private:
  using ReadFunction = Result<std::shared_ptr<arrow::Buffer>> (TextRows::*)();

  Status Start() {
    if (range_.whole()) {
      PENSTOCK_TRY(auto stream, OpenStream(file_));
      PENSTOCK_TRY(stream, AsUtf8(std::move(stream), options_.encoding));
      PENSTOCK_TRY(const int64_t row_bytes_max, RowBytesMaxOf(file_));
      rows_.emplace(std::move(stream), arrow::csv::MakeChunker(options_.parse), piece_bytes_,
                    row_bytes_max);
      PENSTOCK_RETURN_NOT_OK(ReadHeader(*rows_));
    } else {
      PENSTOCK_TRY(const auto file, OpenFile(file_));
      PENSTOCK_TRY(auto front, arrow::io::RandomAccessFile::GetStream(file, 0, file_.bytes));
      TextRows header(std::move(front), arrow::csv::MakeChunker(options_.parse), kHeaderPieceBytes);
      PENSTOCK_RETURN_NOT_OK(ReadHeader(header));
      auto range = OpenRange(file, range_, header.bytes_taken());
      if (!range.ok()) return ReadFailure(range.status(), file_.path);
      place_ = TextPlace(file_.path, range->begin);
      rows_.emplace(std::move(range->stream), arrow::csv::MakeChunker(options_.parse),
                    piece_bytes_);
    }
    ExpectColumns();
    return Status::OK();
  }

  Result<std::shared_ptr<arrow::Buffer>> Read(TextRows& rows, ReadFunction read) {
    auto text = (rows.*read)();
    if (!text.ok()) return ReadFailure(text.status(), AtRow(1));
    if (*text != nullptr && options_.parse.newlines_in_values && HoldsNull(**text)) {
      return MakeError(
          ErrorKind::kCorruptData,
          fmt::format(
              "{}: the text holds a NUL byte, and where rows end around it cannot be told; "
              "name its encoding if it is UTF-16, else say that newlines_in_values is false",
              AtRow(0)));
    }
    return text;
  }

  /// Spaces are a value, where a row has one.
  static bool IsOnlyLineEnds(const arrow::Buffer& text) {
    return std::string_view(text).find_first_not_of("\r\n") == std::string_view::npos;
  }

  /// Arrow's search for the ends of rows that may hold newlines takes NUL for an escape.
  static bool HoldsNull(const arrow::Buffer& text) {
    return std::string_view(text).find('\0') != std::string_view::npos;
  }

  Status Skip(TextRows& rows, int64_t count) {
    for (int64_t i = 0; i < count; ++i) {
      PENSTOCK_TRY(const auto row, Read(rows, &TextRows::NextRow));
      if (row == nullptr) break;
    }
    return Status::OK();
  }

  Status ReadHeader(TextRows& rows) {
    PENSTOCK_RETURN_NOT_OK(Skip(rows, options_.skip_rows));
    if (options_.header_row) {
      std::shared_ptr<arrow::Buffer> row;
      do {
        PENSTOCK_TRY(row, Read(rows, &TextRows::NextRow));
        if (row == nullptr) return Status::OK();
      } while (IsOnlyLineEnds(*row));
      if (names_.empty()) PENSTOCK_RETURN_NOT_OK(TakeNames(row));
    }
    return Skip(rows, options_.skip_rows_after_names);
  }

  Status TakeNames(const std::shared_ptr<arrow::Buffer>& row) {
    auto table = ParseText(row, /*names=*/{}, arrow::csv::ConvertOptions::Defaults());
    if (!table.ok()) return ReadFailure(table.status(), fmt::format("{}, header row", file_.path));
    header_ = (*table)->schema();
    names_ = header_->field_names();
    const auto bad = std::ranges::find_if_not(names_, IsUtf8);
    if (bad != names_.end()) {
      return MakeError(
          ErrorKind::kCorruptData,
          fmt::format("{}, header row: the name of column {} is not UTF-8 text; save the "
                      "file as UTF-8",
                      file_.path, bad - names_.begin() + 1));
    }
    std::set<std::string_view> seen;
    const auto twice = std::ranges::find_if_not(
        names_, [&](const auto& name) { return seen.insert(name).second; });
    if (twice == names_.end()) return Status::OK();
    return Status::Invalid(
        fmt::format("{}, header row: two columns have one name; rename one in the file; got: {}",
                    file_.path, *twice));
  }

  /// Tells Arrow what types and columns to make: those expected, and what the file has beyond.
  void ExpectColumns() {
    convert_ = options_.convert;
    const auto& expected = columns_.schema();
    if (expected == nullptr) return;
    for (const auto& field : expected->fields()) {
      if (field->type()->id() == arrow::Type::NA) continue;
      convert_.column_types.emplace(field->name(), field->type());
    }
    if (!columns_.only_wanted() || names_.empty()) return;
    for (const std::string& name : names_) {
      if (expected->GetFieldIndex(name) >= 0) convert_.include_columns.push_back(name);
    }
    // For the number of rows.
    if (convert_.include_columns.empty()) convert_.include_columns.push_back(names_.front());
  }

  Result<std::shared_ptr<arrow::RecordBatch>> ParseRows(
      const std::shared_ptr<arrow::Buffer>& text) {
    auto table = ParseText(text, names_, convert_);
    if (!table.ok()) {
      PENSTOCK_TRY(table, ParseAsItIs(text, table.status()));
    }
    PENSTOCK_RETURN_NOT_OK(CheckTextColumns(*(*table)->schema(), text));
    if (names_.empty()) {
      names_ = (*table)->schema()->field_names();
      ExpectColumns();
    }
    PENSTOCK_TRY(auto parsed, (*table)->CombineChunksToBatch());
    const auto before = columns_.schema();
    auto batch = columns_.Fit(std::move(parsed));
    if (!batch.ok()) return NoFit(batch.status());
    if (columns_.schema() != before) ExpectColumns();
    rows_read_ += (*table)->num_rows();
    return batch;
  }

  /// Parses text in which values are not of the expected types: those columns are inferred, for Fit
  /// to find wider types.
  Result<std::shared_ptr<arrow::Table>> ParseAsItIs(const std::shared_ptr<arrow::Buffer>& text,
                                                    Status refused) {
    auto convert = convert_;
    while (true) {
      const auto column = ColumnOf(refused);
      const bool asked_for = column && options_.convert.column_types.contains(*column);
      if (!column || asked_for || convert.column_types.erase(*column) == 0) return Explain(refused);
      auto table = ParseText(text, names_, convert);
      if (!table.ok()) {
        refused = table.status();
        continue;
      }
      auto copy = columns_;
      PENSTOCK_TRY(auto batch, (*table)->CombineChunksToBatch());
      if (!copy.Fit(std::move(batch)).ok()) return Explain(refused);
      return table;
    }
  }

  /// Returns the column whose value could not be converted, where the error is about one.
  std::optional<std::string> ColumnOf(const Status& status) const {
    const bool conversion = status.message().find("CSV conversion error") != std::string::npos;
    const auto column = NumberAfter(status.message(), "CSV column #");
    const bool named = column && *column >= 0 && static_cast<size_t>(*column) < names_.size();
    return conversion && named ? std::optional(names_[static_cast<size_t>(*column)]) : std::nullopt;
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
    if (names_.empty()) names_ = found.field_names();
    auto convert = options_.convert;
    for (const auto& field : found.fields()) {
      if (field->type()->id() != arrow::Type::BINARY) continue;
      const auto asked = convert_.column_types.find(field->name());
      const bool wanted =
          asked != convert_.column_types.end() && asked->second->id() == arrow::Type::BINARY;
      if (!wanted) convert.column_types.insert_or_assign(field->name(), arrow::utf8());
    }
    if (convert.column_types.size() == options_.convert.column_types.size()) return Status::OK();
    const Status status = ParseText(text, names_, convert).status();
    return status.ok() ? status : Explain(status);
  }

  Status NoFit(const Status& status) const {
    return status.WithMessage(place_.FromRow(rows_read_ + 1), " and ", columns_.origin(),
                              " cannot be read together: ", status.message());
  }

  /// Turns an error about a piece into one about the file: Arrow counts from the piece's start.
  Status Explain(const Status& status) const {
    const std::string& reason = status.message();
    const std::string where = AtRow(NumberAfter(reason, "Row #").value_or(0));
    const std::string name = ColumnOf(status).value_or("?");
    const bool conversion = reason.find("CSV conversion error") != std::string::npos;
    if (conversion && reason.find("UTF8") != std::string::npos) {
      return MakeError(ErrorKind::kCorruptData,
                       fmt::format("{}: the text in column \"{}\" is not UTF-8; save the file as "
                                   "UTF-8, or give the column the type binary in column_types",
                                   where, name));
    }
    if (!conversion || columns_.schema() == nullptr) return ReadFailure(status, where);
    return MakeError(
        ErrorKind::kSchemaMismatch,
        fmt::format("{}: column \"{}\" does not fit the type that the first rows of {} have; name "
                    "a wider type for it in column_types; {}",
                    where, name, columns_.origin(),
                    reason.substr(reason.find("CSV conversion error"))));
  }

  /// `row_in_piece` counts from 1; 0: not known.
  std::string AtRow(int64_t row_in_piece) const {
    if (row_in_piece > 0) return place_.AtRow(rows_read_ + row_in_piece);
    return place_.FromRow(rows_read_ + 1);
  }

  const CsvOptions options_;
  const InputFile file_;
  const TextRange range_;
  const int64_t piece_bytes_;
  TextColumns columns_;
  std::vector<std::string> names_;
  TextPlace place_;
  arrow::csv::ConvertOptions convert_ = arrow::csv::ConvertOptions::Defaults();
  std::optional<TextRows> rows_;  // Of the range; none before Start.
  std::shared_ptr<arrow::Schema> header_;
  int64_t rows_read_ = 0;
};

}  // namespace

std::unique_ptr<TextParser> MakeCsvParser(const CsvOptions& options, const InputFile& file,
                                          const TextRange& range, ParseTarget target) {
  return std::make_unique<CsvParser>(options, file, range, std::move(target));
}

}  // namespace penstock
