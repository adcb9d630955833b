#include <fmt/format.h>

#include <random>

#include "source/image_samples.h"
#include "source/source_testing.h"

namespace penstock {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;
using namespace testing;  // NOLINT: the samples.

std::string NumpyFile(const std::string& description, const std::string& values) {
  const std::string header = description + "\n";
  std::string file("\x93NUMPY\x01\x00", 8);
  file.push_back(static_cast<char>(header.size() & 0xFF));
  file.push_back(static_cast<char>(header.size() >> 8));
  file += header;
  file += values;
  return file;
}

const std::string kTwoRows = NumpyFile(  // NOLINT: of tests.
    "{'descr': '<i2', 'fortran_order': False, 'shape': (2, 3), }", std::string(12, '\1'));

std::vector<int64_t> RowsOf(const std::vector<Split>& splits) {
  std::vector<int64_t> rows;
  for (const Split& split : splits) rows.push_back(split.rows);
  return rows;
}

TEST(WholeFilesTest, AFileIsARowOfItsBytes) {
  const TemporaryFolder folder;
  folder.Write("b", "two");
  folder.Write("a", "");
  ExpectTable(
      ReadAll(ReadOf("binary_files", {folder.path()}, {{"include_paths", true}})),
      TableOf({{"bytes", Column(arrow::binary(), R"(["", "two"])")},
               {"path", Column(arrow::utf8(), fmt::format(R"(["{}/a", "{}/b"])", folder.path(),
                                                          folder.path()))}}));
}

TEST(WholeFilesTest, SplitsGrowFromOneFileToMany) {
  const TemporaryFolder folder;
  for (int i = 0; i < 30; ++i) folder.Write(fmt::format("{:02}", i), "x");
  const auto source = *MakeSource(ReadOf("binary_files", {folder.path()}), {}, 2);
  const auto splits = *AllSplits(*source);
  EXPECT_THAT(RowsOf(splits), ElementsAre(1, 1, 1, 1, 2, 2, 2, 2, 4, 4, 4, 4, 2));
  EXPECT_EQ(splits[0].name, folder.path("00"));
  EXPECT_EQ(splits[4].name,
            fmt::format("{} to {} (2 files)", folder.path("04"), folder.path("05")));
  EXPECT_EQ(*source->CountRows(), 30);
}

TEST(WholeFilesTest, SplitsAreTheSameHoweverTheyAreAskedFor) {
  const TemporaryFolder folder;
  for (int i = 0; i < 40; ++i) folder.Write(fmt::format("{:02}", i), std::string(i, 'x'));
  const ReadOp read = ReadOf("binary_files", {folder.path()});
  const auto at_once = *AllSplits(**MakeSource(read, {.block_bytes = 50}, 2));
  const auto one_by_one = *AllSplits(**MakeSource(read, {.block_bytes = 50}, 2), 1);
  ASSERT_EQ(at_once.size(), one_by_one.size());
  for (size_t i = 0; i < at_once.size(); ++i) EXPECT_EQ(at_once[i].name, one_by_one[i].name);
  for (const Split& split : at_once) EXPECT_TRUE(split.rows == 1 || split.bytes <= 50);
}

TEST(WholeFilesTest, AWishedNumberOfSplitsHasEvenCounts) {
  const TemporaryFolder folder;
  for (int i = 0; i < 7; ++i) folder.Write(fmt::format("{}", i), "x");
  ReadOp read = ReadOf("binary_files", {folder.path()});
  read.splits = 3;
  EXPECT_THAT(RowsOf(*AllSplits(**MakeSource(read, {}, 2))), ElementsAre(3, 2, 2));
  read.splits = 100;
  EXPECT_THAT(*AllSplits(**MakeSource(read, {}, 2)), SizeIs(7));
}

TEST(WholeFilesTest, ASeedDrawsTheOrderOfTheFiles) {
  const TemporaryFolder folder;
  for (int i = 0; i < 20; ++i) folder.Write(fmt::format("{:02}", i), fmt::format("{:02}", i));
  const auto read = [&folder](int seed) {
    return *ReadAll(ReadOf("binary_files", {folder.path()}, {{"shuffle_seed", seed}}));
  };
  EXPECT_TRUE(read(1)->Equals(*read(1)));
  EXPECT_FALSE(read(1)->Equals(*read(2)));
  EXPECT_EQ(read(1)->num_rows(), 20);
}

TEST(WholeFilesTest, ARowLimitSparesFiles) {
  const TemporaryFolder folder;
  for (int i = 0; i < 30; ++i) folder.Write(fmt::format("{:02}", i), "x");
  ReadOp read = ReadOf("binary_files", {folder.path()});
  read.row_limit = 5;
  EXPECT_THAT(RowsOf(*AllSplits(**MakeSource(read, {}, 2))), ElementsAre(1, 1, 1, 1, 2));
}

TEST(WholeFilesTest, PathsAloneOpenNoFile) {
  const TemporaryFolder folder;
  folder.Write("a.png", "not an image");
  ReadOp read = ReadOf("images", {folder.path()}, {{"include_paths", true}, {"mode", "L"}});
  read.columns = {{"path"}};
  EXPECT_EQ((*ReadAll(read))->num_rows(), 1);
}

TEST(WholeFilesTest, RowsOfOneBlockHaveEachTheirFilesPartitions) {
  const TemporaryFolder folder;
  folder.Write("a", "none");
  folder.Write("n=1/a", "one");
  folder.Write("n=2/a", "two");
  ReadOp read = ReadOf("binary_files", {folder.path()},
                       {{"partitioning", {{"style", "hive"}, {"field_types", {{"n", "int64"}}}}}});
  read.splits = 1;
  ExpectTable(ReadAll(read),
              TableOf({{"bytes", Column(arrow::binary(), R"(["none", "one", "two"])")},
                       {"n", Column(arrow::int64(), "[null, 1, 2]")}}));
  read.columns = {{"n"}};
  ExpectTable(ReadAll(read), TableOf({{"n", Column(arrow::int64(), "[null, 1, 2]")}}));
}

TEST(WholeFilesTest, ACompressionThatIsSaidCountsNotTheSuffix) {
  const TemporaryFolder folder;
  folder.Write("a.gz", "plain");
  const auto read = [&folder](const char* codec) {
    return ReadAll(ReadOf("binary_files", {folder.path()}, {{"compression", codec}}));
  };
  ExpectTable(read("none"), TableOf({{"bytes", Column(arrow::binary(), R"(["plain"])")}}));
  ExpectError(read("zstd").status(), ErrorKind::kCorruptData, {folder.path("a.gz")});
  EXPECT_THAT(read("rar").status().message(), HasSubstr("compression"));
}

TEST(WholeFilesTest, AFileThatIsGoneIsNamed) {
  const TemporaryFolder folder;
  folder.Write("a", "x");
  const auto source = *MakeSource(ReadOf("binary_files", {folder.path()}), {}, 2);
  const auto splits = *AllSplits(*source);
  std::filesystem::remove(folder.path("a"));
  ExpectError(ReadSplit(*source, splits[0]).status(), ErrorKind::kMissingPath, {folder.path("a")});
}

TEST(WholeFilesTest, OddNamesAreNamesLikeOthers) {
  const TemporaryFolder folder;
  for (const char* name : {"with space", "line\nbreak", "größe", "per%20cent", "a'b\"c"}) {
    folder.Write(name, name);
  }
  const auto table = *ReadAll(ReadOf("binary_files", {folder.path()}, {{"include_paths", true}}));
  EXPECT_EQ(table->num_rows(), 5);
  folder.Write("\xFF", "x");
  EXPECT_EQ((*ReadAll(ReadOf("binary_files", {folder.path()})))->num_rows(), 6);
  EXPECT_THAT(ReadAll(ReadOf("binary_files", {folder.path()}, {{"include_paths", true}}))
                  .status()
                  .message(),
              HasSubstr("UTF-8"));
}

TEST(WholeFilesTest, AnUnknownOptionIsRefused) {
  for (const char* kind : {"binary_files", "numpy", "images"}) {
    const Status status = MakeSource(ReadOf(kind, {"x"}, {{"colour", 1}}), {}, 2).status();
    EXPECT_THAT(status.message(), HasSubstr("colour")) << kind;
  }
}

TEST(NumpyTest, TheFirstDimensionIsTheRows) {
  const TemporaryFolder folder;
  folder.Write("a.npy", kTwoRows);
  folder.Write("b.npy", kTwoRows);
  const auto table = *ReadAll(ReadOf("numpy", {folder.path()}));
  EXPECT_EQ(table->num_rows(), 4);
  EXPECT_THAT(table->schema()->field(0)->type()->ToString(), HasSubstr("fixed_shape_tensor"));
}

TEST(NumpyTest, ColumnMajorAndBigEndianArraysAreTurned) {
  const TemporaryFolder folder;
  folder.Write("a.npy", NumpyFile("{'descr': '>i2', 'fortran_order': True, 'shape': (2, 2)}",
                                  std::string("\0\1\0\2\0\3\0\4", 8)));
  const auto table = *ReadAll(ReadOf("numpy", {folder.path("a.npy")}));
  const auto& tensor =
      static_cast<const arrow::ExtensionArray&>(*table->column(0)->chunk(0)).storage();
  const auto& lists = static_cast<const arrow::FixedSizeListArray&>(*tensor);
  EXPECT_TRUE(lists.values()->Equals(Column(arrow::int16(), "[1, 3, 2, 4]")));
}

TEST(NumpyTest, BooleansArePacked) {
  const TemporaryFolder folder;
  folder.Write("a.npy", NumpyFile("{'descr': '|b1', 'fortran_order': False, 'shape': (3,)}",
                                  std::string("\1\0\1", 3)));
  ExpectTable(ReadAll(ReadOf("numpy", {folder.path("a.npy")})),
              TableOf({{"data", Column(arrow::boolean(), "[true, false, true]")}}));
}

TEST(NumpyTest, GoodArraysThatNoColumnHoldsAreNotSupported) {
  const std::pair<std::string, std::string> cases[] = {
      {NumpyFile("{'descr': '|O', 'fortran_order': False, 'shape': (1,)}", "x"), "pickled"},
      {NumpyFile("{'descr': '<c16', 'fortran_order': False, 'shape': (1,)}", "x"), "<c16"},
      {NumpyFile("{'descr': '<M8[Y]', 'fortran_order': False, 'shape': (1,)}", "x"), "<M8[Y]"},
      {NumpyFile("{'descr': '<U1', 'fortran_order': False, 'shape': (1, 1)}", "abcd"),
       "dimensions: 2"},
      {NumpyFile("{'descr': [('a', '<i4')], 'fortran_order': False, 'shape': (1,)}", "x"),
       "structured"},
      {NumpyFile("{'descr': '<i4', 'fortran_order': False, 'shape': ()}", "1234"), "<i4"},
      {"PK\3\4", "npz"}};
  for (const auto& [bytes, wanted] : cases) {
    const TemporaryFolder folder;
    folder.Write("a.npy", bytes);
    const Status status = ReadAll(ReadOf("numpy", {folder.path()})).status();
    EXPECT_TRUE(status.IsNotImplemented()) << status.ToString();
    EXPECT_THAT(status.message(), HasSubstr("a.npy"));
    EXPECT_THAT(status.message(), HasSubstr(wanted));
  }
}

TEST(NumpyTest, WhatIsNotAnArrayIsRefusedWithTheReason) {
  const std::pair<std::string, std::string> cases[] = {
      {NumpyFile("{'descr': '<U1', 'fortran_order': False, 'shape': (1,)}",
                 std::string("\x00\xd8\x00\x00", 4)),
       "no character"},
      {NumpyFile("{'descr': '<U4', 'fortran_order': False, 'shape': (1,)}", "x"), "16 bytes"},
      {NumpyFile("{'descr': '<i4', 'fortran_order': False, 'shape': (4611686018427387904, 8)}", ""),
       "more than can be addressed"},
      {NumpyFile("{'descr': '<i4', 'fortran_order': False, 'shape': (4611686018427387904, 0)}", ""),
       "no values"},
      {"", "does not begin"}};
  for (const auto& [bytes, wanted] : cases) {
    const TemporaryFolder folder;
    folder.Write("a.npy", bytes);
    ExpectError(ReadAll(ReadOf("numpy", {folder.path()})).status(), ErrorKind::kCorruptData,
                {folder.path("a.npy"), wanted});
  }
}

TEST(NumpyTest, EveryTruncationIsRefused) {
  const TemporaryFolder folder;
  for (size_t length = 0; length < kTwoRows.size(); ++length) {
    folder.Write("a.npy", kTwoRows.substr(0, length));
    ExpectError(ReadAll(ReadOf("numpy", {folder.path()})).status(), ErrorKind::kCorruptData,
                {folder.path("a.npy")});
  }
}

TEST(NumpyTest, FlippedBitsNeverCrash) {
  const TemporaryFolder folder;
  std::mt19937 random(3);
  for (int round = 0; round < 500; ++round) {
    std::string bytes = kTwoRows;
    bytes[random() % bytes.size()] ^= static_cast<char>(1 << random() % 8);
    folder.Write("a.npy", bytes);
    const auto table = ReadAll(ReadOf("numpy", {folder.path()}));
    if (!table.ok()) {
      EXPECT_THAT(table.status().message(), HasSubstr("a.npy"));
    }
  }
}

TEST(NumpyTest, ADifferingFileIsNamed) {
  const TemporaryFolder folder;
  folder.Write("a.npy", kTwoRows);
  folder.Write("b.npy",
               NumpyFile("{'descr': '<f4', 'fortran_order': False, 'shape': (1,)}", "1234"));
  ExpectError(ReadAll(ReadOf("numpy", {folder.path()})).status(), ErrorKind::kSchemaMismatch,
              {folder.path("b.npy")});
}

TEST(ImagesTest, OneSizeAndModeMakeTensorsOfOneShape) {
  const TemporaryFolder folder;
  for (const ImageSample& sample : kImageSamples) {
    folder.Write(fmt::format("{}.png", sample.name), std::string(sample.bytes));
  }
  const auto table =
      *ReadAll(ReadOf("images", {folder.path()}, {{"size", {4, 5}}, {"mode", "RGB"}}));
  EXPECT_EQ(table->num_rows(), 10);
  EXPECT_THAT(table->schema()->field(0)->type()->ToString(), HasSubstr("shape=[4,5,3]"));
}

TEST(ImagesTest, WithoutASizeTheShapesVary) {
  const TemporaryFolder folder;
  folder.Write("a.png", std::string(kPng));
  folder.Write("b.png", std::string(kAlphaPng));
  const auto table = *ReadAll(ReadOf("images", {folder.path()}));
  EXPECT_EQ(table->num_rows(), 2);
  const auto& tensors =
      static_cast<const arrow::ExtensionArray&>(*table->column(0)->chunk(0)).storage();
  const auto& shapes = *static_cast<const arrow::StructArray&>(*tensors).field(1);
  EXPECT_TRUE(shapes.Equals(Column(shapes.type(), "[[6, 8, 3], [6, 8, 4]]")));
}

TEST(ImagesTest, ABrokenFileAmongGoodOnesIsNamed) {
  const TemporaryFolder folder;
  for (int i = 0; i < 9; ++i) folder.Write(fmt::format("{}.png", i), std::string(kPng));
  folder.Write("6.png", std::string(kPng.substr(0, 60)));
  ExpectError(ReadAll(ReadOf("images", {folder.path()})).status(), ErrorKind::kCorruptData,
              {folder.path("6.png")});
}

TEST(ImagesTest, AnOddSizeOrModeIsRefused) {
  for (const nlohmann::json& options :
       {nlohmann::json{{"size", {1}}}, nlohmann::json{{"size", {0, 5}}},
        nlohmann::json{{"size", {100'000, 100'000}}}, nlohmann::json{{"mode", "CMYK"}}}) {
    EXPECT_TRUE(MakeSource(ReadOf("images", {"x"}, options), {}, 2).status().IsInvalid())
        << options;
  }
}

}  // namespace
}  // namespace penstock
