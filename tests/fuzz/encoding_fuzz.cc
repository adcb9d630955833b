#include <arrow/buffer.h>
#include <arrow/io/memory.h>

#include <array>
#include <string>

#include "fuzzing.h"
#include "penstock/source/text_encoding.h"
#include "penstock/source/utf8.h"

/// Text of other encodings as UTF-8. The first byte chooses the encoding.
namespace penstock {
namespace {

constexpr std::array kEncodings = {"utf-16",    "utf-16le", "utf-32", "latin-1",
                                   "shift-jis", "gb18030",  "utf-7",  "iso-2022-jp"};

Result<std::string> ReadAs(std::string_view text, const std::string& encoding,
                           int64_t piece_bytes) {
  PENSTOCK_TRY(const auto stream,
               AsUtf8(arrow::io::BufferReader::FromString(std::string(text)), encoding));
  std::string all;
  while (true) {
    PENSTOCK_TRY(const auto piece, stream->Read(piece_bytes));
    if (piece->size() == 0) return all;
    all += std::string_view(*piece);
    PENSTOCK_TRY(const int64_t told, stream->Tell());
    Require(told == std::ssize(all), "the stream tells how far it is");
  }
}

}  // namespace
}  // namespace penstock

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace penstock;
  InputBytes input(data, size);
  const std::string encoding = kEncodings[input.Byte() % kEncodings.size()];
  const auto whole = ReadAs(input.Rest(), encoding, 1 << 20);
  const auto pieces = ReadAs(input.Rest(), encoding, 16);
  Require(whole.ok() == pieces.ok(), "a text is refused or not, however it is read");
  if (!whole.ok()) return 0;
  Require(*whole == *pieces, "a text is converted alike, however it is read");
  Require(IsUtf8(*whole), "what was converted is UTF-8");
  return 0;
}
