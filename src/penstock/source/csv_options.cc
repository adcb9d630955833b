#include "penstock/source/csv_options.h"

#include <arrow/util/value_parsing.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "penstock/source/text_encoding.h"
#include "penstock/source/type_names.h"

namespace penstock {
namespace {

constexpr const char* kIso8601 = "ISO8601";

Result<std::optional<char>> ReadCharacter(OptionReader& options, const std::string& name,
                                          const std::string& otherwise) {
  PENSTOCK_TRY(const std::string text, options.Text(name, otherwise));
  if (text.size() > 1) return options.Wrong(name, "one character");
  return text.empty() ? std::nullopt : std::optional(text.front());
}

Result<char> ReadNeededCharacter(OptionReader& options, const std::string& name,
                                 const std::string& otherwise) {
  PENSTOCK_TRY(const auto character, ReadCharacter(options, name, otherwise));
  if (!character) return options.Wrong(name, "one character");
  return *character;
}

/// Adds the option's texts to `known`; says whether it was given.
Result<bool> AddTexts(OptionReader& options, const std::string& name,
                      std::vector<std::string>& known) {
  PENSTOCK_TRY(const auto given, options.Texts(name));
  if (given) known.insert(known.end(), given->begin(), given->end());
  return given.has_value();
}

Status ReadParseOptions(OptionReader& options, arrow::csv::ParseOptions& parse) {
  PENSTOCK_TRY(parse.delimiter, ReadNeededCharacter(options, "delimiter", ","));
  PENSTOCK_TRY(const auto quote, ReadCharacter(options, "quote", "\""));
  PENSTOCK_TRY(const auto escape, ReadCharacter(options, "escape", ""));
  parse.quoting = quote.has_value();
  parse.quote_char = quote.value_or('"');
  parse.escaping = escape.has_value();
  parse.escape_char = escape.value_or('\\');
  PENSTOCK_TRY(parse.double_quote, options.Bool("double_quote", true));
  PENSTOCK_TRY(parse.newlines_in_values, options.Bool("newlines_in_values", true));
  return Status::OK();
}

Status ReadConvertOptions(OptionReader& options, arrow::csv::ConvertOptions& convert) {
  PENSTOCK_TRY(convert.column_types, ReadColumnTypes(options));
  PENSTOCK_TRY(const bool more_nulls, AddTexts(options, "null_values", convert.null_values));
  PENSTOCK_TRY(convert.strings_can_be_null, options.Bool("strings_can_be_null", more_nulls));
  PENSTOCK_TRY(convert.quoted_strings_can_be_null,
               options.Bool("quoted_strings_can_be_null", true));
  PENSTOCK_RETURN_NOT_OK(AddTexts(options, "true_values", convert.true_values).status());
  PENSTOCK_RETURN_NOT_OK(AddTexts(options, "false_values", convert.false_values).status());
  PENSTOCK_TRY(convert.decimal_point, ReadNeededCharacter(options, "decimal_point", "."));
  std::vector<std::string> formats;
  PENSTOCK_TRY(const bool has_formats, AddTexts(options, "timestamp_formats", formats));
  if (!has_formats) return Status::OK();
  const bool is_placed = std::ranges::find(formats, kIso8601) != formats.end();
  if (!is_placed) formats.insert(formats.begin(), kIso8601);
  for (std::string& format : formats) {
    convert.timestamp_parsers.push_back(
        format == kIso8601 ? arrow::TimestampParser::MakeISO8601()
                           : arrow::TimestampParser::MakeStrptime(std::move(format)));
  }
  return Status::OK();
}

}  // namespace

Result<CsvOptions> ReadCsvOptions(OptionReader& options) {
  CsvOptions read;
  PENSTOCK_RETURN_NOT_OK(ReadParseOptions(options, read.parse));
  PENSTOCK_RETURN_NOT_OK(ReadConvertOptions(options, read.convert));
  PENSTOCK_TRY(auto names, options.Texts("column_names"));
  read.column_names = std::move(names).value_or(std::vector<std::string>{});
  PENSTOCK_TRY(read.header_row, options.Bool("header_row", read.column_names.empty()));
  PENSTOCK_TRY(read.skip_rows, options.Integer("skip_rows", 0, 0));
  PENSTOCK_TRY(read.skip_rows_after_names, options.Integer("skip_rows_after_names", 0, 0));
  PENSTOCK_TRY(read.encoding, ReadEncoding(options));
  return read;
}

}  // namespace penstock
