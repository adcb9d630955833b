#pragma once

#include <arrow/csv/options.h>

#include <cstdint>
#include <string>
#include <vector>

#include "penstock/base/status.h"
#include "penstock/plan/options.h"

namespace penstock {

/// How CSV files are read. The options, besides those of all file readers:
///   delimiter              one character; ","
///   quote                  one character, or "" for none; "\""
///   double_quote           whether two quotes in a quoted value stand for one; true
///   escape                 one character, or "" for none; ""
///   header_row             whether the first row names the columns; true without column_names
///   column_names           the columns' names; else f0, f1, .. where there is no header row
///   column_types           {"column": "int64"}, see type_names.h; the others are inferred
///   null_values            texts that stand for null besides Arrow's own set, in text columns too
///   strings_can_be_null    whether they do in text columns; true with null_values
///   quoted_strings_can_be_null  whether they do in quotes; true
///   true_values, false_values   texts that stand for true and false besides Arrow's own
///   timestamp_formats      strptime formats to try after ISO 8601, or where "ISO8601" stands among
///                          them: there
///   decimal_point          one character; "."
///   skip_rows              rows to pass over before the header row; 0
///   skip_rows_after_names  rows to pass over after it; 0
///   newlines_in_values     whether quoted values may span lines; true
///   encoding               of the text, as iconv names it; "utf-8"
struct CsvOptions {
  arrow::csv::ParseOptions parse = arrow::csv::ParseOptions::Defaults();
  arrow::csv::ConvertOptions convert = arrow::csv::ConvertOptions::Defaults();
  std::vector<std::string> column_names;
  bool header_row = true;
  int64_t skip_rows = 0;
  int64_t skip_rows_after_names = 0;
  std::string encoding;
};

Result<CsvOptions> ReadCsvOptions(OptionReader& options);

}  // namespace penstock
