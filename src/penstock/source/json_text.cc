#include "penstock/source/json_text.h"

#include <algorithm>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "penstock/source/utf8.h"

namespace penstock {
namespace {

constexpr std::string_view kBlanks = " \t\r\n";
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
constexpr std::string_view kNull = "null";

/// Counts brackets that open, those in strings among them.
int64_t CountOpenings(std::string_view text) {
  // With this bit set, '[' and '{' are '{', and nothing else is.
  constexpr unsigned kDifference = '[' ^ '{';
  constexpr size_t kStride = 64;
  int64_t count = 0;
  size_t i = 0;
  for (; i + kStride <= text.size(); i += kStride) {
    uint8_t in_stride = 0;
    for (size_t j = 0; j < kStride; ++j) {
      const auto letter = static_cast<unsigned char>(text[i + j]);
      in_stride = static_cast<uint8_t>(in_stride + ((letter | kDifference) == '{' ? 1 : 0));
    }
    count += in_stride;
  }
  for (; i < text.size(); ++i) count += (text[i] | kDifference) == '{' ? 1 : 0;
  return count;
}

/// Returns the position in [begin, end) where the depth first exceeds the limit.
std::optional<size_t> FindTooDeep(std::string_view text, size_t begin, size_t end) {
  int64_t depth = 0;
  bool in_string = false;
  for (size_t i = begin; i < end; ++i) {
    const char letter = text[i];
    if (in_string) {
      if (letter == '\\') ++i;
      in_string = letter != '"';
    } else if (letter == '"') {
      in_string = true;
    } else if (letter == '{' || letter == '[') {
      if (++depth > kJsonDepthMax) return i;
    } else if (letter == '}' || letter == ']') {
      --depth;
    }
  }
  return std::nullopt;
}

/// Says whether a line can only be the first of a row: the one before closes something and this
/// one opens an object with no comma between, which a parser takes between rows alone.
bool BeginsRow(std::string_view before, std::string_view line) {
  return before.back() == '}' && line.front() == '{';
}

std::string_view Trimmed(std::string_view line) {
  const size_t begin = line.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return line.substr(begin, line.find_last_not_of(kBlanks) + 1 - begin);
}

int64_t RowAt(const arrow::Buffer& text, size_t position) {
  const std::vector<JsonRow> rows = JsonRowsOf(text);
  const auto after = std::ranges::upper_bound(rows, static_cast<int64_t>(position), std::less<>{},
                                              &JsonRow::begin);
  return std::max<int64_t>(after - rows.begin() - 1, 0);
}

}  // namespace

std::vector<JsonRow> JsonRowsOf(const arrow::Buffer& text) {
  const std::string_view view(text);
  std::vector<JsonRow> rows;
  for (size_t begin = 0; begin < view.size();) {
    const size_t end = std::min(view.find_first_of("\r\n", begin), view.size());
    if (!Trimmed(view.substr(begin, end - begin)).empty()) {
      rows.push_back({static_cast<int64_t>(begin), static_cast<int64_t>(end)});
    }
    begin = end + 1;
  }
  return rows;
}

std::optional<int64_t> FindRowThatIsNotUtf8(const arrow::Buffer& text) {
  const std::string_view view(text);
  if (IsUtf8(view)) return std::nullopt;
  const std::vector<JsonRow> rows = JsonRowsOf(text);
  const auto bad = std::ranges::find_if(rows, [&view](const JsonRow& row) {
    return !IsUtf8(
        view.substr(static_cast<size_t>(row.begin), static_cast<size_t>(row.end - row.begin)));
  });
  return bad - rows.begin();
}

std::optional<int64_t> FindRowNestedTooDeep(const arrow::Buffer& text) {
  // Rows with few brackets need no closer look: hardly any row has more than the limit.
  const std::string_view view(text);
  int64_t openings = 0;
  size_t row = 0;  // Where it begins; it may have several lines.
  std::string_view before;
  for (size_t begin = 0; begin < view.size();) {
    const size_t end = std::min(view.find('\n', begin), view.size());
    const std::string_view line = Trimmed(view.substr(begin, end - begin));
    if (!line.empty() && !before.empty() && BeginsRow(before, line)) {
      if (openings > kJsonDepthMax) {
        if (const auto deep = FindTooDeep(view, row, begin)) return RowAt(text, *deep);
      }
      openings = 0;
      row = begin;
    }
    openings += CountOpenings(line);
    if (!line.empty()) before = line;
    begin = end + 1;
  }
  if (openings <= kJsonDepthMax) return std::nullopt;
  const auto deep = FindTooDeep(view, row, view.size());
  return deep ? std::optional(RowAt(text, *deep)) : std::nullopt;
}

std::shared_ptr<arrow::Buffer> WithoutLeadingNull(const std::shared_ptr<arrow::Buffer>& text) {
  const std::string_view view(*text);
  size_t first = view.starts_with(kByteOrderMark) ? kByteOrderMark.size() : 0;
  first = view.find_first_not_of(kBlanks, first);
  if (first == std::string_view::npos || !view.substr(first).starts_with(kNull)) return text;
  std::string changed(view);
  changed.replace(first, kNull.size(), "{}  ");
  return arrow::Buffer::FromString(std::move(changed));
}

}  // namespace penstock
