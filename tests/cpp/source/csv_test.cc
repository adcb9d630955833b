#include <arrow/io/compressed.h>
#include <arrow/io/file.h>
#include <arrow/util/compression.h>
#include <fmt/format.h>

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

class CsvTest : public ::testing::Test {
 protected:
  const TemporaryFolder folder_;
};

void WriteCompressed(const std::string& path, const std::string& text,
                     arrow::Compression::type type) {
  const auto codec = arrow::util::Codec::Create(type).ValueOrDie();
  const auto file = arrow::io::FileOutputStream::Open(path).ValueOrDie();
  const auto stream = arrow::io::CompressedOutputStream::Make(codec.get(), file).ValueOrDie();
  ASSERT_TRUE(stream->Write(text.data(), static_cast<int64_t>(text.size())).ok());
  ASSERT_TRUE(stream->Close().ok());
  ASSERT_TRUE(file->Close().ok());
}

/// Rows "i,text i" for i in [begin, end).
std::string Rows(int begin, int end) {
  std::string text;
  for (int i = begin; i < end; ++i) text += fmt::format("{},text {}\n", i, i);
  return text;
}

/// Rows "1,x", so many bytes of them.
std::string Numbers(size_t bytes) {
  std::string text;
  while (text.size() < bytes) text += "1,x\n";
  return text;
}

TEST_F(CsvTest, InfersTypesAndKeepsTheOrderOfFilesAndRows) {
  const auto a = folder_.Write("a.csv", "id,name\n1,x\n2,\"y, \"\"z\"\"\"\n");
  const auto b = folder_.Write("b.csv", "id,name\n3,w");
  ExpectTable(ReadAll(ReadOf("csv", {a, b})),
              TableOf({{"id", Column(arrow::int64(), "[1,2,3]")},
                       {"name", Column(arrow::utf8(), R"(["x", "y, \"z\"", "w"])")}}));
}

TEST_F(CsvTest, ManyBlocksGiveTheSameRowsAsOne) {
  const auto path = folder_.Write("a.csv", "id,name\n" + Rows(0, 20'000));
  const auto whole = ReadAll(ReadOf("csv", {path})).ValueOrDie();
  EXPECT_EQ(whole->num_rows(), 20'000);
  ExpectTable(ReadAll(ReadOf("csv", {path}), {.block_bytes = 5000}), whole);
}

TEST_F(CsvTest, QuotedValuesMaySpanLinesAndBlocks) {
  std::string text = "a,b\n";
  for (int i = 0; i < 3000; ++i) text += fmt::format("{},\"line\n,{}\"\n", i, i);
  const auto path = folder_.Write("a.csv", text);
  const auto table = ReadAll(ReadOf("csv", {path}), {.block_bytes = 1}).ValueOrDie();
  EXPECT_EQ(table->num_rows(), 3000);
}

TEST_F(CsvTest, ARowLargerThanABlockIsRead) {
  const auto path = folder_.Write("a.csv", "a\n" + std::string(100'000, 'x') + "\ny\n");
  EXPECT_EQ(ReadAll(ReadOf("csv", {path}), {.block_bytes = 1})->get()->num_rows(), 2);
}

TEST_F(CsvTest, OptionsChooseDelimiterQuoteHeaderAndTypes) {
  const auto path = folder_.Write("a.tsv", "# made by hand\n1\t'a\tb'\n2\tnone\n");
  ExpectTable(ReadAll(ReadOf("csv", {path},
                             {{"delimiter", "\t"},
                              {"quote", "'"},
                              {"column_names", {"n", "s"}},
                              {"skip_rows", 1},
                              {"column_types", {{"n", "double"}}},
                              {"null_values", {"none"}}})),
              TableOf({{"n", Column(arrow::float64(), "[1, 2]")},
                       {"s", Column(arrow::utf8(), R"(["a\tb", null])")}}));
  ExpectTable(
      ReadAll(ReadOf("csv", {folder_.Write("b.csv", "1,2\n")}, {{"header_row", false}})),
      TableOf({{"f0", Column(arrow::int64(), "[1]")}, {"f1", Column(arrow::int64(), "[2]")}}));
}

TEST_F(CsvTest, ReadsOnlyTheColumnsAskedForInTheirOrder) {
  ReadOp read = ReadOf("csv", {folder_.Write("a.csv", "a,b,c\n1,x,true\n")});
  read.columns = {"c", "a"};
  ExpectTable(ReadAll(read), TableOf({{"c", Column(arrow::boolean(), "[true]")},
                                      {"a", Column(arrow::int64(), "[1]")}}));
  read.columns = std::vector<std::string>{};
  EXPECT_EQ(ReadAll(read)->get()->num_rows(), 1);
  read.columns = {"d"};
  EXPECT_TRUE(ReadAll(read).status().IsKeyError());
}

TEST_F(CsvTest, PathsBecomeAColumn) {
  const auto path = folder_.Write("a.csv", "a\n1\n2\n");
  const std::string twice = fmt::format(R"(["{}", "{}"])", path, path);
  ExpectTable(
      ReadAll(ReadOf("csv", {path}, {{"include_paths", true}})),
      TableOf({{"a", Column(arrow::int64(), "[1,2]")}, {"path", Column(arrow::utf8(), twice)}}));
}

TEST_F(CsvTest, ColumnsInAnotherOrderAreReordered) {
  const auto a = folder_.Write("a.csv", "a,b\n1,x\n");
  const auto b = folder_.Write("b.csv", "b,a\ny,2\n");
  ExpectTable(ReadAll(ReadOf("csv", {a, b})),
              TableOf({{"a", Column(arrow::int64(), "[1,2]")},
                       {"b", Column(arrow::utf8(), R"(["x","y"])")}}));
}

TEST_F(CsvTest, EmptyAndHeaderOnlyFilesHaveNoRows) {
  const auto empty = folder_.Write("0.csv", "");
  const auto header = folder_.Write("1.csv", "a\n");
  const auto full = folder_.Write("2.csv", "a\n7\n");
  ExpectTable(ReadAll(ReadOf("csv", {empty, header, full})),
              TableOf({{"a", Column(arrow::int64(), "[7]")}}));
  ExpectTable(ReadAll(ReadOf("csv", {header})), TableOf({{"a", Column(arrow::null(), "[]")}}));
  EXPECT_EQ(ReadAll(ReadOf("csv", {empty}))->get()->num_columns(), 0);
}

TEST_F(CsvTest, AColumnThatIsEmptyInTheFirstFileTakesItsTypeFromTheNext) {
  const auto a = folder_.Write("a.csv", "a,b\n1,\n");
  const auto b = folder_.Write("b.csv", "a,b\n2,3\n");
  ExpectTable(ReadAll(ReadOf("csv", {a, b})), TableOf({{"a", Column(arrow::int64(), "[1,2]")},
                                                       {"b", Column(arrow::int64(), "[null,3]")}}));
}

TEST_F(CsvTest, TextThatIsNotUtf8IsCorruptByFileRowAndColumn) {
  const auto header = folder_.Write("h.csv", "a,\xFF\n1,2\n");
  ExpectError(ReadAll(ReadOf("csv", {header})).status(), ErrorKind::kCorruptData,
              {"h.csv, header row", "column 2", "not UTF-8"});
  const auto bad = folder_.Write("b.csv", "a,b\n1,x\n2,\xE9t\xE9\n");
  const std::vector<std::string> texts{"b.csv, data row 2", "\"b\"", "not UTF-8", "binary"};
  ExpectError(ReadAll(ReadOf("csv", {bad})).status(), ErrorKind::kCorruptData, texts);
  const auto good = folder_.Write("a.csv", "a,b\n1,x\n");
  ExpectError(ReadAll(ReadOf("csv", {good, bad})).status(), ErrorKind::kCorruptData, texts);
  const ReadOp binary = ReadOf("csv", {bad}, {{"column_types", {{"b", "binary"}}}});
  EXPECT_EQ(ReadAll(binary)->get()->num_rows(), 2);
}

TEST_F(CsvTest, FilesWithOtherColumnsAndWiderTypesAreReadAsOne) {
  const auto a = folder_.Write("a.csv", "a,b\n1,x\n");
  const auto b = folder_.Write("b.csv", "c,a\ntrue,2.5\n");
  ExpectTable(ReadAll(ReadOf("csv", {a, b})),
              TableOf({{"a", Column(arrow::float64(), "[1, 2.5]")},
                       {"b", Column(arrow::utf8(), R"(["x", null])")},
                       {"c", Column(arrow::boolean(), "[null, true]")}}));
}

TEST_F(CsvTest, WhatTheFirstRowsDoNotShowIsPromotedWhereItComes) {
  // The type follows from the first mebibyte of the first 16 files.
  std::vector<std::string> paths;
  for (int i = 0; i < 16; ++i)
    paths.push_back(folder_.Write(fmt::format("{:02}.csv", i), "a\n1\n"));
  paths.push_back(folder_.Write("late.csv", "a,b\n" + Numbers(2'000'000) + "0.5,x\n"));
  const ReadLimits small_pieces{.block_bytes = 1 << 20};
  const auto source = MakeSource(ReadOf("csv", paths), small_pieces, 1).ValueOrDie();
  const auto splits = AllSplits(*source).ValueOrDie();
  const auto first = ReadSplit(*source, splits.front()).ValueOrDie();
  EXPECT_EQ(first.front()->schema()->ToString(), "a: int64");
  const auto late = ReadSplit(*source, splits.back()).ValueOrDie();
  EXPECT_EQ(late.front()->schema()->ToString(), "a: int64\nb: string");
  EXPECT_EQ(late.back()->schema()->ToString(), "a: double\nb: string");
  EXPECT_EQ(late.back()->column(0)->GetScalar(late.back()->num_rows() - 1).ValueOrDie()->ToString(),
            "0.5");
}

TEST_F(CsvTest, TypesThatDoNotGoTogetherAreRefusedNamingBothFiles) {
  const auto a = folder_.Write("a.csv", "a,b\n1,x\n");
  const auto b = folder_.Write("b.csv", "a,b\nx,x\n");
  ExpectError(ReadAll(ReadOf("csv", {a, b})).status(), ErrorKind::kSchemaMismatch,
              {"a.csv", "b.csv", "'a'", "int64", "string"});
  ReadOp read = ReadOf("csv", {a, b});
  read.columns = {"b"};
  EXPECT_EQ(ReadAll(read)->get()->num_rows(), 2);
}

TEST_F(CsvTest, AColumnNameThatComesTwiceIsRefused) {
  const auto a = folder_.Write("a.csv", "a,b,a\n1,2,3\n");
  EXPECT_THAT(ReadAll(ReadOf("csv", {a})).status().message(),
              ::testing::AllOf(::testing::HasSubstr("a.csv"), ::testing::EndsWith("got: a")));
}

TEST_F(CsvTest, AValueOfAnotherTypeIsRefusedByFileRowAndColumn) {
  const auto a = folder_.Write("a.csv", "id,name\n" + Rows(0, 5000) + "five,x\n");
  ExpectError(ReadAll(ReadOf("csv", {a}), {.block_bytes = 5000}).status(),
              ErrorKind::kSchemaMismatch,
              {"a.csv, data row 5001", "column \"id\"", "int64", "five", "column_types"});
}

TEST_F(CsvTest, AnErrorInAPieceTellsTheByteAtWhichThePieceBegins) {
  const auto a = folder_.Write("a.csv", "id,name\n" + Rows(0, 5000) + "five,x\n");
  const Status status =
      ReadAll(ReadOf("csv", {a}), {.block_bytes = 5000, .split_bytes = 50'000}).status();
  ExpectError(status, ErrorKind::kSchemaMismatch, {"a.csv, at byte ", " of this piece", "five"});
  EXPECT_EQ(status.message().find("at byte 0"), std::string::npos);
}

TEST_F(CsvTest, ARowOfAnotherLengthIsRefusedByFileAndRow) {
  const auto a = folder_.Write("a.csv", "id,name\n" + Rows(0, 5000) + "1,x,y\n");
  ExpectError(ReadAll(ReadOf("csv", {a}), {.block_bytes = 5000}).status(), ErrorKind::kCorruptData,
              {"a.csv, data row 5001", "Expected 2 columns, got 3"});
}

TEST_F(CsvTest, CompressedFilesAreReadBySuffix) {
  const std::vector<std::pair<std::string, arrow::Compression::type>> codecs{
      {"gz", arrow::Compression::GZIP},
      {"zst", arrow::Compression::ZSTD},
      {"bz2", arrow::Compression::BZ2},
      {"lz4", arrow::Compression::LZ4_FRAME},
      {"br", arrow::Compression::BROTLI}};
  for (const auto& [suffix, type] : codecs) {
    const std::string path = folder_.path("a.csv." + suffix);
    WriteCompressed(path, "id,name\n" + Rows(0, 1000), type);
    const auto table = ReadAll(ReadOf("csv", {path}));
    ASSERT_TRUE(table.ok()) << table.status().ToString();
    EXPECT_EQ((*table)->num_rows(), 1000);
  }
}

TEST_F(CsvTest, ACompressionThatCannotBeReadIsRefusedByFile) {
  const Status status = ReadAll(ReadOf("csv", {folder_.Write("a.csv.snappy", "x")})).status();
  EXPECT_TRUE(status.IsNotImplemented());
  EXPECT_THAT(status.message(), ::testing::HasSubstr("a.csv.snappy"));
}

TEST_F(CsvTest, ATruncatedCompressedFileIsCorrupt) {
  const std::string path = folder_.path("a.csv.gz");
  WriteCompressed(path, "id,name\n" + Rows(0, 1000), arrow::Compression::GZIP);
  std::filesystem::resize_file(path, std::filesystem::file_size(path) / 2);
  ExpectError(ReadAll(ReadOf("csv", {path})).status(), ErrorKind::kCorruptData, {"a.csv.gz"});
}

TEST_F(CsvTest, EveryTruncationGivesAnErrorOrTheRowsBefore) {
  const std::string text = "id,name,score\n1,\"a\nb\",1.5\n2,\"c\"\"d\",2.5\n3,e,3.5\n";
  for (size_t length = 0; length <= text.size(); ++length) {
    const auto table = ReadAll(ReadOf("csv", {folder_.Write("t.csv", text.substr(0, length))}));
    if (table.ok()) {
      EXPECT_LE((*table)->num_rows(), 3);
    }
  }
}

TEST_F(CsvTest, ALimitStopsTheReaderBeforeABadRow) {
  ReadOp read = ReadOf("csv", {folder_.Write("a.csv", "id,name\n" + Rows(0, 5000) + "1,x,y\n")});
  read.row_limit = 3;
  EXPECT_EQ(ReadAll(read, {.block_bytes = 5000})->get()->num_rows(), 3);
}

TEST_F(CsvTest, TextOfOtherEncodingsIsRead) {
  const auto path = folder_.Write("a.csv", "n,t\n1,\xE9t\xE9\n");
  ExpectTable(ReadAll(ReadOf("csv", {path}, {{"encoding", "latin1"}})),
              TableOf({{"n", Column(arrow::int64(), "[1]")},
                       {"t", Column(arrow::utf8(), "[\"\u00e9t\u00e9\"]")}}));
}

TEST_F(CsvTest, FoldersNamedKeyIsValueBecomeColumns) {
  const auto a = folder_.Write("year=2020/kind=a%20b/a.csv", "n\n1\n");
  const auto b = folder_.Write("year=2021/b.csv", "n\n2\n");
  const nlohmann::json hive{{"style", "hive"}, {"field_types", {{"year", "int64"}}}};
  ExpectTable(ReadAll(ReadOf("csv", {a, b}, {{"partitioning", hive}})),
              TableOf({{"n", Column(arrow::int64(), "[1, 2]")},
                       {"year", Column(arrow::int64(), "[2020, 2021]")},
                       {"kind", Column(arrow::utf8(), R"(["a b", null])")}}));
  const auto c = folder_.Write("year=x/c.csv", "n\n1\n");
  EXPECT_THAT(ReadAll(ReadOf("csv", {c}, {{"partitioning", hive}})).status().message(),
              ::testing::AllOf(::testing::HasSubstr("c.csv"), ::testing::HasSubstr("\"year\""),
                               ::testing::EndsWith("got: x")));
}

TEST_F(CsvTest, FoldersBelowABaseBecomeColumnsByPosition) {
  const auto a = folder_.Write("data/2020/may/a.csv", "n\n1\n");
  const auto b = folder_.Write("data/b.csv", "n\n2\n");
  nlohmann::json dir{
      {"style", "dir"}, {"base_dir", folder_.path("data")}, {"field_names", {"year", "month"}}};
  ExpectTable(ReadAll(ReadOf("csv", {a, b}, {{"partitioning", dir}})),
              TableOf({{"n", Column(arrow::int64(), "[1, 2]")},
                       {"year", Column(arrow::utf8(), R"(["2020", null])")},
                       {"month", Column(arrow::utf8(), R"(["may", null])")}}));
  dir["field_names"] = {"year"};
  EXPECT_THAT(ReadAll(ReadOf("csv", {a}, {{"partitioning", dir}})).status().message(),
              ::testing::EndsWith("got: 2020, may"));
}

TEST_F(CsvTest, FilesComeInAnOrderDrawnFromASeed) {
  std::vector<std::string> paths;
  for (int i = 0; i < 20; ++i) {
    paths.push_back(folder_.Write(fmt::format("{:02}.csv", i), fmt::format("n\n{}\n", i)));
  }
  const auto read = [&](int seed) {
    return ReadAll(ReadOf("csv", paths, {{"shuffle_seed", seed}})).ValueOrDie();
  };
  EXPECT_TRUE(read(1)->Equals(*read(1)));
  EXPECT_FALSE(read(1)->Equals(*read(2)));
  EXPECT_EQ(read(1)->num_rows(), 20);
}

TEST_F(CsvTest, RefusesUnknownOptionsByName) {
  const auto path = folder_.Write("a.csv", "a\n1\n");
  const auto message = [&](nlohmann::json options) {
    return MakeSource(ReadOf("csv", {path}, std::move(options)), {}, 1).status().message();
  };
  EXPECT_THAT(message({{"sep", ","}}), ::testing::EndsWith("got: sep"));
  EXPECT_THAT(message({{"delimiter", ""}}), ::testing::HasSubstr("\"delimiter\""));
  EXPECT_THAT(message({{"column_types", {{"a", "int"}}}}),
              ::testing::HasSubstr("\"column_types\""));
}

}  // namespace
}  // namespace penstock
