#include <arrow/csv/api.h>
#include <arrow/io/memory.h>

#include "reading.h"

/// CSV. The first byte chooses the options, the second how the file is cut.
namespace penstock {
namespace {

struct Choice {
  bool quotes = true;
  bool escapes = false;
  bool newlines_in_values = true;
  bool header_row = true;
  bool semicolons = false;
};

nlohmann::json OptionsOf(const Choice& choice) {
  return {{"quote", choice.quotes ? "\"" : ""},
          {"escape", choice.escapes ? "\\" : ""},
          {"newlines_in_values", choice.newlines_in_values},
          {"header_row", choice.header_row},
          {"delimiter", choice.semicolons ? ";" : ","}};
}

Result<std::shared_ptr<arrow::Table>> ReadByArrow(std::string_view text, const Choice& choice) {
  auto read = arrow::csv::ReadOptions::Defaults();
  read.use_threads = false;
  read.autogenerate_column_names = !choice.header_row;
  auto parse = arrow::csv::ParseOptions::Defaults();
  parse.quoting = choice.quotes;
  parse.escaping = choice.escapes;
  parse.escape_char = '\\';
  parse.newlines_in_values = choice.newlines_in_values;
  parse.delimiter = choice.semicolons ? ';' : ',';
  PENSTOCK_TRY(const auto reader,
               arrow::csv::TableReader::Make(arrow::io::default_io_context(),
                                             arrow::io::BufferReader::FromString(std::string(text)),
                                             read, parse, arrow::csv::ConvertOptions::Defaults()));
  return reader->Read();
}

}  // namespace
}  // namespace penstock

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace penstock;
  static ScratchFile file("a.csv");
  InputBytes input(data, size);
  const uint8_t bits = input.Byte();
  const Choice choice{.quotes = (bits & 1) == 0,
                      .escapes = (bits & 2) != 0,
                      .newlines_in_values = (bits & 4) == 0,
                      .header_row = (bits & 8) == 0,
                      .semicolons = (bits & 16) != 0};
  const int64_t split_bytes = 1 + input.Byte() % 64;
  // A quoted newline that the options promise not to be there ends a row at some cuts.
  if (!choice.newlines_in_values && input.Rest().find('"') != std::string_view::npos) return 0;
  const std::string path = file.Hold(input.Rest());
  const nlohmann::json options = OptionsOf(choice);
  const auto whole = ReadTable("csv", path, options, {});
  RequireSameRows(whole, ReadTable("csv", path, options, {.split_bytes = split_bytes}));
  RequireSameRows(whole,
                  ReadTable("csv", path, options, {.block_bytes = 64, .split_bytes = 1 << 20}));
  const auto arrow = ReadByArrow(input.Rest(), choice);
  if (whole.ok() && arrow.ok()) {
    Require((*whole)->num_rows() == (*arrow)->num_rows(), "each row of the file is a row");
  }
  return 0;
}
