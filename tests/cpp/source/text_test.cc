#include <fmt/format.h>

#include "source/source_testing.h"

namespace penstock {
namespace {

using testing::ExpectError;
using testing::ReadAll;
using testing::ReadOf;
using testing::TemporaryFolder;

class TextTest : public ::testing::Test {
 protected:
  Result<std::shared_ptr<arrow::Table>> Read(const std::string& bytes,
                                             nlohmann::json options = nlohmann::json::object(),
                                             ReadLimits limits = {}) const {
    return ReadAll(ReadOf("text", {folder_.Write("t.txt", bytes)}, std::move(options)), limits);
  }

  std::vector<std::string> Lines(const std::string& bytes,
                                 nlohmann::json options = nlohmann::json::object(),
                                 ReadLimits limits = {}) const {
    const auto table = Read(bytes, std::move(options), limits).ValueOrDie();
    std::vector<std::string> lines;
    for (const auto& chunk : table->GetColumnByName("text")->chunks()) {
      const auto& texts = static_cast<const arrow::StringArray&>(*chunk);
      for (int64_t i = 0; i < texts.length(); ++i) lines.push_back(texts.GetString(i));
    }
    return lines;
  }

  const TemporaryFolder folder_;
};

using Texts = std::vector<std::string>;
const nlohmann::json kAllLines{{"drop_empty_lines", false}};

TEST_F(TextTest, EachLineIsARow) {
  EXPECT_EQ(Lines("a\nb c\n\n \t\nd"), (Texts{"a", "b c", "d"}));
  EXPECT_EQ(Lines("a\nb c\n\n \nd\n", kAllLines), (Texts{"a", "b c", "", " ", "d"}));
  EXPECT_EQ(Lines(""), Texts{});
  EXPECT_EQ(Lines("", kAllLines), Texts{});
}

TEST_F(TextTest, AllNewlinesOfTheWorldEndALine) {
  EXPECT_EQ(Lines("a\r\nb\rc\n\rd\r\r\ne\r", kAllLines), (Texts{"a", "b", "c", "", "d", "", "e"}));
}

TEST_F(TextTest, ANewlineOfTwoLettersBetweenTwoPiecesIsOne) {
  for (const int length : {4094, 4095, 4096, 4097}) {
    const std::string line(static_cast<size_t>(length), 'x');
    const Texts wanted{line, "y", ""};
    EXPECT_EQ(Lines(line + "\r\ny\r\n\r\n", kAllLines, {.block_bytes = 1}), wanted) << length;
  }
}

TEST_F(TextTest, ManyLinesThatEndInReturnsAloneAreCutInLinearTime) {
  std::string text;
  for (int i = 0; i < 1'000'000; ++i) text += "ab\r";
  EXPECT_EQ(Read(text)->get()->num_rows(), 1'000'000);
}

TEST_F(TextTest, OtherEncodingsBecomeUtf8) {
  EXPECT_EQ(Lines("\xE9\n", {{"encoding", "latin1"}}), Texts{"\u00e9"});
  EXPECT_EQ(Lines("\xEF\xBB\xBF"
                  "a\nb",
                  {{"encoding", "utf-8-sig"}}),
            (Texts{"a", "b"}));
  const std::string utf16(
      "\xFF\xFE"
      "a\0\n\0\xAC\x20",
      8);
  EXPECT_EQ(Lines(utf16, {{"encoding", "utf-16"}}), (Texts{"a", "\u20ac"}));
  const std::string long_text(200'001, '\xE9');
  EXPECT_EQ(Lines(long_text, {{"encoding", "latin1"}}).front().size(), 400'002U);
}

TEST_F(TextTest, TextThatIsNotOfTheEncodingIsCorruptByFileAndRow) {
  ExpectError(Read("a\n\xFF\n").status(), ErrorKind::kCorruptData, {"t.txt, data row 2", "UTF-8"});
  ExpectError(Read("abc", {{"encoding", "utf-16le"}}).status(), ErrorKind::kCorruptData,
              {"t.txt", "utf-16le"});
  EXPECT_THAT(Read("a", {{"encoding", "klingon"}}).status().message(),
              ::testing::EndsWith("\"klingon\""));
}

TEST_F(TextTest, EveryTruncationGivesTheLinesBefore) {
  const std::string text = "one\r\n\xC3\xA9\rthree\n";
  for (size_t length = 0; length <= text.size(); ++length) {
    const auto table = Read(text.substr(0, length));
    EXPECT_EQ(table.ok(), length != 6) << length;  // Within a character.
  }
}

}  // namespace
}  // namespace penstock
