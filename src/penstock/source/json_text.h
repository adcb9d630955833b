#pragma once

#include <arrow/buffer.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

namespace penstock {

/// How deep objects and arrays may lie in each other, the row's own object counted. Arrow hands
/// types on up to 64 deep, and what reads deeper ones does so by recursion until the stack ends.
inline constexpr int kJsonDepthMax = 60;

/// Where a row lies in a text of one object a line: its bytes [begin, end).
struct JsonRow {
  int64_t begin = 0;
  int64_t end = 0;
};

/// Returns the lines that are not blank.
std::vector<JsonRow> JsonRowsOf(const arrow::Buffer& text);

/// Returns the number, from 0, of the first row that is not UTF-8 or is nested deeper than
/// kJsonDepthMax; nothing where there is none. Fast: a parser does far more work a byte.
std::optional<int64_t> FindRowThatIsNotUtf8(const arrow::Buffer& text);
std::optional<int64_t> FindRowNestedTooDeep(const arrow::Buffer& text);

/// Returns the text with `{}` in place of a `null` that is its first row, of the same length: both
/// are rows of nulls, but of a text that begins with null Arrow's parser crashes.
std::shared_ptr<arrow::Buffer> WithoutLeadingNull(const std::shared_ptr<arrow::Buffer>& text);

}  // namespace penstock
