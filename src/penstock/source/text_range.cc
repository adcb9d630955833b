#include "penstock/source/text_range.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

namespace penstock {
namespace {

constexpr int64_t kLookBytes = int64_t{64} << 10;

class FreeCutter final : public TextCutter {
 public:
  Result<int64_t> EndOf(int64_t /*begin*/, int64_t wanted) override { return wanted; }
  bool scans() const override { return false; }
};

}  // namespace

std::unique_ptr<TextCutter> CutAnywhere() { return std::make_unique<FreeCutter>(); }

Result<int64_t> FirstRowAt(arrow::io::RandomAccessFile& file, int64_t position, int64_t stop) {
  if (position == 0) return 0;
  char before = 0;
  for (int64_t offset = position - 1; offset < stop; offset += kLookBytes) {
    PENSTOCK_TRY(const auto read, file.ReadAt(offset, std::min(kLookBytes, stop - offset)));
    int64_t at = offset;
    for (const char letter : std::string_view(*read)) {
      const bool begins = before == '\n' || (before == '\r' && letter != '\n');
      if (begins && at >= position) return at;
      before = letter;
      ++at;
    }
    if (read->size() < std::min(kLookBytes, stop - offset)) return at;
  }
  return stop;
}

Result<RangeStream> OpenRange(const std::shared_ptr<arrow::io::RandomAccessFile>& file,
                              const TextRange& range, int64_t floor) {
  PENSTOCK_TRY(const int64_t size, file->GetSize());
  PENSTOCK_TRY(int64_t begin, FirstRowAt(*file, range.begin, std::min(range.end, size)));
  int64_t end = begin;
  if (begin < range.end) {
    PENSTOCK_TRY(end, FirstRowAt(*file, std::min(range.end, size), size));
  }
  begin = std::clamp(floor, begin, end);
  PENSTOCK_TRY(auto stream, arrow::io::RandomAccessFile::GetStream(file, begin, end - begin));
  return RangeStream{.stream = std::move(stream), .begin = range.begin == 0 ? 0 : begin};
}

std::string TextPlace::AtRow(int64_t row) const {
  if (first_byte_ == 0) return fmt::format("{}, data row {}", path_, row);
  return fmt::format("{}, at byte {}, data row {} of this piece", path_, first_byte_, row);
}

std::string TextPlace::FromRow(int64_t row) const {
  if (first_byte_ == 0) return fmt::format("{}, from data row {} on", path_, row);
  return fmt::format("{}, at byte {}, from data row {} of this piece on", path_, first_byte_, row);
}

}  // namespace penstock
