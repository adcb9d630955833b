#include "penstock/ledger/log_compaction.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "ledger/memory_log_store.h"
#include "penstock/base/error.h"
#include "penstock/ledger/ledger.h"

namespace penstock {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Lt;
using ::testing::SizeIs;

const JobIdentity kJob{{"the input", "1"}};

Progress ProgressOf(int64_t chunk) {
  return {.chunks = {{chunk, chunk}},
          .files = {{.name = fmt::format("{}.csv", chunk), .rows = 1, .bytes = 2}},
          .rows = {.in = 1, .out = 1}};
}

class LogCompactionTest : public ::testing::Test {
 protected:
  std::unique_ptr<LogStore> Store() { return std::make_unique<MemoryLogStore>(place_); }
  std::unique_ptr<Ledger> Open() { return Ledger::Open(Store(), "a process").ValueOrDie(); }

  /// Adds entries `first` to `last`, with a chunk each but for entry 0, which begins.
  void Commit(Ledger& ledger, int64_t first, int64_t last) {
    for (int64_t number = first; number <= last; ++number) {
      ASSERT_TRUE((number == 0 ? ledger.Begin(kJob) : ledger.Add(ProgressOf(number))).ok());
    }
  }
  std::vector<int64_t> OwnFiles() { return Store()->List().ValueOrDie(); }
  std::vector<EntryRun> Runs() { return Store()->ListRuns().ValueOrDie(); }
  void ExpectEntries(int64_t count) {
    const auto store = Store();
    const auto entries = ReadEntries(*store).ValueOrDie();
    ASSERT_THAT(entries, SizeIs(count));
    for (int64_t number = 0; number < count; ++number) {
      EXPECT_EQ(entries[static_cast<size_t>(number)].number, number);
    }
  }

  const std::shared_ptr<MemoryPlace> place_ = std::make_shared<MemoryPlace>();
};

TEST(RunsBefore, AreAsLongAsTheyCanBe) {
  EXPECT_THAT(RunsBefore(15), IsEmpty());
  EXPECT_THAT(RunsBefore(17), ElementsAre(EntryRun{0, 15}));
  EXPECT_THAT(RunsBefore(256 + 40),
              ElementsAre(EntryRun{0, 255}, EntryRun{256, 271}, EntryRun{272, 287}));
  EXPECT_THAT(RunsBefore(100'000), SizeIs(Lt(60U)));
}

TEST_F(LogCompactionTest, ALogOfManyEntriesHasFewFilesAndAllEntries) {
  const auto ledger = Open();
  size_t files_max = 0;
  for (int64_t number = 0; number < 700; ++number) {
    Commit(*ledger, number, number);
    files_max = std::max(files_max, place_->entries.size() + place_->runs.size());
  }
  EXPECT_LT(files_max, 3U * 16U + 2U);
  ExpectEntries(700);
  EXPECT_EQ(Open()->done().size(), 699);
  EXPECT_THAT(Open()->Files().ValueOrDie(), SizeIs(699));
  EXPECT_EQ(Open()->DifferenceFrom(kJob), "");
}

TEST_F(LogCompactionTest, KeepsTheLastEntryAndTheLatestBeginInFilesOfTheirOwn) {
  const auto ledger = Open();
  Commit(*ledger, 0, 32);
  EXPECT_THAT(OwnFiles(), ElementsAre(0, 32));
  EXPECT_THAT(Runs(), ElementsAre(EntryRun{0, 15}, EntryRun{16, 31}));
}

TEST_F(LogCompactionTest, ARunThatGoesOnCompactsWhatAnEarlierOneHasLeft) {
  {
    const auto ledger = Open();
    Commit(*ledger, 0, 20);
    place_->runs.clear();  // As an older version left it, or one that was cut off.
  }
  const auto entries = std::exchange(place_->entries, {});
  {
    const auto other = std::make_shared<MemoryPlace>();
    const auto ledger = Ledger::Open(std::make_unique<MemoryLogStore>(other), "").ValueOrDie();
    ASSERT_TRUE(ledger->Begin(kJob).ok());
    for (int64_t number = 1; number < 16; ++number) {
      ASSERT_TRUE(ledger->Add(ProgressOf(number)).ok());
    }
    place_->entries = other->entries;
  }
  for (const auto& [number, text] : entries) place_->entries.try_emplace(number, text);
  ASSERT_TRUE(Open()->Begin(kJob).ok());
  EXPECT_THAT(Runs(), ElementsAre(EntryRun{0, 15}));
  EXPECT_THAT(OwnFiles(), ElementsAre(16, 17, 18, 19, 20, 21));
  ExpectEntries(22);
}

TEST_F(LogCompactionTest, PassesOverFilesWhoseEntriesLieInARunToo) {
  const auto ledger = Open();
  Commit(*ledger, 0, 15);
  const auto own = place_->entries;
  Commit(*ledger, 16, 16);
  for (const auto& [number, text] : own) place_->entries.try_emplace(number, text);
  ExpectEntries(17);
  Commit(*ledger, 17, 255);
  const auto runs = place_->runs;
  Commit(*ledger, 256, 256);
  for (const auto& [ends, text] : runs) place_->runs.try_emplace(ends, text);
  ExpectEntries(257);
  Commit(*ledger, 257, 272);
  EXPECT_THAT(Runs(), ElementsAre(EntryRun{0, 255}, EntryRun{256, 271}));
  EXPECT_THAT(OwnFiles(), ElementsAre(0, 272));
}

TEST_F(LogCompactionTest, FencesAWriterWhoseNumberLiesInARun) {
  place_->knows_locks = false;
  const auto paused = Open();
  Commit(*paused, 0, 3);
  const auto next = Open();
  ASSERT_TRUE(next->Begin(kJob).ok());
  Commit(*next, 5, 20);
  ASSERT_TRUE(Open()->Begin(kJob).ok());  // Entry 4 is no more the latest kBegin.
  const auto last = Open();
  ASSERT_TRUE(last->Begin(kJob).ok());
  ASSERT_THAT(OwnFiles(), ::testing::Not(::testing::Contains(4)));
  EXPECT_FALSE(paused->Add(ProgressOf(99)).ok());
  EXPECT_THAT(OwnFiles(), ::testing::Not(::testing::Contains(4)));
  EXPECT_FALSE(Open()->done().Contains(99));
}

TEST_F(LogCompactionTest, RefusesOneThatBeginsWhileAnotherCompacts) {
  place_->knows_locks = false;
  const auto writer = Open();
  Commit(*writer, 0, 3);
  const auto late = Open();
  place_->before_put = [&] { Commit(*writer, 4, 40); };
  EXPECT_FALSE(late->Begin(kJob).ok());
  EXPECT_TRUE(writer->Add(ProgressOf(41)).ok());
  ExpectEntries(42);
}

TEST_F(LogCompactionTest, NamesARunThatIsDamagedOrCutOff) {
  const auto ledger = Open();
  Commit(*ledger, 0, 16);
  std::string& run = place_->runs.begin()->second;
  const std::string whole = run;
  const auto expect_refused = [&](const std::string& text) {
    run = text;
    const auto store = Store();
    const Status status = ReadEntries(*store).status();
    ASSERT_NE(DetailOf(status), nullptr) << status.ToString();
    EXPECT_EQ(DetailOf(status)->kind(), ErrorKind::kCorruptData);
    EXPECT_THAT(status.message(), HasSubstr("log/0-15"));
  };
  for (size_t place = 0; place < whole.size(); place += 7) {
    std::string changed = whole;
    changed[place] = static_cast<char>(changed[place] ^ 0x04);
    expect_refused(changed);
    expect_refused(whole.substr(0, place));
  }
  expect_refused(whole + whole.substr(0, 5));
}

TEST_F(LogCompactionTest, LeavesALogAsItIsWhoseEntryIsDamaged) {
  const auto ledger = Open();
  Commit(*ledger, 0, 15);
  place_->entries[7][3] ^= 1;
  Commit(*ledger, 16, 17);
  EXPECT_THAT(Runs(), IsEmpty());
  EXPECT_THAT(OwnFiles(), SizeIs(18));
  const auto store = Store();
  EXPECT_THAT(ReadEntries(*store).status().message(), HasSubstr("log/7"));
}

}  // namespace
}  // namespace penstock
