#include "penstock/reading.h"

#include <arrow/filesystem/mockfs.h>
#include <gmock/gmock.h>

#include <chrono>
#include <fstream>

#include "face_rows.h"

namespace penstock {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

void WriteText(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

TEST(ReadingTest, PathsMayHoldAnyBytes) {
  const TemporaryFolder folder;
  const std::string path = folder.path() + "/a \"quoted\" \\ \xFF.csv";
  WriteText(path, "a\n1\n2\n");
  EXPECT_THAT(Values(ReadCsv({path})), ElementsAre(1, 2));
  EXPECT_THAT(ReadCsv({folder.path() + "/\xFF"}).Count().status().ToString(), HasSubstr("IOError"));
}

TEST(ReadingTest, ReadersTakeTheirOptions) {
  const TemporaryFolder folder;
  const std::string path = folder.path() + "/a.csv";
  WriteText(path, "5;6\n7;8\n");
  const ReadOptions options{
      .options_json = R"({"delimiter": ";", "column_names": ["a", "b"], "paths": ["other"]})"};
  EXPECT_THAT(Values(ReadCsv({path}, options), 1), ElementsAre(6, 8));
  EXPECT_THAT(ReadCsv({path}, {.options_json = "["}).Count().status().message(),
              HasSubstr("not a JSON object"));
}

TEST(ReadingTest, FilesOfEveryKindAreReadByItsName) {
  const TemporaryFolder folder;
  WriteText(folder.path() + "/a.txt", "first\nsecond\n");
  EXPECT_EQ(ReadFiles("text", {folder.path()}).Count().ValueOrDie(), 2);
  EXPECT_THAT(ReadFiles("texts", {folder.path()}).Count().status().message(),
              HasSubstr("no reader of this kind"));
}

TEST(ReadingTest, TheInputIsReadAsSoManyBlocks) {
  const TemporaryFolder folder;
  const std::string out = folder.path() + "/out";
  ASSERT_TRUE(Range(100).RepartitionToRows(10).WriteParquet(out).ok());
  EXPECT_EQ(ReadParquet({out}, {.blocks = 2}).Collect().ValueOrDie().size(), 2u);
  EXPECT_EQ(ReadParquet({out}).Collect().ValueOrDie().size(), 10u);
  EXPECT_THAT(ReadParquet({out}, {.blocks = 0}).Count().status().message(),
              HasSubstr("must be at least 1"));
}

TEST(ReadingTest, AFileSystemMayBeGivenForReadingAndForWriting) {
  const auto now = arrow::fs::TimePoint(std::chrono::seconds(1'000'000'000));
  const auto files = std::make_shared<arrow::fs::internal::MockFileSystem>(now);
  ASSERT_TRUE(Range(5).WriteParquet("out", {.file_system = files}).ok());
  EXPECT_EQ(ReadParquet({"out"}, {.file_system = files}).Count().ValueOrDie(), 5);
  EXPECT_FALSE(std::filesystem::exists("out"));
}

}  // namespace
}  // namespace penstock
