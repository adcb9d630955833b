#include <arrow/type.h>

#include <string_view>
#include <utility>
#include <vector>

#include "penstock/sink/json_cells.h"
#include "penstock/sink/plain_columns.h"
#include "penstock/sink/registry.h"

/// Options of the writer json, beside those of file_sink.h:
///   compression  see ReadStreamCompression
///   lines        whether a file is a row a line, or else one list of rows; true
///   ascii        whether text beyond ASCII is escaped; true
///   dates        "epoch" (a number in date_unit) or "iso" (text); "epoch"
///   date_unit    "s", "ms", "us" or "ns"; "ms"
///
/// json_cells.h says how values look.
namespace penstock {
namespace {

/// Text is handed on in pieces of about this size.
constexpr size_t kPieceBytes = size_t{1} << 20;

struct Column {
  std::string prefix;  // `{"name":` or `,"name":`
  std::string name;
  std::unique_ptr<JsonCells> cells;
};

class JsonFile final : public FileWriter {
 public:
  JsonFile(std::shared_ptr<arrow::io::OutputStream> stream, std::vector<Column> columns, bool lines)
      : stream_(std::move(stream)), columns_(std::move(columns)), lines_(lines) {}

  Status Write(const std::shared_ptr<arrow::RecordBatch>& batch) override {
    for (size_t i = 0; i < columns_.size(); ++i) {
      columns_[i].cells->Bind(*batch->column(static_cast<int>(i)));
    }
    for (int64_t row = 0; row < batch->num_rows(); ++row) {
      if (!lines_) text_ += any_rows_ ? ",\n" : "[\n";
      any_rows_ = true;
      PENSTOCK_RETURN_NOT_OK(AppendRow(row));
      if (lines_) text_ += '\n';
      if (text_.size() >= kPieceBytes) PENSTOCK_RETURN_NOT_OK(HandOn());
    }
    return HandOn();
  }

  Result<std::string> Finish() override {
    if (!lines_) text_ += any_rows_ ? "\n]\n" : "[]\n";
    PENSTOCK_RETURN_NOT_OK(HandOn());
    return "";
  }

 private:
  Status AppendRow(int64_t row) {
    for (const Column& column : columns_) {
      text_ += column.prefix;
      const Status appended = column.cells->Append(row, &text_);
      if (!appended.ok()) {
        return appended.WithMessage("Column '", column.name, "': ", appended.message());
      }
    }
    text_ += '}';
    return Status::OK();
  }

  Status HandOn() {
    PENSTOCK_RETURN_NOT_OK(stream_->Write(std::string_view(text_)));
    text_.clear();
    return Status::OK();
  }

  const std::shared_ptr<arrow::io::OutputStream> stream_;  // Shared with the part's file.
  const std::vector<Column> columns_;
  const bool lines_;
  std::string text_;
  bool any_rows_ = false;
};

class JsonFormat final : public FileFormat {
 public:
  JsonFormat(arrow::Compression::type compression, JsonStyle style, bool lines)
      : compression_(compression), style_(style), lines_(lines) {}

  std::string extension() const override { return ".json"; }
  arrow::Compression::type stream_compression() const override { return compression_; }

  bool holds_no_columns() const override { return true; }

  Status CheckSchema(const arrow::Schema& schema) const override {
    const auto check = [this](const arrow::DataType& type) {
      return MakeJsonCells(type, style_).status().ok()
                 ? Result<std::shared_ptr<arrow::DataType>>(type.GetSharedPtr())
                 : MakeJsonCells(type, style_).status();
    };
    return ChooseTypes(schema, check).status();
  }

  Result<std::unique_ptr<FileWriter>> Open(std::shared_ptr<arrow::io::OutputStream> stream,
                                           std::shared_ptr<arrow::Schema> schema,
                                           FilePlace place) const override {
    std::vector<Column> columns;
    for (const auto& field : schema->fields()) {
      Column column{.prefix = columns.empty() ? "{" : ",", .name = field->name()};
      PENSTOCK_RETURN_NOT_OK(AppendJsonText(field->name(), style_.ascii, &column.prefix));
      column.prefix += ':';
      PENSTOCK_TRY(column.cells, MakeJsonCells(*field->type(), style_));
      columns.push_back(std::move(column));
    }
    return std::make_unique<JsonFile>(std::move(stream), std::move(columns), lines_);
  }

 private:
  const arrow::Compression::type compression_;
  const JsonStyle style_;
  const bool lines_;
};

Result<arrow::TimeUnit::type> ReadUnit(OptionReader& options) {
  PENSTOCK_TRY(const std::string unit, options.Text("date_unit", "ms"));
  if (unit == "s") return arrow::TimeUnit::SECOND;
  if (unit == "ms") return arrow::TimeUnit::MILLI;
  if (unit == "us") return arrow::TimeUnit::MICRO;
  if (unit == "ns") return arrow::TimeUnit::NANO;
  return options.Wrong("date_unit", "s, ms, us or ns");
}

}  // namespace

Result<std::unique_ptr<FileFormat>> MakeJsonFormat(OptionReader& options) {
  JsonStyle style;
  PENSTOCK_TRY(const auto compression, ReadStreamCompression(options));
  PENSTOCK_TRY(const bool lines, options.Bool("lines", true));
  PENSTOCK_TRY(style.ascii, options.Bool("ascii", true));
  PENSTOCK_TRY(const std::string dates, options.Text("dates", "epoch"));
  if (dates != "epoch" && dates != "iso") return options.Wrong("dates", "epoch or iso");
  style.iso_dates = dates == "iso";
  PENSTOCK_TRY(style.unit, ReadUnit(options));
  return std::make_unique<JsonFormat>(compression, style, lines);
}

}  // namespace penstock
