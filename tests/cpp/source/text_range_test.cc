#include "penstock/source/text_range.h"

#include <arrow/io/memory.h>
#include <fmt/format.h>

#include <random>

#include "source/source_testing.h"

namespace penstock {
namespace {

using testing::AllSplits;
using testing::Column;
using testing::ExpectTable;
using testing::ReadAll;
using testing::ReadOf;
using testing::ReadSplit;
using testing::TableOf;
using testing::TemporaryFolder;

/// Draws texts of rows: a kind of row each, with all that may stand between them.
class Texts {
 public:
  explicit Texts(uint32_t seed) : random_(seed) {}

  std::string Draw(const std::string& kind) {
    const bool dos = Below(2) == 0;
    std::string text = kind == "csv" ? "id,name\n" : "";
    for (int row = Below(40); row > 0; --row) {
      text += Row(kind) + (dos ? "\r\n" : "\n");
      if (Below(8) == 0) text += dos ? "\r\n" : "\n";
    }
    if (Below(2) == 0) text += Row(kind);
    return text;
  }

  int Below(int end) { return static_cast<int>(random_() % static_cast<uint32_t>(end)); }

 private:
  std::string Row(const std::string& kind) {
    const std::string word(static_cast<size_t>(Below(4) == 0 ? Below(200) : Below(6)), 'x');
    if (kind == "csv") {
      const char* break_in_quotes = Below(4) == 0 ? "\r\n7," : "";
      return fmt::format("{},\"{}{}y\"", Below(1000), word, break_in_quotes);
    }
    if (kind == "json") return fmt::format("{{\"id\": {}, \"name\": \"{}\"}}", Below(1000), word);
    return word;
  }

  std::mt19937 random_;
};

class TextRangeTest : public ::testing::TestWithParam<std::string> {
 protected:
  const TemporaryFolder folder_;
};

TEST_P(TextRangeTest, PiecesOfAFileHaveTheSameRowsInTheSameOrderAsTheWhole) {
  for (uint32_t seed = 0; seed < 60; ++seed) {
    Texts texts(seed);
    const std::string text = texts.Draw(GetParam());
    nlohmann::json options = nlohmann::json::object();
    if (GetParam() == "text") options["drop_empty_lines"] = texts.Below(2) == 0;
    const ReadOp read = ReadOf(GetParam(), {folder_.Write("a", text)}, options);
    const auto whole = ReadAll(read, {.split_bytes = 1 << 20}).ValueOrDie();
    for (const int64_t split_bytes : {1, 2, 7, 64, 1000}) {
      SCOPED_TRACE(fmt::format("seed {}, split_bytes {}, text:\n{}", seed, split_bytes, text));
      ExpectTable(ReadAll(read, {.split_bytes = split_bytes}), whole);
      if (HasFailure()) return;
    }
  }
}

TEST_P(TextRangeTest, DamagedTextGivesTheSameInPiecesOrAnErrorInBoth) {
  for (uint32_t seed = 0; seed < 300; ++seed) {
    Texts texts(seed);
    std::string text = texts.Draw(GetParam());
    for (int i = texts.Below(6); i >= 0 && !text.empty(); --i) {
      constexpr std::string_view kLetters = "\"{}[],:\n\r\\\0\xFF-e.";
      char& letter = text[static_cast<size_t>(texts.Below(static_cast<int>(text.size())))];
      letter = kLetters[static_cast<size_t>(texts.Below(static_cast<int>(kLetters.size())))];
    }
    const ReadOp read = ReadOf(GetParam(), {folder_.Write("a", text)});
    const auto whole = ReadAll(read, {.split_bytes = 1 << 20});
    SCOPED_TRACE(fmt::format("seed {}, text:\n{}", seed, text));
    const auto pieces = ReadAll(read, {.split_bytes = 30});
    if (whole.ok() && pieces.ok()) ExpectTable(pieces, *whole);
    if (GetParam() == "text") EXPECT_EQ(whole.ok(), pieces.ok());
    if (HasFailure()) return;
  }
}

INSTANTIATE_TEST_SUITE_P(Formats, TextRangeTest, ::testing::Values("csv", "json", "text"));

using TextCutTest = TextRangeTest;

TEST_F(TextCutTest, RowsBeginAfterEachKindOfNewline) {
  const std::string text = "a\n\nb\r\nc\rd";
  arrow::io::BufferReader file(arrow::Buffer::FromString(text));
  const std::vector<int64_t> wanted{0, 2, 2, 3, 6, 6, 6, 8, 8, 9};
  const auto size = static_cast<int64_t>(text.size());
  for (int64_t position = 0; position <= size; ++position) {
    EXPECT_EQ(FirstRowAt(file, position, size).ValueOrDie(), wanted[static_cast<size_t>(position)])
        << position;
  }
}

TEST_F(TextCutTest, ALongRowIsLookedThroughNoFurtherThanNeeded) {
  arrow::io::BufferReader file(arrow::Buffer::FromString(std::string(300'000, 'x') + "\ny"));
  EXPECT_EQ(FirstRowAt(file, 5, 100'000).ValueOrDie(), 100'000);
  EXPECT_EQ(FirstRowAt(file, 5, 300'002).ValueOrDie(), 300'001);
}

TEST_F(TextCutTest, PiecesAreNamedByTheirBytesAndFollowFromSizeAndOptions) {
  std::string lines;
  for (int i = 0; i < 1000; ++i) lines += "{\"a\": 1}\n";
  const auto path = folder_.Write("a.jsonl", lines);
  const auto source = MakeSource(ReadOf("json", {path}), {.split_bytes = 4000}, 7).ValueOrDie();
  const auto splits = AllSplits(*source, /*count_max=*/1).ValueOrDie();
  ASSERT_EQ(splits.size(), 3U);
  EXPECT_EQ(splits[1].name, path + ", bytes 4000 to 8000");
  EXPECT_EQ(splits[2].index, 2);
}

TEST_F(TextCutTest, AWishForPiecesIsGranted) {
  std::string lines;
  for (int i = 0; i < 1000; ++i) lines += "line\n";
  ReadOp read = ReadOf("text", {folder_.Write("a.txt", lines), folder_.Write("b.txt", lines)});
  read.splits = 10;
  const auto source = MakeSource(read, {}, 1).ValueOrDie();
  EXPECT_EQ(AllSplits(*source)->size(), 10U);
}

TEST_F(TextCutTest, ArraysAndCompressedFilesStayWhole) {
  const auto array = folder_.Write("a.json", "[{\"a\": 1},\n{\"a\": 2}]");
  const auto source = MakeSource(ReadOf("json", {array}), {.split_bytes = 4}, 1).ValueOrDie();
  EXPECT_EQ(AllSplits(*source)->size(), 1U);
  const auto packed = folder_.Write("a.txt.gz", std::string(100, 'x'));
  const auto other = MakeSource(ReadOf("text", {packed}), {.split_bytes = 4}, 1).ValueOrDie();
  EXPECT_EQ(AllSplits(*other)->size(), 1U);
}

TEST_F(TextCutTest, CsvWhoseValuesMaySpanLinesIsCutOnlyBetweenRows) {
  std::string text = "a,b\n";
  for (int i = 0; i < 3000; ++i) text += fmt::format("{},\"line\n{},{}\"\n", i, i, i);
  const ReadOp read = ReadOf("csv", {folder_.Write("a.csv", text)});
  const auto source = MakeSource(read, {.split_bytes = 5000}, 1).ValueOrDie();
  EXPECT_GT(AllSplits(*source)->size(), 5U);
  ExpectTable(ReadAll(read, {.split_bytes = 5000}), ReadAll(read).ValueOrDie());
}

}  // namespace
}  // namespace penstock
