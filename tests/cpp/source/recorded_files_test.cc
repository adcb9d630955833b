#include "penstock/source/recorded_files.h"

#include <arrow/filesystem/localfs.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <utility>

#include "penstock/base/error.h"
#include "penstock/source/file_lister.h"
#include "source/source_testing.h"

namespace penstock {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::TemporaryFolder;

std::map<std::string, RecordedFolder> records;  // By folder.
Status record_failure;

Result<std::optional<RecordedFolder>> ReadFake(const std::string& folder) {
  if (!record_failure.ok()) return record_failure;
  const auto found = records.find(folder);
  return found == records.end() ? std::nullopt : std::optional(found->second);
}

class RecordedFilesTest : public ::testing::Test {
 protected:
  RecordedFilesTest() { SetRecordReader(ReadFake); }
  ~RecordedFilesTest() override {
    SetRecordReader(nullptr);
    records.clear();
    record_failure = Status::OK();
  }

  std::string At(const std::string& name) const { return folder_.path(name); }

  Result<std::vector<InputFile>> List(const std::string& path) {
    return FileLister({.paths = {path}}, {"csv"}, FileSizes::kWanted).Next(1000);
  }
  std::vector<std::string> PathsOf(const std::string& path) {
    std::vector<std::string> paths;
    for (const InputFile& file : List(path).ValueOrDie()) paths.push_back(file.path);
    return paths;
  }

  const TemporaryFolder folder_;
};

TEST_F(RecordedFilesTest, AFolderHasWhatIsOnRecordAlone) {
  for (const char* name : {"a.csv", "b.csv", "stray.csv"}) folder_.Write(name, "x\n1\n");
  records[folder_.path()] = {.is_finished = true, .files = {{.name = "a.csv"}, {.name = "b.csv"}}};
  EXPECT_THAT(PathsOf(folder_.path()), ElementsAre(At("a.csv"), At("b.csv")));
  EXPECT_THAT(PathsOf(folder_.path() + "/"), ElementsAre(At("a.csv"), At("b.csv")));
  EXPECT_THAT(PathsOf(At("*.csv")), ElementsAre(At("a.csv"), At("b.csv"), At("stray.csv")));
}

TEST_F(RecordedFilesTest, FilesComeAsTextSortsThem) {
  for (const char* name : {"k/a.csv", "k-1.csv", "kk.csv"}) folder_.Write(name, "x\n1\n");
  records[folder_.path()] = {
      .files = {{.name = "kk.csv"}, {.name = "k/a.csv"}, {.name = "k-1.csv"}}};
  EXPECT_THAT(PathsOf(folder_.path()), ElementsAre(At("k-1.csv"), At("k/a.csv"), At("kk.csv")));
}

TEST_F(RecordedFilesTest, AFileIsReadFromItsTemporaryNameUntilItHasItsOwn) {
  folder_.Write("_penstock/pending/1.tmp", "x\n1\n");
  records[folder_.path()] = {
      .files = {{.name = "a.csv", .temporary_name = "_penstock/pending/1.tmp"}}};
  const std::vector<InputFile> files = List(folder_.path()).ValueOrDie();
  ASSERT_EQ(files.size(), 1U);
  EXPECT_EQ(files.front().path, At("a.csv"));
  EXPECT_EQ(files.front().bytes, 4);
  EXPECT_EQ(ReadWhole(files.front(), 100).ValueOrDie()->ToString(), "x\n1\n");
  std::filesystem::rename(At("_penstock/pending/1.tmp"), At("a.csv"));
  EXPECT_EQ(ReadWhole(files.front(), 100).ValueOrDie()->ToString(), "x\n1\n");
  EXPECT_TRUE(OpenStream(files.front()).ok());
}

TEST_F(RecordedFilesTest, AFileThatIsNotThereIsAnErrorThatNamesAWayOut) {
  folder_.Write("b.csv", "x\n1\n");
  records[folder_.path()] = {.files = {{.name = "a.csv", .temporary_name = "1.tmp"}}};
  const Status status = List(folder_.path()).status();
  ASSERT_NE(DetailOf(status), nullptr);
  EXPECT_EQ(DetailOf(status)->kind(), ErrorKind::kCorruptData);
  EXPECT_THAT(status.message(), AllOf(HasSubstr(At("a.csv")), HasSubstr(At("*.csv"))));
}

TEST_F(RecordedFilesTest, AFileThatWasThereBeforeMayGo) {
  folder_.Write("b.csv", "x\n1\n");
  records[folder_.path()] = {.files = {{.name = "a.csv", .is_own = false}, {.name = "b.csv"}}};
  EXPECT_THAT(PathsOf(folder_.path()), ElementsAre(At("b.csv")));
}

TEST_F(RecordedFilesTest, FilesOfOtherFormatsAreNeitherReadNorStrays) {
  for (const char* name : {"a.csv", "b.txt"}) folder_.Write(name, "x\n1\n");
  records[folder_.path()] = {.files = {{.name = "a.csv"}, {.name = "c.json"}}};
  arrow::fs::LocalFileSystem local;
  const RecordedPlaces places =
      FindRecorded(local, folder_.path(), records[folder_.path()], [](std::string_view name) {
        return name.ends_with(".csv");
      }).ValueOrDie();
  EXPECT_THAT(places.files, ElementsAre(RecordedPlace{.location = At("a.csv"), .lies_at = ""}));
  EXPECT_THAT(places.strays, IsEmpty());
  EXPECT_EQ(places.FileSystem(), nullptr);
}

TEST_F(RecordedFilesTest, FoldersBelowHaveRecordsOfTheirOwn) {
  for (const char* name : {"one/a.csv", "one/stray.csv", "two/b.csv", "two/deep/c.csv", "d.csv"}) {
    folder_.Write(name, "x\n1\n");
  }
  records[At("one")] = {.files = {{.name = "a.csv"}}};
  EXPECT_THAT(PathsOf(folder_.path()),
              ElementsAre(At("d.csv"), At("one/a.csv"), At("two/b.csv"), At("two/deep/c.csv")));
  records[At("two")] = {.files = {{.name = "b.csv"}}};
  records[At("two/deep")] = {.files = {{.name = "c.csv"}}};
  EXPECT_THAT(PathsOf(folder_.path()),
              ElementsAre(At("d.csv"), At("one/a.csv"), At("two/b.csv"), At("two/deep/c.csv")));
}

TEST_F(RecordedFilesTest, ARecordThatCannotBeReadIsAnErrorThatNamesAWayOut) {
  folder_.Write("a.csv", "x\n1\n");
  record_failure = MakeError(ErrorKind::kCorruptData, "An entry is damaged; got: log/7");
  const Status status = List(folder_.path()).status();
  ASSERT_NE(DetailOf(status), nullptr);
  EXPECT_EQ(DetailOf(status)->kind(), ErrorKind::kCorruptData);
  EXPECT_THAT(status.message(), AllOf(HasSubstr("log/7"), HasSubstr(At("*.csv"))));
  EXPECT_THAT(PathsOf(At("*.csv")), ElementsAre(At("a.csv")));
}

TEST_F(RecordedFilesTest, TheUserIsToldOnceOfStraysAndOfAJobThatIsNotDone) {
  for (const char* name : {"a.csv", "s1.csv", "s2.csv"}) folder_.Write(name, "x\n1\n");
  records[folder_.path()] = {.is_finished = false, .files = {{.name = "a.csv"}}};
  ::testing::internal::CaptureStderr();
  PathsOf(folder_.path());
  PathsOf(folder_.path());
  const std::string said = ::testing::internal::GetCapturedStderr();
  EXPECT_THAT(said, AllOf(HasSubstr("has not finished"), HasSubstr("2 of the files in"),
                          HasSubstr(At("s1.csv"))));
  EXPECT_EQ(std::ranges::count(said, '\n'), 2);
}

}  // namespace
}  // namespace penstock
