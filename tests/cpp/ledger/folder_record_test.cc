#include "penstock/ledger/folder_record.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "penstock/base/error.h"
#include "penstock/ledger/ledger.h"
#include "penstock/ledger/verify.h"

namespace penstock {
namespace {

namespace files = std::filesystem;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

PartFile FileOf(const std::string& name) {
  return {.name = name, .temporary_name = "_penstock/pending/" + name};
}

class FolderRecordTest : public ::testing::Test {
 protected:
  FolderRecordTest() {
    std::string pattern = files::temp_directory_path() / "penstock_record_XXXXXX";
    folder_ = mkdtemp(pattern.data());
  }
  ~FolderRecordTest() override { files::remove_all(folder_); }

  std::unique_ptr<Ledger> Begun() {
    auto ledger = Ledger::Open(MakeLocalLogStore(folder_ + "/_penstock", ""), "").ValueOrDie();
    EXPECT_TRUE(ledger->Begin({{"the input", "1"}}).ok());
    return ledger;
  }
  void Write(const std::string& name) {
    files::create_directories(files::path(folder_ + "/" + name).parent_path());
    std::ofstream(folder_ + "/" + name) << name;
  }
  std::vector<std::string> Names() {
    const auto record = ReadFolderRecord(folder_).ValueOrDie();
    std::vector<std::string> names;
    for (const RecordedFile& file : record->files) {
      names.push_back(file.name);
    }
    return names;
  }

  std::string folder_;
};

TEST_F(FolderRecordTest, ThereIsNoneWithoutALedgerOrBeforeAnythingIsDone) {
  EXPECT_FALSE(ReadFolderRecord(folder_).ValueOrDie());
  const auto ledger = Begun();
  EXPECT_FALSE(ReadFolderRecord(folder_).ValueOrDie());
  ASSERT_TRUE(ledger->Add({.chunks = {{0, 0}}, .files = {FileOf("a")}}).ok());
  EXPECT_TRUE(ReadFolderRecord(folder_).ValueOrDie());
}

TEST_F(FolderRecordTest, FilesOfTheLastCommitsMayHaveTemporaryNames) {
  const auto ledger = Begun();
  ASSERT_TRUE(ledger->Add({.chunks = {{0, 0}}, .files = {FileOf("b")}}).ok());
  ledger->Published();
  ASSERT_TRUE(ledger->Add({.chunks = {{1, 1}}, .files = {FileOf("a")}}).ok());
  const auto record = ReadFolderRecord(folder_).ValueOrDie();
  EXPECT_FALSE(record->is_finished);
  EXPECT_THAT(record->files,
              ElementsAre(RecordedFile{.name = "a", .temporary_name = "_penstock/pending/a"},
                          RecordedFile{.name = "b", .temporary_name = ""}));
  ASSERT_TRUE(ledger->End({}).ok());
  EXPECT_TRUE(ReadFolderRecord(folder_).ValueOrDie()->is_finished);
}

TEST_F(FolderRecordTest, HasWhatWasThereBeforeTheJob) {
  for (const char* name : {"old.csv", "year=1/old.csv", "_hidden/old.csv", ".old"}) Write(name);
  const auto ledger = Begun();
  ASSERT_TRUE(RecordFoundFiles(folder_).ok());
  Write("late.csv");
  ASSERT_TRUE(ledger->Add({.chunks = {{0, 0}}, .files = {FileOf("a")}}).ok());
  EXPECT_THAT(Names(), ElementsAre("a", "old.csv", "year=1/old.csv"));
  EXPECT_FALSE(ReadFolderRecord(folder_).ValueOrDie()->files.back().is_own);
}

TEST_F(FolderRecordTest, FoundFilesAreRecordedOnce) {
  Begun();
  ASSERT_TRUE(RecordFoundFiles(folder_).ok());
  EXPECT_FALSE(files::exists(folder_ + "/_penstock/added"));  // There are none.
  Write("old.csv");
  ASSERT_TRUE(RecordFoundFiles(folder_).ok());
  ASSERT_TRUE(RecordFoundFiles(folder_).ok());
  EXPECT_THAT(ReadOtherFiles(folder_).ValueOrDie().found, ElementsAre("old.csv"));
}

TEST_F(FolderRecordTest, HasWhatOtherWritesHaveAddedHoweverMany) {
  const auto ledger = Begun();
  ASSERT_TRUE(ledger->End({.chunks = {{0, 0}}, .files = {FileOf("a")}}).ok());
  std::vector<std::string> wanted{"a"};
  for (int write = 100; write < 140; ++write) {
    ASSERT_TRUE(RecordAddedFiles(folder_, {FileOf(std::to_string(write))}).ok());
    wanted.insert(wanted.end() - 1, std::to_string(write));
  }
  EXPECT_THAT(Names(), ::testing::ElementsAreArray(wanted));
  const files::directory_iterator log(folder_ + "/_penstock/added/log");
  EXPECT_LT(std::distance(files::begin(log), files::end(log)), 20);
}

TEST_F(FolderRecordTest, NothingIsRecordedWhereNoJobKeepsALedger) {
  ASSERT_TRUE(RecordAddedFiles(folder_, {FileOf("a")}).ok());
  EXPECT_TRUE(files::is_empty(folder_));
}

TEST_F(FolderRecordTest, ADamagedEntryIsAnError) {
  const auto ledger = Begun();
  ASSERT_TRUE(ledger->End({.chunks = {{0, 0}}, .files = {FileOf("a")}}).ok());
  ASSERT_TRUE(RecordAddedFiles(folder_, {FileOf("b")}).ok());
  const std::string entry = folder_ + "/_penstock/added/log/00000000000000000000.json";
  std::ofstream(entry) << "half";
  const Status status = ReadFolderRecord(folder_).status();
  ASSERT_NE(DetailOf(status), nullptr);
  EXPECT_EQ(DetailOf(status)->kind(), ErrorKind::kCorruptData);
  EXPECT_THAT(status.message(), ::testing::HasSubstr(entry));
}

TEST_F(FolderRecordTest, OtherFilesAreNoProblemOfVerification) {
  Write("old.csv");
  const auto ledger = Begun();
  ASSERT_TRUE(RecordFoundFiles(folder_).ok());
  ASSERT_TRUE(ledger->End({.chunks = {{0, 0}}}).ok());
  EXPECT_THAT(VerifyOutput(folder_).ValueOrDie().problems, IsEmpty());
  Write("added.csv");
  EXPECT_THAT(VerifyOutput(folder_).ValueOrDie().problems,
              ElementsAre("added.csv is not in the ledger"));
  PartFile added{.name = "added.csv", .bytes = 1};
  ASSERT_TRUE(RecordAddedFiles(folder_, {added}).ok());
  EXPECT_THAT(VerifyOutput(folder_).ValueOrDie().problems,
              ElementsAre("added.csv has 9 bytes instead of 1"));
}

}  // namespace
}  // namespace penstock
