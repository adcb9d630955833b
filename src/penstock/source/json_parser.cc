#include "penstock/source/json_parser.h"

#include <arrow/json/api.h>
#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "penstock/base/error.h"
#include "penstock/source/json_array.h"
#include "penstock/source/json_text.h"
#include "penstock/source/text_columns.h"
#include "penstock/source/text_rows.h"

namespace penstock {
namespace {

using arrow::json::UnexpectedFieldBehavior;

bool HoldsNumbers(const arrow::DataType& type) {
  return arrow::is_numeric(type.id()) || type.id() == arrow::Type::NA ||
         std::ranges::any_of(type.fields(),
                             [](const auto& field) { return HoldsNumbers(*field->type()); });
}

bool IsNested(const std::shared_ptr<arrow::Field>& field) {
  return field->type()->num_fields() > 0;
}

bool IsUntyped(const std::shared_ptr<arrow::Field>& field) {
  return field->type()->id() == arrow::Type::NA;
}

Result<std::shared_ptr<arrow::RecordBatch>> Parse(const arrow::json::ParseOptions& options,
                                                  const std::shared_ptr<arrow::Buffer>& text) {
  return arrow::json::ParseOne(options, WithoutLeadingNull(text));
}

class JsonParser final : public TextParser {
 public:
  JsonParser(const ColumnTypes& types, bool may_be_array, InputFile file, const TextRange& range,
             ParseTarget target)
      : types_(types),
        may_be_array_(may_be_array),
        file_(std::move(file)),
        range_(range),
        piece_bytes_(target.piece_bytes),
        columns_(std::move(target.wanted), target.only_wanted, std::move(target.schema_origin)),
        place_(file_.path) {
    ExpectColumns();
  }

  Result<std::shared_ptr<arrow::RecordBatch>> Next() override {
    if (!rows_) PENSTOCK_RETURN_NOT_OK(Start());
    while (true) {
      auto text = rows_->NextPiece();
      if (!text.ok()) return ReadFailure(text.status(), AtRow(std::nullopt));
      if (*text == nullptr) return nullptr;
      if (IsBlank(**text)) continue;
      PENSTOCK_RETURN_NOT_OK(CheckText(**text));
      PENSTOCK_TRY(auto batch, ParseRows(*text));
      if (batch->num_rows() > 0) return batch;
    }
  }

 private:
  Status Start() {
    std::shared_ptr<arrow::io::InputStream> stream;
    int64_t row_bytes_max = kRowBytesMax;
    if (range_.whole()) {
      PENSTOCK_TRY(stream, OpenStream(file_));
      PENSTOCK_TRY(row_bytes_max, RowBytesMaxOf(file_));
    } else {
      PENSTOCK_TRY(const auto file, OpenFile(file_));
      auto range = OpenRange(file, range_);
      if (!range.ok()) return ReadFailure(range.status(), file_.path);
      place_ = TextPlace(file_.path, range->begin);
      stream = std::move(range->stream);
    }
    // What is no array passes unchanged, without its byte order mark.
    if (may_be_array_ && range_.begin == 0) stream = ArrayAsLines(std::move(stream));
    rows_.emplace(std::move(stream),
                  std::make_unique<arrow::Chunker>(arrow::MakeNewlineBoundaryFinder()),
                  piece_bytes_, row_bytes_max);
    return Status::OK();
  }

  /// Tells Arrow what types and columns to make: those expected, and what the file has beyond.
  void ExpectColumns() {
    options_ = arrow::json::ParseOptions::Defaults();
    options_.unexpected_field_behavior = UnexpectedFieldBehavior::InferType;
    arrow::FieldVector fields;
    if (columns_.schema() == nullptr) {
      for (const auto& [name, type] : types_) fields.push_back(arrow::field(name, type));
      std::ranges::sort(fields, {}, &arrow::Field::name);
    } else {
      fields = columns_.schema()->fields();
      // Leaving out what was not asked for would leave it out inside of structs too.
      const bool plain =
          std::ranges::none_of(fields, IsNested) && std::ranges::none_of(fields, IsUntyped);
      if (columns_.only_wanted() && plain) {
        options_.unexpected_field_behavior = UnexpectedFieldBehavior::Ignore;
      }
      std::erase_if(fields, IsUntyped);
    }
    SetTypes(options_, std::move(fields));
  }

  void SetTypes(arrow::json::ParseOptions& options, arrow::FieldVector fields) const {
    const bool none =
        fields.empty() && options.unexpected_field_behavior == UnexpectedFieldBehavior::InferType;
    options.explicit_schema = none ? nullptr : arrow::schema(std::move(fields));
  }

  Status CheckText(const arrow::Buffer& text) const {
    if (const auto row = FindRowThatIsNotUtf8(text)) {
      return MakeError(ErrorKind::kCorruptData,
                       fmt::format("{}: the text is not UTF-8, as JSON must be; save the file as "
                                   "UTF-8",
                                   AtRow(row)));
    }
    if (const auto row = FindRowNestedTooDeep(text)) {
      return MakeError(ErrorKind::kCorruptData,
                       fmt::format("{}: objects and arrays lie in each other more than {} deep; "
                                   "flatten them, or hold them as text",
                                   AtRow(row), kJsonDepthMax));
    }
    return Status::OK();
  }

  Result<std::shared_ptr<arrow::RecordBatch>> ParseRows(
      const std::shared_ptr<arrow::Buffer>& text) {
    auto parsed = Parse(options_, text);
    if (!parsed.ok()) {
      PENSTOCK_TRY(parsed, ParseAsItIs(text, parsed.status()));
    }
    rows_read_ += (*parsed)->num_rows();
    const auto before = columns_.schema();
    auto batch = columns_.Fit(*parsed);
    if (!batch.ok()) {
      rows_read_ -= (*parsed)->num_rows();
      return NoFit(batch.status());
    }
    if (columns_.schema() != before) ExpectColumns();
    return batch;
  }

  /// Parses text in which a value is not of the expected type: columns of numbers are inferred, for
  /// Fit to find wider types.
  Result<std::shared_ptr<arrow::RecordBatch>> ParseAsItIs(
      const std::shared_ptr<arrow::Buffer>& text, const Status& refused) const {
    if (columns_.schema() == nullptr || !IsMisfit(refused)) return Explain(text, refused);
    auto options = options_;
    options.unexpected_field_behavior = UnexpectedFieldBehavior::InferType;
    arrow::FieldVector fields = columns_.schema()->fields();
    std::erase_if(fields, [this](const auto& field) {
      return HoldsNumbers(*field->type()) && !types_.contains(field->name());
    });
    SetTypes(options, std::move(fields));
    auto batch = Parse(options, text);
    auto copy = columns_;
    if (!batch.ok() || !copy.Fit(*batch).ok()) return Explain(text, refused);
    return batch;
  }

  static bool IsMisfit(const Status& status) {
    const auto says = [&message = status.message()](const char* part) {
      return message.find(part) != std::string::npos;
    };
    const bool no_object = says("Column() changed from");
    return !no_object && (says("changed from") || says("Failed to convert"));
  }

  Status NoFit(const Status& status) const {
    return status.WithMessage(place_.FromRow(rows_read_ + 1), " and ", columns_.origin(),
                              " cannot be read together: ", status.message());
  }

  /// Turns an error about a piece of text into one about a row of the file.
  Status Explain(const std::shared_ptr<arrow::Buffer>& text, const Status& status) const {
    const auto [row, reason] = FindBadRow(text, status);
    const std::string where = AtRow(row);
    if (!IsMisfit(reason)) return ReadFailure(reason, where);
    if (columns_.schema() == nullptr) {
      return MakeError(ErrorKind::kSchemaMismatch,
                       fmt::format("{}: the objects differ in the types of their fields: {}", where,
                                   reason.message()));
    }
    return MakeError(ErrorKind::kSchemaMismatch,
                     fmt::format("{}: the object does not fit the fields that the first rows of {} "
                                 "have; name its type in column_types: {}",
                                 where, columns_.origin(), reason.message()));
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
      return Parse(options_, part).status();
    };
    while (end - begin > 1) {
      const size_t middle = begin + (end - begin) / 2;
      (parse(begin, middle).ok() ? begin : end) = middle;
    }
    const Status alone = begin < end ? parse(begin, end) : Status::OK();
    if (alone.ok()) return {told, status};
    return {static_cast<int64_t>(begin), alone};
  }

  /// `row_in_piece` counts from 0.
  std::string AtRow(std::optional<int64_t> row_in_piece) const {
    if (row_in_piece) return place_.AtRow(rows_read_ + *row_in_piece + 1);
    return place_.FromRow(rows_read_ + 1);
  }

  const ColumnTypes types_;
  const bool may_be_array_;
  const InputFile file_;
  const TextRange range_;
  const int64_t piece_bytes_;
  TextColumns columns_;
  TextPlace place_;
  arrow::json::ParseOptions options_ = arrow::json::ParseOptions::Defaults();
  std::optional<TextRows> rows_;  // Of the range; none before Start.
  int64_t rows_read_ = 0;
};

}  // namespace

std::unique_ptr<TextParser> MakeJsonParser(const ColumnTypes& types, bool may_be_array,
                                           const InputFile& file, const TextRange& range,
                                           ParseTarget target) {
  return std::make_unique<JsonParser>(types, may_be_array, file, range, std::move(target));
}

}  // namespace penstock
