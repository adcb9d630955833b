#include <arrow/io/memory.h>
#include <arrow/json/api.h>
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "penstock/base/error.h"
#include "penstock/source/input_files.h"
#include "penstock/source/json_array.h"
#include "penstock/source/json_text.h"
#include "penstock/source/registry.h"
#include "penstock/source/text_rows.h"
#include "penstock/source/text_source.h"
#include "penstock/source/type_names.h"

/// Options of the reader json besides those of all file readers:
///   lines         true: each line is an object; else a file may be one array of objects instead
///   column_types  {"column": "int64"}, see type_names.h; the others are inferred
///
/// The text must be UTF-8, and nested at most kJsonDepthMax deep; kCorruptData where it is not.
/// An object that lacks a field has null there. A field that the first rows of the first file do
/// not have is kSchemaMismatch, unless only some columns are asked for.
namespace penstock {
namespace {

std::unique_ptr<arrow::Chunker> LineChunker() {
  return std::make_unique<arrow::Chunker>(arrow::MakeNewlineBoundaryFinder());
}

class JsonParser final : public TextParser {
 public:
  JsonParser(const ColumnTypes& types, std::string path,
             std::shared_ptr<arrow::io::InputStream> stream, ParseTarget target)
      : path_(std::move(path)),
        target_(std::move(target)),
        rows_(std::move(stream), LineChunker(), target_.piece_bytes) {
    using arrow::json::UnexpectedFieldBehavior;
    if (target_.all == nullptr) {
      arrow::FieldVector fields;
      for (const auto& [name, type] : types) fields.push_back(arrow::field(name, type));
      std::ranges::sort(fields, {}, &arrow::Field::name);
      if (!fields.empty()) options_.explicit_schema = arrow::schema(std::move(fields));
      return;
    }
    options_.explicit_schema = target_.wanted;
    options_.unexpected_field_behavior = target_.wanted->num_fields() < target_.all->num_fields()
                                             ? UnexpectedFieldBehavior::Ignore
                                             : UnexpectedFieldBehavior::Error;
  }

  Result<std::shared_ptr<arrow::RecordBatch>> Next() override {
    while (true) {
      auto text = rows_.NextPiece();
      if (!text.ok()) return ReadFailure(text.status(), FromRow(std::nullopt));
      if (*text == nullptr) return nullptr;
      if (IsBlank(**text)) continue;
      PENSTOCK_RETURN_NOT_OK(CheckText(**text));
      auto batch = arrow::json::ParseOne(options_, *text);
      if (!batch.ok()) return Explain(*text, batch.status());
      rows_read_ += (*batch)->num_rows();
      if ((*batch)->num_rows() > 0) return batch;
    }
  }

 private:
  Status CheckText(const arrow::Buffer& text) const {
    if (const auto row = FindRowThatIsNotUtf8(text)) {
      return MakeError(ErrorKind::kCorruptData,
                       fmt::format("{}: the text is not UTF-8, as JSON must be; save the file as "
                                   "UTF-8",
                                   FromRow(row)));
    }
    if (const auto row = FindRowNestedTooDeep(text)) {
      return MakeError(ErrorKind::kCorruptData,
                       fmt::format("{}: objects and arrays lie in each other more than {} deep; "
                                   "flatten them, or hold them as text",
                                   FromRow(row), kJsonDepthMax));
    }
    return Status::OK();
  }

  /// Turns an error about a piece of text into one about a row of the file.
  Status Explain(const std::shared_ptr<arrow::Buffer>& text, const Status& status) const {
    const auto [row, reason] = FindBadRow(text, status);
    const auto says = [&message = reason.message()](const char* part) {
      return message.find(part) != std::string::npos;
    };
    const std::string where = FromRow(row);
    const bool no_object = says("Column() changed from");
    const bool misfit =
        says("unexpected field") || says("changed from") || says("Failed to convert");
    if (no_object || !misfit) return ReadFailure(reason, where);
    if (target_.all == nullptr) {
      return MakeError(ErrorKind::kSchemaMismatch,
                       fmt::format("{}: the objects differ in the types of their fields: {}", where,
                                   reason.message()));
    }
    return MakeError(ErrorKind::kSchemaMismatch,
                     fmt::format("{}: the object does not fit the fields that the first rows of {} "
                                 "have; name its type in column_types: {}",
                                 where, target_.schema_origin, reason.message()));
  }

  struct BadRow {
    std::optional<int64_t> row;  // In the piece.
    Status status;
  };

  /// Finds the row that the error is about. Arrow's parser tells it; its converters do not, but
  /// what they refuse is one value alone.
  BadRow FindBadRow(const std::shared_ptr<arrow::Buffer>& text, const Status& status) const {
    const auto told = NumberAfter(status.message(), "in row ");
    const std::vector<JsonRow> rows = JsonRowsOf(*text);
    auto begin = told ? std::min(static_cast<size_t>(*told), rows.size()) : size_t{0};
    auto end = told ? std::min(begin + 1, rows.size()) : rows.size();
    const auto parse = [&](size_t first, size_t last) {
      const int64_t offset = rows[first].begin;
      const auto part = arrow::SliceBuffer(text, offset, rows[last - 1].end - offset);
      return arrow::json::ParseOne(options_, part).status();
    };
    while (end - begin > 1) {
      const size_t middle = begin + (end - begin) / 2;
      (parse(begin, middle).ok() ? begin : end) = middle;
    }
    const Status alone = begin < end ? parse(begin, end) : Status::OK();
    if (alone.ok()) return {told, status};
    return {static_cast<int64_t>(begin), alone};
  }

  std::string FromRow(std::optional<int64_t> row_in_piece) const {
    if (row_in_piece) {
      return fmt::format("{}, data row {}", path_, rows_read_ + *row_in_piece + 1);
    }
    return fmt::format("{}, from data row {} on", path_, rows_read_ + 1);
  }

  const std::string path_;
  const ParseTarget target_;
  arrow::json::ParseOptions options_ = arrow::json::ParseOptions::Defaults();
  TextRows rows_;
  int64_t rows_read_ = 0;
};

class JsonFormat final : public TextFormat {
 public:
  JsonFormat(bool lines_only, ColumnTypes types)
      : lines_only_(lines_only), types_(std::move(types)) {}

  Result<std::unique_ptr<TextParser>> Open(const InputFile& file,
                                           ParseTarget target) const override {
    PENSTOCK_TRY(auto stream, OpenStream(file));
    if (!lines_only_) stream = ArrayAsLines(std::move(stream));
    return std::make_unique<JsonParser>(types_, file.path, std::move(stream), std::move(target));
  }

 private:
  const bool lines_only_;
  const ColumnTypes types_;
};

}  // namespace

Result<std::unique_ptr<Source>> MakeJsonSource(const ReadOp& read, const ReadLimits& limits,
                                               int /*parallelism*/) {
  OptionReader options("reader json", read.options);
  PENSTOCK_TRY(const FileOptions file_options, ReadFileOptions(options));
  PENSTOCK_TRY(const bool lines_only, options.Bool("lines", false));
  PENSTOCK_TRY(ColumnTypes types, ReadColumnTypes(options));
  PENSTOCK_RETURN_NOT_OK(options.RefuseOthers());
  PENSTOCK_TRY(auto files, ListFiles(file_options, WithCodecs({"json", "jsonl", "ndjson"})));
  return MakeTextSource(std::make_unique<JsonFormat>(lines_only, std::move(types)),
                        std::move(files), file_options.include_paths, read, limits);
}

}  // namespace penstock
