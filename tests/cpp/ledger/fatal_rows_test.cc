#include "penstock/ledger/fatal_rows.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>

namespace penstock {
namespace {

namespace files = std::filesystem;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

FatalRow RowOf(int64_t chunk, const std::string& content = "0123") {
  return {.conditions = "conditions",
          .stage = 1,
          .chunk = chunk,
          .origin = {{.split = chunk, .first_row = 7, .rows = 1}},
          .content = content,
          .attempts = 4,
          .cause = "crash",
          .message = "the worker was killed by signal 11 (SIGSEGV)",
          .traceback = "last words, \xff no text"};
}

/// As it is read: what is no text has been replaced.
FatalRow ReadBack(FatalRow row) {
  row.traceback = "last words, \xEF\xBF\xBD no text";
  return row;
}

class FatalRowsTest : public ::testing::Test {
 protected:
  FatalRowsTest() {
    // In memory, where there is such a place: sync is quick there.
    const bool in_memory = access("/dev/shm", W_OK) == 0;
    const files::path place = in_memory ? files::path("/dev/shm") : files::temp_directory_path();
    std::string pattern = place / "penstock_fatal_XXXXXX";
    folder_ = mkdtemp(pattern.data());
  }
  ~FatalRowsTest() override { files::remove_all(folder_); }

  /// Returns what the next run knows.
  std::vector<FatalRow> KnownToTheNext(const ChunkSet& done = {}) {
    FatalRows next(folder_);
    next.Load(done);
    return next.of_earlier_runs();
  }
  int64_t Files() {
    if (!files::exists(folder_ / "fatal_rows")) return 0;
    return std::distance(files::directory_iterator(folder_ / "fatal_rows"), {});
  }

  files::path folder_;
};

TEST_F(FatalRowsTest, TellsTheNextRunWhatThisOneFound) {
  FatalRows rows(folder_);
  rows.Load({});
  ASSERT_TRUE(rows.Put(RowOf(3)).ok());
  ASSERT_TRUE(rows.Put(RowOf(5)).ok());
  ASSERT_TRUE(rows.Put(RowOf(5, "another row")).ok());
  EXPECT_TRUE(rows.has_some());
  EXPECT_THAT(rows.of_earlier_runs(), IsEmpty());
  EXPECT_THAT(KnownToTheNext(), UnorderedElementsAre(ReadBack(RowOf(3)), ReadBack(RowOf(5)),
                                                     ReadBack(RowOf(5, "another row"))));
}

TEST_F(FatalRowsTest, KeepsARowThatIsFoundTwiceOnce) {
  FatalRows rows(folder_);
  ASSERT_TRUE(rows.Put(RowOf(3)).ok());
  FatalRow again = RowOf(3);
  again.attempts = 9;
  ASSERT_TRUE(rows.Put(again).ok());
  FatalRows other(folder_);
  ASSERT_TRUE(other.Put(again).ok());
  EXPECT_THAT(KnownToTheNext(), ElementsAre(ReadBack(RowOf(3))));
}

TEST_F(FatalRowsTest, ForgetsTheRowsOfChunksThatAreCommitted) {
  FatalRows rows(folder_);
  ASSERT_TRUE(rows.Put(RowOf(3)).ok());
  ASSERT_TRUE(rows.Put(RowOf(5)).ok());
  rows.Forget({{2, 4}});
  EXPECT_EQ(Files(), 1);
  ASSERT_TRUE(rows.Put(RowOf(3)).ok()) << "one that was still being written";
  EXPECT_THAT(KnownToTheNext(), ElementsAre(ReadBack(RowOf(5))));
  rows.Clear();
  EXPECT_FALSE(rows.has_some());
  ASSERT_TRUE(rows.Put(RowOf(5)).ok());
  EXPECT_FALSE(files::exists(folder_ / "fatal_rows"));
}

TEST_F(FatalRowsTest, RemovesWhatTheRunBeforeHasCommittedAndNotForgotten) {
  FatalRows rows(folder_);
  ASSERT_TRUE(rows.Put(RowOf(3)).ok());
  ASSERT_TRUE(rows.Put(RowOf(5)).ok());
  EXPECT_THAT(KnownToTheNext(ChunkSet({{3, 3}})), ElementsAre(ReadBack(RowOf(5))));
  EXPECT_EQ(Files(), 1);
}

TEST_F(FatalRowsTest, PassesOverWhatIsDamagedAtAnyByte) {
  FatalRows rows(folder_);
  ASSERT_TRUE(rows.Put(RowOf(3)).ok());
  const files::path path = files::directory_iterator(folder_ / "fatal_rows")->path();
  std::ifstream file(path, std::ios::binary);
  const std::string sound(std::istreambuf_iterator<char>(file), {});
  for (size_t byte = 0; byte < sound.size(); ++byte) {
    std::string damaged = sound;
    damaged[byte] ^= 1;
    std::ofstream(path, std::ios::binary) << damaged;
    ASSERT_THAT(KnownToTheNext(), IsEmpty()) << "byte " << byte;
    ASSERT_EQ(Files(), 0);
    std::ofstream(path, std::ios::binary) << sound.substr(0, byte);
    ASSERT_THAT(KnownToTheNext(), IsEmpty()) << "cut at byte " << byte;
  }
}

TEST_F(FatalRowsTest, RemovesWhatARunWasCutOffAt) {
  FatalRows rows(folder_);
  ASSERT_TRUE(rows.Put(RowOf(3)).ok());
  std::ofstream(folder_ / "fatal_rows/.half.json.deadbeef") << "half a r";
  EXPECT_EQ(KnownToTheNext().size(), 1);
  EXPECT_EQ(Files(), 1);
}

TEST_F(FatalRowsTest, RemembersSoManyAndNoMore) {
  FatalRows rows(folder_);
  for (size_t row = 0; row < FatalRows::kRowsMax + 3; ++row) {
    ASSERT_TRUE(rows.Put(RowOf(3, std::to_string(row))).ok());
  }
  EXPECT_EQ(Files(), FatalRows::kRowsMax);
}

TEST_F(FatalRowsTest, SaysWhatTheDiskRefuses) {
  FatalRows rows((folder_ / "is not there").string());
  EXPECT_FALSE(rows.Put(RowOf(3)).ok());
  EXPECT_FALSE(rows.has_some());
}

}  // namespace
}  // namespace penstock
