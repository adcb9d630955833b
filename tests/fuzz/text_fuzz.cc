#include <arrow/array.h>

#include "reading.h"

/// Lines of text, and the ranges that text files are cut into. The first byte chooses how.
namespace penstock {
namespace {

std::vector<std::string> LinesOf(std::string_view text) {
  std::vector<std::string> lines;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find_first_of("\r\n", at), text.size());
    lines.emplace_back(text.substr(at, end - at));
    at = end + (text.substr(end).starts_with("\r\n") ? 2 : 1);
  }
  return lines;
}

std::vector<std::string> LinesOf(const arrow::Table& table) {
  std::vector<std::string> lines;
  for (const auto& chunk : table.column(0)->chunks()) {
    const auto& texts = static_cast<const arrow::StringArray&>(*chunk);
    for (int64_t i = 0; i < texts.length(); ++i) lines.push_back(texts.GetString(i));
  }
  return lines;
}

}  // namespace
}  // namespace penstock

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace penstock;
  static ScratchFile file("a.txt");
  InputBytes input(data, size);
  const int64_t split_bytes = 1 + input.Byte() % 64;
  const std::string path = file.Hold(input.Rest());
  const nlohmann::json options = {{"drop_empty_lines", false}};
  const auto whole = ReadTable("text", path, options, {});
  const auto cut = ReadTable("text", path, options, {.split_bytes = split_bytes});
  const auto pieces = ReadTable("text", path, options, {.block_bytes = 64, .split_bytes = 1 << 20});
  Require(whole.ok() == cut.ok() && whole.ok() == pieces.ok(),
          "a text is refused or not, however it is cut");
  if (!whole.ok()) return 0;
  const auto wanted = LinesOf(input.Rest());
  Require(LinesOf(**whole) == wanted, "each line is a row");
  Require(LinesOf(**cut) == wanted, "each line is a row of one range");
  Require(LinesOf(**pieces) == wanted, "each line is a row of one piece");
  return 0;
}
