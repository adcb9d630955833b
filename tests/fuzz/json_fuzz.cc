#include <arrow/buffer.h>
#include <arrow/io/memory.h>
#include <arrow/json/api.h>

#include "penstock/source/json_array.h"
#include "reading.h"

/// JSON lines and arrays. The first byte chooses lines alone or either, and how the file is cut.
namespace penstock {
namespace {

Result<std::shared_ptr<arrow::Table>> ReadByArrow(std::string_view text) {
  auto read = arrow::json::ReadOptions::Defaults();
  read.use_threads = false;
  PENSTOCK_TRY(const auto reader, arrow::json::TableReader::Make(
                                      arrow::default_memory_pool(),
                                      arrow::io::BufferReader::FromString(std::string(text)), read,
                                      arrow::json::ParseOptions::Defaults()));
  return reader->Read();
}

/// An array's lines must not depend on how much of it is read at once.
void CheckArray(std::string_view text) {
  const auto rewrite = [text](int64_t piece_bytes) -> Result<std::string> {
    const auto lines = ArrayAsLines(arrow::io::BufferReader::FromString(std::string(text)));
    std::string all;
    while (true) {
      PENSTOCK_TRY(const auto piece, lines->Read(piece_bytes));
      if (piece->size() == 0) return all;
      all += std::string_view(*piece);
    }
  };
  const auto whole = rewrite(std::ssize(text) + 1);
  const auto pieces = rewrite(3);
  Require(whole.ok() == pieces.ok(), "an array is refused or not, however it is read");
  if (!whole.ok()) return;
  Require(*whole == *pieces, "an array is rewritten alike, however it is read");
  Require(whole->size() == text.size(), "an array's lines are as long as it is");
}

}  // namespace
}  // namespace penstock

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace penstock;
  static ScratchFile file("a.json");
  InputBytes input(data, size);
  const uint8_t choice = input.Byte();
  const nlohmann::json options = {{"lines", (choice & 1) != 0}};
  const std::string_view text = input.Rest();
  const std::string path = file.Hold(text);
  const auto whole = ReadTable("json", path, options, {});
  const int64_t split_bytes = 1 + (choice >> 1) % 64;
  RequireSameRows(whole, ReadTable("json", path, options, {.split_bytes = split_bytes}));
  RequireSameRows(whole,
                  ReadTable("json", path, options, {.block_bytes = 64, .split_bytes = 1 << 20}));
  CheckArray(text);
  // Arrow's own reader crashes where the first row is null.
  if (text.substr(0, text.find('{')).find("null") != std::string_view::npos) return 0;
  const auto arrow = ReadByArrow(text);
  if (whole.ok() && arrow.ok()) {
    Require((*whole)->num_rows() == (*arrow)->num_rows(), "each object is a row");
  }
  return 0;
}
