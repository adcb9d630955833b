#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>

#include "penstock/ledger/log_store.h"

namespace penstock {
namespace {

namespace files = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class LocalLogStoreTest : public ::testing::Test {
 protected:
  LocalLogStoreTest() {
    std::string pattern = files::temp_directory_path() / "penstock_log_XXXXXX";
    folder_ = mkdtemp(pattern.data());
  }
  ~LocalLogStoreTest() override { files::remove_all(folder_); }

  std::unique_ptr<LogStore> Make(const std::string& holder = "a process") {
    return MakeLocalLogStore(folder_ / "ledger", holder);
  }
  std::unique_ptr<LogStore> Created() {
    auto store = Make();
    EXPECT_TRUE(store->Create().ok());
    return store;
  }

  files::path folder_;
};

TEST_F(LocalLogStoreTest, HasNoEntriesBeforeItIsCreated) {
  EXPECT_THAT(Make()->List().ValueOrDie(), IsEmpty());
  EXPECT_TRUE(files::is_empty(folder_));
}

TEST_F(LocalLogStoreTest, KeepsTheFirstEntryOfANumber) {
  const auto store = Created();
  EXPECT_TRUE(store->PutIfAbsent(12, "one").ValueOrDie());
  EXPECT_FALSE(store->PutIfAbsent(12, "other").ValueOrDie());
  EXPECT_EQ(store->Read(12).ValueOrDie(), "one");
}

TEST_F(LocalLogStoreTest, TakesTheSameEntryTwiceForOne) {
  const auto store = Created();
  EXPECT_TRUE(store->PutIfAbsent(1, "one").ValueOrDie());
  EXPECT_TRUE(store->PutIfAbsent(1, "one").ValueOrDie());
}

TEST_F(LocalLogStoreTest, ListsEntriesInOrderAndNothingElse) {
  const auto store = Created();
  for (const int64_t number : {10, 9, 0}) ASSERT_TRUE(store->PutIfAbsent(number, "x").ok());
  std::ofstream(folder_ / "ledger/log/notes.json") << "x";
  std::ofstream(folder_ / "ledger/log/.1.deadbeef") << "x";
  EXPECT_THAT(store->List().ValueOrDie(), ElementsAre(0, 9, 10));
}

TEST_F(LocalLogStoreTest, LeavesNoTemporaryFiles) {
  const auto store = Created();
  ASSERT_TRUE(store->PutIfAbsent(0, "x").ok());
  ASSERT_TRUE(store->PutIfAbsent(0, "y").ok());
  EXPECT_EQ(std::distance(files::directory_iterator(folder_ / "ledger/log"), {}), 1);
}

TEST_F(LocalLogStoreTest, ListsRunsInOrderTheLongestFirst) {
  const auto store = Created();
  for (const EntryRun run : {EntryRun{16, 31}, EntryRun{0, 15}, EntryRun{0, 255}}) {
    ASSERT_TRUE(store->PutRun(run, "x").ok());
  }
  ASSERT_TRUE(store->PutIfAbsent(0, "x").ok());
  std::ofstream(folder_ / "ledger/log/00000000000000000009-00000000000000000000.jsonl") << "x";
  EXPECT_THAT(store->ListRuns().ValueOrDie(),
              ElementsAre(EntryRun{0, 255}, EntryRun{0, 15}, EntryRun{16, 31}));
  EXPECT_THAT(store->List().ValueOrDie(), ElementsAre(0));
}

TEST_F(LocalLogStoreTest, KeepsARunThatIsThere) {
  const auto store = Created();
  ASSERT_TRUE(store->PutRun({0, 15}, "one").ok());
  EXPECT_TRUE(store->PutRun({0, 15}, "other").ok());
  EXPECT_EQ(store->ReadRun({0, 15}).ValueOrDie(), "one");
}

TEST_F(LocalLogStoreTest, DropsWhatItIsToldAlone) {
  const auto store = Created();
  for (const int64_t number : {0, 1, 2}) ASSERT_TRUE(store->PutIfAbsent(number, "x").ok());
  ASSERT_TRUE(store->PutRun({0, 15}, "x").ok());
  EXPECT_TRUE(store->Drop({0, 2, 7}, {{0, 15}, {16, 31}}).ok());
  EXPECT_THAT(store->List().ValueOrDie(), ElementsAre(1));
  EXPECT_THAT(store->ListRuns().ValueOrDie(), IsEmpty());
}

TEST_F(LocalLogStoreTest, NamesAnEntryThatIsNotThere) {
  const Status status = Created()->Read(3).status();
  EXPECT_FALSE(status.ok());
  EXPECT_THAT(status.message(), HasSubstr("00000000000000000003.json"));
}

TEST_F(LocalLogStoreTest, RemovesWhatAnotherWasCutOffAt) {
  const auto store = Created();
  ASSERT_TRUE(store->PutIfAbsent(0, "x").ok());
  std::ofstream(folder_ / "ledger/log/.1.deadbeef") << "half an ent";
  ASSERT_TRUE(store->Lock().ValueOrDie());
  EXPECT_EQ(std::distance(files::directory_iterator(folder_ / "ledger/log"), {}), 1);
}

TEST_F(LocalLogStoreTest, SaysWhoHasTheLock) {
  const auto first = Make("process 1");
  const auto second = Make("process 2");
  ASSERT_TRUE(first->Create().ok());
  EXPECT_TRUE(first->Lock().ValueOrDie());
  EXPECT_FALSE(second->Lock().ValueOrDie());
  EXPECT_EQ(second->Holder(), "process 1");
}

TEST_F(LocalLogStoreTest, GivesTheLockUpWithItsProcess) {
  const auto store = Created();
  int ready[2];
  ASSERT_EQ(pipe(ready), 0);
  const pid_t child = fork();
  if (child == 0) {
    const auto own = Make("the child");
    const bool locked = own->Lock().ValueOr(false);
    const char answer = locked ? 'y' : 'n';
    if (write(ready[1], &answer, 1) != 1) _exit(1);
    while (true) pause();
  }
  char answer = 0;
  ASSERT_EQ(read(ready[0], &answer, 1), 1);
  EXPECT_EQ(answer, 'y');
  EXPECT_FALSE(store->Lock().ValueOrDie());
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  EXPECT_TRUE(store->Lock().ValueOrDie());
}

TEST_F(LocalLogStoreTest, ClearsItsEntriesAlone) {
  const auto store = Created();
  ASSERT_TRUE(store->PutIfAbsent(0, "x").ok());
  std::ofstream(folder_ / "ledger/log/notes.json") << "x";
  ASSERT_TRUE(store->PutRun({0, 15}, "x").ok());
  ASSERT_TRUE(store->Clear().ok());
  EXPECT_THAT(store->List().ValueOrDie(), IsEmpty());
  EXPECT_THAT(store->ListRuns().ValueOrDie(), IsEmpty());
  EXPECT_TRUE(files::exists(folder_ / "ledger/log/notes.json"));
}

TEST_F(LocalLogStoreTest, SaysWhichFolderCannotBeMade) {
  std::ofstream(folder_ / "file") << "x";
  const Status status = MakeLocalLogStore(folder_ / "file/ledger", "")->Create();
  EXPECT_TRUE(status.IsIOError());
  EXPECT_THAT(status.message(), HasSubstr("file/ledger"));
}

}  // namespace
}  // namespace penstock
