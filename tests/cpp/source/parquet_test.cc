#include <arrow/array.h>
#include <arrow/compute/initialize.h>
#include <arrow/io/file.h>
#include <arrow/table.h>
#include <fmt/format.h>
#include <parquet/arrow/writer.h>

#include "source/source_testing.h"

namespace penstock {
namespace {

using testing::AllSplits;
using testing::Column;
using testing::ExpectError;
using testing::ExpectTable;
using testing::ReadAll;
using testing::ReadBytes;
using testing::ReadOf;
using testing::ReadSplit;
using testing::TableOf;
using testing::TemporaryFolder;

class ParquetTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { ASSERT_TRUE(arrow::compute::Initialize().ok()); }

  std::string Write(const std::string& name, const std::shared_ptr<arrow::Table>& table,
                    int64_t row_group_rows = 1000) {
    const std::string path = folder_.path(name);
    const auto file = arrow::io::FileOutputStream::Open(path).ValueOrDie();
    EXPECT_TRUE(
        parquet::arrow::WriteTable(*table, arrow::default_memory_pool(), file, row_group_rows)
            .ok());
    EXPECT_TRUE(file->Close().ok());
    return path;
  }

  static std::shared_ptr<arrow::Table> Small() {
    return TableOf({{"a", Column(arrow::int64(), "[1,2,3,4,5]")},
                    {"b", Column(arrow::utf8(), R"(["v","w","x",null,"z"])")},
                    {"c", Column(arrow::float64(), "[0.5,1.5,2.5,3.5,null]")}});
  }

  static std::shared_ptr<arrow::Table> Tiny() {
    return Small()->Slice(0, 2)->SelectColumns({0, 1}).ValueOrDie();
  }

  static nlohmann::json Compare(const char* call, const char* column, nlohmann::json literal) {
    return {{"call", call}, {"arguments", {{{"column", column}}, {{"literal", literal}}}}};
  }

  std::vector<std::string> SplitNames(const ReadOp& read) {
    const auto source = MakeSource(read, {}, 2).ValueOrDie();
    std::vector<std::string> names;
    for (const Split& split : *AllSplits(*source)) {
      names.push_back(split.name.substr(folder_.path("").size()));
    }
    return names;
  }

  const TemporaryFolder folder_;
};

TEST_F(ParquetTest, RowGroupsAreSplitsInOrder) {
  const auto path = Write("a.parquet", Small(), 2);
  EXPECT_THAT(SplitNames(ReadOf("parquet", {path})),
              ::testing::ElementsAre("a.parquet, row group 0", "a.parquet, row group 1",
                                     "a.parquet, row group 2"));
  ExpectTable(ReadAll(ReadOf("parquet", {path})), Small());
}

TEST_F(ParquetTest, AFolderReadsItsParquetFilesOnly) {
  Write("b.parquet", Small());
  Write("a.parquet", Small());
  folder_.Write("readme.txt", "no data");
  EXPECT_THAT(SplitNames(ReadOf("parquet", {folder_.path()})),
              ::testing::ElementsAre("a.parquet, row group 0", "b.parquet, row group 0"));
}

TEST_F(ParquetTest, ReadsOnlyTheColumnsAskedForInTheirOrder) {
  const auto path = Write("a.parquet", Small(), 2);
  ReadOp read = ReadOf("parquet", {path});
  read.columns = {"c", "a"};
  ExpectTable(ReadAll(read), Small()->SelectColumns({2, 0}).ValueOrDie());
  read.columns = {"a", "c", "nope"};
  const Status status = ReadAll(read).status();
  EXPECT_TRUE(status.IsKeyError());
  EXPECT_THAT(status.message(),
              ::testing::EndsWith("reads column 'nope', which does not exist; columns: a, b, c"));
}

TEST_F(ParquetTest, ColumnsThatAreNotAskedForAreNotRead) {
  const auto path = Write("a.parquet", Small());
  // Break the bytes of column b's pages: only a reader that touches them can tell.
  std::string bytes = ReadBytes(path);
  const auto whole = ReadAll(ReadOf("parquet", {path}));
  ASSERT_TRUE(whole.ok());
  const size_t b = bytes.find("vwxz");
  const size_t w = b == std::string::npos ? bytes.find('w') : b;
  for (size_t i = w - 30; i < w + 4; ++i) bytes[i] = '\xFF';
  folder_.Write("a.parquet", bytes);
  EXPECT_FALSE(ReadAll(ReadOf("parquet", {path})).ok());
  ReadOp read = ReadOf("parquet", {path});
  read.columns = {"c"};
  ExpectTable(ReadAll(read), Small()->SelectColumns({2}).ValueOrDie());
}

TEST_F(ParquetTest, NoColumnsAtAllStillCountRows) {
  ReadOp read = ReadOf("parquet", {Write("a.parquet", Small(), 2)});
  read.columns = std::vector<std::string>{};
  const auto source = MakeSource(read, {}, 2).ValueOrDie();
  int64_t rows = 0;
  for (const Split& split : *AllSplits(*source)) {
    for (const auto& batch : *ReadSplit(*source, split)) rows += batch->num_rows();
  }
  EXPECT_EQ(rows, 5);
}

TEST_F(ParquetTest, LargeRowGroupsComeInBlocks) {
  arrow::Int64Builder builder;
  for (int64_t i = 0; i < 100'000; ++i) ASSERT_TRUE(builder.Append(i).ok());
  const auto table = TableOf({{"a", builder.Finish().ValueOrDie()}});
  const auto path = Write("a.parquet", table, 100'000);
  const auto source =
      MakeSource(ReadOf("parquet", {path}), {.block_bytes = 80'000}, 2).ValueOrDie();
  const auto splits = AllSplits(*source).ValueOrDie();
  ASSERT_EQ(splits.size(), 1);
  const auto batches = ReadSplit(*source, splits[0]).ValueOrDie();
  EXPECT_GE(batches.size(), 10);
  EXPECT_LE(batches.size(), 20);
  ExpectTable(ReadAll(ReadOf("parquet", {path}), {.block_bytes = 80'000}), table);
}

TEST_F(ParquetTest, BlocksOfDictionaryTextAreMeasuredAsTheyLieInMemory) {
  arrow::StringBuilder builder;
  for (int i = 0; i < 20'000; ++i) ASSERT_TRUE(builder.Append(std::string(1000, 'x')).ok());
  const auto path = Write("a.parquet", TableOf({{"a", builder.Finish().ValueOrDie()}}), 1'000'000);
  const auto source =
      MakeSource(ReadOf("parquet", {path}), {.block_bytes = 1'000'000}, 2).ValueOrDie();
  const auto splits = AllSplits(*source).ValueOrDie();
  EXPECT_GE(splits[0].bytes, 20'000'000);
  EXPECT_GE(ReadSplit(*source, splits[0])->size(), 20);
}

TEST_F(ParquetTest, LongValuesThatNoFooterTellsOfAreReadAFewRowsAtATime) {
  constexpr int64_t kRows = 1000;
  arrow::StringBuilder texts;
  for (int64_t i = 0; i < kRows; ++i) ASSERT_TRUE(texts.Append(std::string(100'000, 'x')).ok());
  const auto table = TableOf({{"a", texts.Finish().ValueOrDie()}});
  const auto properties = parquet::WriterProperties::Builder()
                              .set_size_statistics_level(parquet::SizeStatisticsLevel::None)
                              ->build();
  const std::string path = folder_.path("long.parquet");
  const auto file = arrow::io::FileOutputStream::Open(path).ValueOrDie();
  ASSERT_TRUE(
      parquet::arrow::WriteTable(*table, arrow::default_memory_pool(), file, kRows, properties)
          .ok());
  ASSERT_TRUE(file->Close().ok());

  const auto source = MakeSource(ReadOf("parquet", {path}), {}, 2).ValueOrDie();
  const auto reader = source->Open(AllSplits(*source)->at(0)).ValueOrDie();
  int64_t rows = 0;
  int64_t bytes_most = 0;
  while (const auto batch = reader->Next().ValueOrDie()) {
    rows += batch->num_rows();
    // What the slice is of is held as a whole.
    bytes_most = std::max(bytes_most, batch->column(0)->data()->buffers[2]->size());
  }
  EXPECT_EQ(rows, kRows);
  EXPECT_LE(bytes_most, int64_t{64} << 20);
}

TEST_F(ParquetTest, TextThatIsNotUtf8IsRefusedNamingFileRowAndColumn) {
  arrow::StringBuilder texts;
  for (const char* text : {"a", "b", "\xff\xfe", "d"}) ASSERT_TRUE(texts.Append(text).ok());
  const auto table = TableOf({{"t", texts.Finish().ValueOrDie()}});
  const auto path = Write("bad.parquet", table, 2);
  ExpectError(ReadAll(ReadOf("parquet", {path})).status(), ErrorKind::kCorruptData,
              {"bad.parquet, row group 1", "row 1, column \"t\"", "not UTF-8"});
  ReadOp joined = ReadOf("parquet", {path});
  joined.splits = 1;
  ExpectError(ReadAll(joined).status(), ErrorKind::kCorruptData,
              {"bad.parquet, row group 1", "row 1, column \"t\"", "not UTF-8"});
}

TEST_F(ParquetTest, AFilterSkipsRowGroupsByTheirStatistics) {
  const auto path = Write("a.parquet", Small(), 2);
  ReadOp read = ReadOf("parquet", {path});
  read.filter = Compare("greater", "a", 3);
  EXPECT_THAT(SplitNames(read),
              ::testing::ElementsAre("a.parquet, row group 1", "a.parquet, row group 2"));
  read.filter = Compare("equal", "b", "w");
  EXPECT_THAT(SplitNames(read), ::testing::ElementsAre("a.parquet, row group 0"));
  read.filter = Compare("less", "c", 1.0);
  EXPECT_THAT(SplitNames(read), ::testing::ElementsAre("a.parquet, row group 0"));
  read.filter = Compare("greater", "a", 100);
  ExpectTable(ReadAll(read), Small()->Slice(0, 0));
}

TEST_F(ParquetTest, AFilterThatNanPassesTrustsNoFloatStatistics) {
  const auto path = Write("a.parquet", TableOf({{"c", Column(arrow::float64(), "[1.0, NaN]")}}));
  ReadOp read = ReadOf("parquet", {path});
  read.filter = Compare("not_equal", "c", 1.0);
  EXPECT_EQ(ReadAll(read)->get()->num_rows(), 2);
}

TEST_F(ParquetTest, AFilterBesideALimitSkipsNothing) {
  ReadOp read = ReadOf("parquet", {Write("a.parquet", Small(), 2)});
  read.filter = Compare("greater", "a", 3);
  read.row_limit = 1;
  EXPECT_EQ(ReadAll(read)->get()->num_rows(), 5);
}

TEST_F(ParquetTest, ALimitStopsTheListing) {
  ReadOp read = ReadOf("parquet", {Write("a.parquet", Small(), 2)});
  read.row_limit = 3;
  EXPECT_EQ(SplitNames(read).size(), 2);
}

TEST_F(ParquetTest, CountsRowsFromTheFooters) {
  Write("a.parquet", Small(), 2);
  Write("b.parquet", Small());
  const auto source = MakeSource(ReadOf("parquet", {folder_.path()}), {}, 2).ValueOrDie();
  EXPECT_EQ(source->CountRows().ValueOrDie(), 10);
}

TEST_F(ParquetTest, PathsBecomeAColumnWhereverItIsAskedFor) {
  const auto path = Write("a.parquet", Small()->Slice(0, 1));
  ReadOp read = ReadOf("parquet", {path}, {{"include_paths", true}});
  read.columns = {"path", "a"};
  ExpectTable(ReadAll(read),
              TableOf({{"path", Column(arrow::utf8(), fmt::format("[\"{}\"]", path))},
                       {"a", Column(arrow::int64(), "[1]")}}));
}

TEST_F(ParquetTest, AFileWithoutRowsStillYieldsItsSchema) {
  const auto empty = Small()->Slice(0, 0);
  ExpectTable(ReadAll(ReadOf("parquet", {Write("a.parquet", empty)})), empty);
}

TEST_F(ParquetTest, ColumnsInAnotherOrderAreReordered) {
  const auto a = Write("a.parquet", Small());
  const auto b = Write("b.parquet", Small()->SelectColumns({2, 0, 1}).ValueOrDie());
  ExpectTable(
      ReadAll(ReadOf("parquet", {a, b})),
      arrow::ConcatenateTables({Small(), Small()}).ValueOrDie()->CombineChunks().ValueOrDie());
}

TEST_F(ParquetTest, MixedSchemasAreRefusedNamingBothFilesColumnAndTypes) {
  const auto a = Write("a.parquet", Small());
  const auto other = Write("b.parquet", TableOf({{"a", Column(arrow::utf8(), R"(["x"])")},
                                                 {"b", Column(arrow::utf8(), R"(["x"])")},
                                                 {"c", Column(arrow::float64(), "[1]")}}));
  ExpectError(ReadAll(ReadOf("parquet", {a, other})).status(), ErrorKind::kSchemaMismatch,
              {"a.parquet", "b.parquet", "Column 'a'", "int64", "string"});
}

TEST_F(ParquetTest, FilesThatDifferReadAsOneSchema) {
  Write("a.parquet", TableOf({{"n", Column(arrow::int32(), "[1]")},
                              {"x", Column(arrow::int64(), "[1]")},
                              {"t", Column(arrow::null(), "[null]")}}));
  Write("b.parquet", TableOf({{"new", Column(arrow::boolean(), "[true]")},
                              {"x", Column(arrow::float64(), "[2.5]")},
                              {"t", Column(arrow::utf8(), R"(["y"])")}}));
  const auto wanted = TableOf({{"n", Column(arrow::int32(), "[1, null]")},
                               {"x", Column(arrow::float64(), "[1, 2.5]")},
                               {"t", Column(arrow::utf8(), R"([null, "y"])")},
                               {"new", Column(arrow::boolean(), "[null, true]")}});
  ReadOp read = ReadOf("parquet", {folder_.path()});
  ExpectTable(ReadAll(read), wanted);
  read.columns = {"new", "x"};
  ExpectTable(ReadAll(read), wanted->SelectColumns({3, 1}).ValueOrDie());
  read.columns = {"nope"};
  EXPECT_THAT(ReadAll(read).status().message(), ::testing::EndsWith("columns: n, x, t, new"));
}

TEST_F(ParquetTest, AFilterOnAColumnThatAFileLacksSkipsNothingOfIt) {
  Write("a.parquet", TableOf({{"a", Column(arrow::int64(), "[1]")}}));
  Write("b.parquet", TableOf({{"b", Column(arrow::int64(), "[1]")}}));
  ReadOp read = ReadOf("parquet", {folder_.path()});
  read.filter = Compare("greater", "a", 3);
  EXPECT_THAT(SplitNames(read), ::testing::ElementsAre("b.parquet, row group 0"));
}

TEST_F(ParquetTest, AValueThatWouldChangeIsRefusedByFileAndColumn) {
  Write("a.parquet", TableOf({{"a", Column(arrow::float64(), "[1.5]")}}));
  Write("b.parquet", TableOf({{"a", Column(arrow::int64(), "[9007199254740993]")}}));
  ExpectError(ReadAll(ReadOf("parquet", {folder_.path()})).status(), ErrorKind::kSchemaMismatch,
              {"b.parquet, row group 0", "Column 'a'", "9007199254740993"});
}

TEST_F(ParquetTest, ManyFilesReadInTheirOrder) {
  constexpr int kFiles = 60;
  std::string values;
  for (int i = 0; i < kFiles; ++i) {
    values += fmt::format("{}{}", i == 0 ? "" : ", ", i);
    Write(
        fmt::format("{:03}.parquet", i),
        TableOf({{"a", Column(i == 7 ? arrow::int64() : arrow::int32(), fmt::format("[{}]", i))}}));
  }
  ExpectTable(ReadAll(ReadOf("parquet", {folder_.path()})),
              TableOf({{"a", Column(arrow::int64(), fmt::format("[{}]", values))}}));
}

TEST_F(ParquetTest, EveryTruncationIsAnErrorThatNamesTheFile) {
  const std::string bytes = ReadBytes(Write("a.parquet", Tiny()));
  for (size_t length = 0; length < bytes.size(); ++length) {
    folder_.Write("t.parquet", bytes.substr(0, length));
    ExpectError(ReadAll(ReadOf("parquet", {folder_.path("t.parquet")})).status(),
                ErrorKind::kCorruptData, {"t.parquet"});
  }
}

TEST_F(ParquetTest, NoFlippedByteCrashesTheReader) {
  const std::string bytes = ReadBytes(Write("a.parquet", Tiny()));
  for (size_t i = 0; i < bytes.size(); ++i) {
    std::string broken = bytes;
    broken[i] = static_cast<char>(broken[i] ^ 0xFF);
    folder_.Write("t.parquet", broken);
    static_cast<void>(ReadAll(ReadOf("parquet", {folder_.path("t.parquet")})));
  }
}

TEST_F(ParquetTest, SplitsAndChunksDoNotDependOnHowTheyAreListed) {
  Write("a.parquet", Small(), 1);
  Write("b.parquet", Small(), 1);
  const ReadOp read = ReadOf("parquet", {folder_.path()});
  const ReadLimits limits{.chunk_rows = 3};
  const auto at_once = AllSplits(*MakeSource(read, limits, 2).ValueOrDie()).ValueOrDie();
  const auto singly = AllSplits(*MakeSource(read, limits, 2).ValueOrDie(), 1).ValueOrDie();
  ASSERT_EQ(at_once.size(), singly.size());
  for (size_t i = 0; i < singly.size(); ++i) {
    EXPECT_EQ(at_once[i].name, singly[i].name);
    EXPECT_EQ(at_once[i].chunk, singly[i].chunk);
    EXPECT_EQ(at_once[i].chunk, static_cast<int64_t>(i) / 3);
  }
}

}  // namespace
}  // namespace penstock
