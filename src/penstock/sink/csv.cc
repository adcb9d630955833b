#include <arrow/csv/options.h>
#include <arrow/csv/writer.h>
#include <arrow/extension_type.h>
#include <arrow/ipc/writer.h>
#include <arrow/type.h>
#include <arrow/type_traits.h>

#include <algorithm>
#include <utility>

#include "penstock/sink/plain_columns.h"
#include "penstock/sink/registry.h"

/// Options of the writer csv, beside those of file_sink.h:
///   compression  see ReadStreamCompression
///   header       whether the first line holds the columns' names; true
///   delimiter    one character; ","
///   null_text    how a null is written, without quotes; ""
///   line_end     "\n"
///   quoting      "needed" (text and binary always, all else never), "all_valid" (all but nulls) or
///                "none" (a value that would need quotes is an error); "needed"
///   batch_rows   rows that are turned into text at a time; 1024
namespace penstock {
namespace {

/// What Arrow's CSV writer knows; dictionaries go as their values, half floats as floats.
Result<std::shared_ptr<arrow::DataType>> CsvType(const arrow::DataType& type) {
  switch (type.id()) {
    case arrow::Type::DICTIONARY:
      return CsvType(*static_cast<const arrow::DictionaryType&>(type).value_type());
    case arrow::Type::HALF_FLOAT:
      return arrow::float32();
    case arrow::Type::STRING_VIEW:
      return arrow::large_utf8();
    case arrow::Type::BINARY_VIEW:
    case arrow::Type::FIXED_SIZE_BINARY:
      return arrow::large_binary();
    case arrow::Type::INTERVAL_MONTHS:
    case arrow::Type::INTERVAL_DAY_TIME:
    case arrow::Type::INTERVAL_MONTH_DAY_NANO:
      return Status::Invalid("CSV has no form for the type; cast the column; got: ",
                             type.ToString());
    case arrow::Type::EXTENSION:
      if (!arrow::is_nested(static_cast<const arrow::ExtensionType&>(type).storage_type()->id())) {
        return CsvType(*static_cast<const arrow::ExtensionType&>(type).storage_type());
      }
      break;
    default:
      if (!arrow::is_nested(type.id()) && !arrow::is_union(type.id()) &&
          type.id() != arrow::Type::RUN_END_ENCODED) {
        return type.GetSharedPtr();
      }
  }
  return Status::Invalid(
      "CSV holds no lists, structs or tensors; take such columns apart or drop them, or write "
      "Parquet or JSON; got: ",
      type.ToString());
}

class CsvFile final : public FileWriter {
 public:
  CsvFile(std::shared_ptr<arrow::Schema> schema,
          std::shared_ptr<arrow::ipc::RecordBatchWriter> writer)
      : schema_(std::move(schema)), writer_(std::move(writer)) {}

  Status Write(const std::shared_ptr<arrow::RecordBatch>& batch) override {
    PENSTOCK_TRY(const auto plain, CastColumns(batch, schema_));
    return writer_->WriteRecordBatch(*plain);
  }

  Result<std::string> Finish() override {
    PENSTOCK_RETURN_NOT_OK(writer_->Close());
    return "";
  }

 private:
  const std::shared_ptr<arrow::Schema> schema_;  // Shared as all of Arrow's schemas are.
  const std::shared_ptr<arrow::ipc::RecordBatchWriter> writer_;  // Shared as Arrow makes it.
};

class CsvFormat final : public FileFormat {
 public:
  CsvFormat(arrow::Compression::type compression, arrow::csv::WriteOptions options)
      : compression_(compression), options_(std::move(options)) {}

  std::string extension() const override { return ".csv"; }
  arrow::Compression::type stream_compression() const override { return compression_; }

  bool holds_no_columns() const override { return true; }

  Status CheckSchema(const arrow::Schema& schema) const override {
    return ChooseTypes(schema, CsvType).status();
  }

  Result<std::unique_ptr<FileWriter>> Open(std::shared_ptr<arrow::io::OutputStream> stream,
                                           std::shared_ptr<arrow::Schema> schema,
                                           FilePlace place) const override {
    PENSTOCK_TRY(auto plain, ChooseTypes(*schema, CsvType));
    PENSTOCK_TRY(auto writer, arrow::csv::MakeCSVWriter(std::move(stream), plain, options_));
    return std::make_unique<CsvFile>(std::move(plain), std::move(writer));
  }

 private:
  const arrow::Compression::type compression_;
  const arrow::csv::WriteOptions options_;
};

Status ReadQuoting(OptionReader& options, arrow::csv::QuotingStyle* style) {
  PENSTOCK_TRY(const std::string quoting, options.Text("quoting", "needed"));
  if (quoting == "needed") {
    *style = arrow::csv::QuotingStyle::Needed;
  } else if (quoting == "all_valid") {
    *style = arrow::csv::QuotingStyle::AllValid;
  } else if (quoting == "none") {
    *style = arrow::csv::QuotingStyle::None;
  } else {
    return options.Wrong("quoting", "needed, all_valid or none");
  }
  return Status::OK();
}

}  // namespace

Result<std::unique_ptr<FileFormat>> MakeCsvFormat(OptionReader& options) {
  auto csv = arrow::csv::WriteOptions::Defaults();
  PENSTOCK_TRY(const auto compression, ReadStreamCompression(options));
  PENSTOCK_TRY(csv.include_header, options.Bool("header", true));
  PENSTOCK_TRY(const std::string delimiter, options.Text("delimiter", ","));
  if (delimiter.size() != 1) return options.Wrong("delimiter", "one character");
  csv.delimiter = delimiter.front();
  PENSTOCK_TRY(csv.null_string, options.Text("null_text", ""));
  PENSTOCK_TRY(csv.eol, options.Text("line_end", "\n"));
  PENSTOCK_RETURN_NOT_OK(ReadQuoting(options, &csv.quoting_style));
  if (csv.quoting_style == arrow::csv::QuotingStyle::None) {
    csv.quoting_header = arrow::csv::QuotingStyle::None;
  }
  PENSTOCK_TRY(const int64_t rows, options.Integer("batch_rows", csv.batch_size, 1));
  csv.batch_size = static_cast<int32_t>(std::min<int64_t>(rows, 1 << 20));
  PENSTOCK_RETURN_NOT_OK(csv.Validate());
  return std::make_unique<CsvFormat>(compression, std::move(csv));
}

}  // namespace penstock
