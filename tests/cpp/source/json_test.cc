#include <fmt/format.h>

#include "penstock/source/json_text.h"
#include "source/source_testing.h"

namespace penstock {
namespace {

using testing::AllSplits;
using testing::Column;
using testing::ExpectError;
using testing::ExpectTable;
using testing::ReadAll;
using testing::ReadOf;
using testing::ReadSplit;
using testing::TableOf;
using testing::TemporaryFolder;

class JsonTest : public ::testing::Test {
 protected:
  Result<std::shared_ptr<arrow::Table>> ReadText(
      const std::string& text, ReadLimits limits = {},
      nlohmann::json options = nlohmann::json::object()) {
    return ReadAll(ReadOf("json", {folder_.Write("t.json", text)}, std::move(options)), limits);
  }

  const TemporaryFolder folder_;
};

TEST_F(JsonTest, ReadsLines) {
  ExpectTable(ReadText("{\"a\": 1, \"b\": \"x\"}\n\n{\"b\": \"y\"}"),
              TableOf({{"a", Column(arrow::int64(), "[1, null]")},
                       {"b", Column(arrow::utf8(), R"(["x", "y"])")}}));
}

TEST_F(JsonTest, AnArrayReadsAsItsLinesWould) {
  const auto wanted = TableOf({{"a", Column(arrow::int64(), "[1, 2]")},
                               {"b", Column(arrow::utf8(), R"(["],{\"\n", "y"])")}});
  ExpectTable(ReadText(R"([{"a":1,"b":"],{\"\n"},{"a":2,"b":"y"}])"), wanted);
  ExpectTable(ReadText("\xEF\xBB\xBF \n[\n  {\n \"a\": 1,\n \"b\": \"],{\\\"\\n\"\n },\n"
                       "  {\"a\": 2, \"b\": \"y\"}\n]\n"),
              wanted);
  EXPECT_EQ(ReadText("[]")->get()->num_rows(), 0);
}

TEST_F(JsonTest, NestedValuesBecomeListsAndStructs) {
  const auto type = arrow::struct_({arrow::field("c", arrow::list(arrow::int64()))});
  ExpectTable(ReadText("[{\"a\": {\"c\": [1, 2]}}]"),
              TableOf({{"a", Column(type, R"([{"c": [1, 2]}])")}}));
}

TEST_F(JsonTest, LongFilesComeInBlocksWithTheSameRows) {
  std::string lines;
  std::string array = "[";
  for (int i = 0; i < 10'000; ++i) {
    lines += fmt::format("{{\"i\": {}, \"s\": \"text {}\"}}\n", i, i);
    array += fmt::format("{}{{\"i\": {}, \"s\": \"text {}\"}}", i == 0 ? "" : ",\n", i, i);
  }
  const auto whole = ReadText(lines).ValueOrDie();
  EXPECT_EQ(whole->num_rows(), 10'000);
  ExpectTable(ReadText(lines, {.block_bytes = 1000}), whole);
  ExpectTable(ReadText(array + "]", {.block_bytes = 1000}), whole);
}

TEST_F(JsonTest, MoreRowsThanArrowsParserTakesAtOnceWork) {
  std::string lines;
  for (int i = 0; i < 300'000; ++i) lines += "{}\n";
  EXPECT_EQ(ReadText("{\"a\":1}\n" + lines)->get()->num_rows(), 300'001);
}

TEST_F(JsonTest, ReadsOnlyTheColumnsAskedFor) {
  ReadOp read = ReadOf("json", {folder_.Write("a.json", "{\"a\":1,\"b\":[1],\"c\":\"x\"}\n")});
  read.columns = {"c", "a"};
  ExpectTable(ReadAll(read), TableOf({{"c", Column(arrow::utf8(), R"(["x"])")},
                                      {"a", Column(arrow::int64(), "[1]")}}));
  read.columns = std::vector<std::string>{};
  EXPECT_EQ(ReadAll(read)->get()->num_rows(), 1);
}

TEST_F(JsonTest, AColumnThatIsNullInTheFirstFileTakesItsTypeFromTheNext) {
  const auto a = folder_.Write("a.json", "{\"a\": null}\n");
  const auto b = folder_.Write("b.json", "{\"a\": \"x\"}\n");
  ExpectTable(ReadAll(ReadOf("json", {a, b})),
              TableOf({{"a", Column(arrow::utf8(), R"([null, "x"])")}}));
}

TEST_F(JsonTest, TypesMayBeGiven) {
  ExpectTable(
      ReadText("{\"b\": 1, \"a\": 2}\n", {}, {{"column_types", {{"a", "double"}}}}),
      TableOf({{"a", Column(arrow::float64(), "[2]")}, {"b", Column(arrow::int64(), "[1]")}}));
}

TEST_F(JsonTest, FilesWithOtherFieldsAndWiderTypesAreReadAsOne) {
  const auto a = folder_.Write("a.json", "{\"a\": 1, \"s\": {\"x\": 1}}\n");
  const auto b = folder_.Write("b.json", "{\"b\": true, \"a\": 2.5, \"s\": {\"y\": \"z\"}}\n");
  const auto type =
      arrow::struct_({arrow::field("x", arrow::int64()), arrow::field("y", arrow::utf8())});
  ExpectTable(ReadAll(ReadOf("json", {a, b})),
              TableOf({{"a", Column(arrow::float64(), "[1, 2.5]")},
                       {"s", Column(type, R"([{"x": 1, "y": null}, {"x": null, "y": "z"}])")},
                       {"b", Column(arrow::boolean(), "[null, true]")}}));
}

TEST_F(JsonTest, WhatTheFirstRowsDoNotShowIsPromotedWhereItComes) {
  std::string text;
  while (text.size() < 2'000'000) text += "{\"a\": 1, \"s\": {\"x\": 1}, \"n\": null}\n";
  text += "{\"a\": 0.5, \"s\": {\"y\": [2]}, \"n\": \"now\", \"b\": true}\n";
  ReadOp read = ReadOf("json", {folder_.Write("a.json", text)});
  for (const bool chosen : {false, true}) {
    if (chosen) read.columns = {"n", "s", "a"};
    const auto source = MakeSource(read, {.split_bytes = 1'500'000}, 1).ValueOrDie();
    const auto splits = AllSplits(*source).ValueOrDie();
    ASSERT_EQ(splits.size(), 2U);
    const auto last = ReadSplit(*source, splits.back()).ValueOrDie().back();
    const auto row = last->Slice(last->num_rows() - 1);
    EXPECT_EQ(row->num_columns(), chosen ? 3 : 4);
    EXPECT_EQ(row->GetColumnByName("a")->GetScalar(0).ValueOrDie()->ToString(), "0.5");
    EXPECT_EQ(row->GetColumnByName("n")->GetScalar(0).ValueOrDie()->ToString(), "now");
    EXPECT_EQ(row->GetColumnByName("s")->type()->ToString(),
              "struct<x: int64, y: list<item: int64>>");
  }
}

TEST_F(JsonTest, AFieldOfAnotherTypeIsRefusedByFileAndRow) {
  const auto a = folder_.Write("a.json", "{\"a\": 1}\n");
  const auto b = folder_.Write("b.json", "{\"a\": \"x\"}\n");
  ExpectError(ReadAll(ReadOf("json", {a, b})).status(), ErrorKind::kSchemaMismatch,
              {"a.json", "b.json", "'a'", "int64", "string"});
  std::string text;
  while (text.size() < 2'000'000) text += "{\"a\": 1}\n";
  const auto c = folder_.Write("c.json", text + "{\"a\": \"x\"}\n");
  ExpectError(ReadAll(ReadOf("json", {c})).status(), ErrorKind::kSchemaMismatch,
              {"c.json, data row 222224"});
}

TEST_F(JsonTest, BrokenTextIsCorruptByFileAndRow) {
  ExpectError(ReadText("{\"a\": 1}\n{\"a\": ]}\n").status(), ErrorKind::kCorruptData,
              {"t.json, data row 2"});
  ExpectError(ReadText("[{\"a\": 1}, 2]").status(), ErrorKind::kCorruptData,
              {"t.json", "element 1", "got at element 1: 2"});
  ExpectError(ReadText("[{\"a\": 1}").status(), ErrorKind::kCorruptData, {"not closed"});
  ExpectError(ReadText("[{\"a\": 1}] 2").status(), ErrorKind::kCorruptData, {"t.json"});
  ExpectError(ReadText("[{\"a\": 1}]", {}, {{"lines", true}}).status(), ErrorKind::kCorruptData,
              {"t.json"});
}

TEST_F(JsonTest, NestingBeyondTheLimitIsCorruptByFileAndRow) {
  const auto lists = [](int depth) {
    return "{\"a\": " + std::string(depth - 1, '[') + std::string(depth - 1, ']') + "}";
  };
  const auto objects = [](int depth) {
    std::string text = "1";
    for (int i = 0; i < depth; ++i) text = fmt::format("{{\"a\":\n{}}}", text);
    return text;
  };
  for (const int depth : {kJsonDepthMax + 1, 20'000}) {
    ExpectError(ReadText("{\"a\": []}\n" + lists(depth)).status(), ErrorKind::kCorruptData,
                {"t.json, data row 2", "more than 60 deep"});
    ExpectError(ReadText("[{\"b\": 1}, " + lists(depth) + "]").status(), ErrorKind::kCorruptData,
                {"t.json, data row 2", "more than 60 deep"});
    ExpectError(ReadText(objects(depth)).status(), ErrorKind::kCorruptData, {"more than 60 deep"});
  }
  EXPECT_EQ(ReadText(lists(kJsonDepthMax) + "\n" + lists(2))->get()->num_rows(), 2);
  EXPECT_EQ(ReadText(objects(kJsonDepthMax))->get()->num_rows(), 1);
}

TEST_F(JsonTest, BracketsInStringsAndSideBySideAreNotDepth) {
  const std::string brackets(1000, '[');
  std::string wide = "[]";
  for (int i = 0; i < 1000; ++i) wide += ", []";
  const auto table = ReadText("{\"a\": \"\\\"" + brackets + "\", \"b\": [" + wide + "]}");
  ASSERT_TRUE(table.ok()) << table.status().ToString();
  EXPECT_EQ((*table)->GetColumnByName("a")->GetScalar(0).ValueOrDie()->ToString(), "\"" + brackets);
}

TEST_F(JsonTest, TextThatIsNotUtf8IsCorruptByFileAndRow) {
  for (const char* bytes : {"\xFF", "\xC3", "\xED\xA0\x80"}) {
    for (const char* row : {"{{\"a\": \"{}\"}}", "{{\"{}\": 1}}"}) {
      ExpectError(ReadText("{\"a\": \"é\"}\n\n" + fmt::format(fmt::runtime(row), bytes)).status(),
                  ErrorKind::kCorruptData, {"t.json, data row 2", "not UTF-8"});
    }
  }
}

TEST_F(JsonTest, ABadValueAmongManyRowsIsFoundWhereverItLies) {
  constexpr int kRows = 3000;
  for (const int bad : {0, 1, 1499, 1500, kRows - 1}) {
    std::string text;
    for (int row = 0; row < kRows; ++row) {
      text += row == bad ? "{\"a\": 1.5}\n\n" : "{\"a\": 1}\n";
    }
    const nlohmann::json types{{"column_types", {{"a", "int64"}}}};
    ExpectError(ReadAll(ReadOf("json", {folder_.Write("b.json", text)}, types)).status(),
                ErrorKind::kSchemaMismatch, {fmt::format("b.json, data row {}:", bad + 1), "1.5"});
  }
}

TEST_F(JsonTest, EveryTruncationGivesAnErrorOrTheRowsBefore) {
  const std::string lines = "{\"a\": 1, \"b\": [\"x\"]}\n{\"a\": 2, \"b\": []}\n";
  const std::string array = "[{\"a\": 1, \"b\": [\"x\"]}, {\"a\": 2, \"b\": [\"y\"]}]";
  for (size_t length = 0; length <= lines.size(); ++length) {
    const auto table = ReadText(lines.substr(0, length));
    if (table.ok()) {
      EXPECT_LE((*table)->num_rows(), 2);
    }
  }
  for (size_t length = 1; length < array.size(); ++length) {
    EXPECT_FALSE(ReadText(array.substr(0, length)).ok()) << length;
  }
}

}  // namespace
}  // namespace penstock
