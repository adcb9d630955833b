#include "penstock/ledger/ledger.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ledger/memory_log_store.h"
#include "penstock/base/error.h"

namespace penstock {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const JobIdentity kJob{{"the input", "1"}, {"the code of Model", "2"}};

PartFile FileOf(const std::string& name) {
  return {.name = name, .temporary_name = name + ".tmp", .rows = 5, .bytes = 100, .crc32c = 7};
}

Progress ProgressOf(int64_t chunk, const std::string& name) {
  return {.chunks = {{chunk, chunk}}, .files = {FileOf(name)}, .rows = {.in = 6, .out = 5}};
}

ErrorKind KindOf(const Status& status) {
  const ErrorDetail* const detail = DetailOf(status);
  return detail == nullptr ? ErrorKind::kCancelled : detail->kind();
}

class LedgerTest : public ::testing::Test {
 protected:
  std::unique_ptr<Ledger> Open() {
    return Ledger::Open(std::make_unique<MemoryLogStore>(place_), "a process").ValueOrDie();
  }
  std::unique_ptr<Ledger> OpenAndBegin() {
    auto ledger = Open();
    EXPECT_TRUE(ledger->Begin(kJob).ok());
    return ledger;
  }

  const std::shared_ptr<MemoryPlace> place_ = std::make_shared<MemoryPlace>();
};

TEST_F(LedgerTest, FindsNothingWhereNoJobHasWritten) {
  const auto ledger = Open();
  EXPECT_EQ(ledger->found(), Ledger::Found::kNothing);
  EXPECT_EQ(ledger->DifferenceFrom(kJob), "");
  EXPECT_THAT(ledger->Files().ValueOrDie(), IsEmpty());
}

TEST_F(LedgerTest, GoesOnWhereTheJobWas) {
  {
    auto ledger = OpenAndBegin();
    ASSERT_TRUE(ledger->Add(ProgressOf(0, "a")).ok());
    ASSERT_TRUE(ledger->Add(ProgressOf(2, "c")).ok());
  }
  auto ledger = Open();
  EXPECT_EQ(ledger->found(), Ledger::Found::kUnfinished);
  EXPECT_THAT(ledger->done().Ranges(), ElementsAre(ChunkRange{0, 0}, ChunkRange{2, 2}));
  EXPECT_EQ(ledger->rows(), (RowCounts{.in = 12, .out = 10}));
  ASSERT_TRUE(ledger->Begin(kJob).ok());
  ASSERT_TRUE(ledger->End(ProgressOf(1, "b")).ok());
  EXPECT_EQ(Open()->found(), Ledger::Found::kFinished);
  EXPECT_THAT(Open()->Files().ValueOrDie(), ElementsAre(FileOf("a"), FileOf("c"), FileOf("b")));
  EXPECT_EQ(Open()->files_done(), 3);
}

TEST_F(LedgerTest, AddsRowsUpAsFarAsTheyCanBeTold) {
  auto ledger = OpenAndBegin();
  ASSERT_TRUE(ledger->Add({.rows = {.in = 6, .out = 3, .dead = 1, .filtered = 2}}).ok());
  ASSERT_TRUE(ledger->Add({.rows = {.in = 6, .out = 5, .filtered = 1}}).ok());
  EXPECT_EQ(ledger->rows(), (RowCounts{.in = 12, .out = 8, .dead = 1, .filtered = 3}));
  EXPECT_TRUE(ledger->rows().AddUp());
  ASSERT_TRUE(ledger->Add({.rows = {.in = 6, .out = 9, .filtered = std::nullopt}}).ok());
  ASSERT_TRUE(ledger->Add({.rows = {.in = 1, .out = 1}}).ok());
  EXPECT_EQ(ledger->rows().filtered, std::nullopt);
}

TEST_F(LedgerTest, NamesWhatOfTheJobHasChanged) {
  OpenAndBegin();
  EXPECT_EQ(Open()->DifferenceFrom(kJob), "");
  EXPECT_EQ(Open()->DifferenceFrom({{"the input", "9"}, {"the code of Model", "2"}}),
            "the input has changed");
  EXPECT_EQ(Open()->DifferenceFrom({{"the input", "9"}, {"the code of Other", "2"}}),
            "the code of Model, the code of Other, the input have changed");
}

TEST_F(LedgerTest, PassesOverWhatTheJobItselfChanges) {
  {
    auto ledger = OpenAndBegin();
    ledger->Ignore({"the input"});
    ASSERT_TRUE(ledger->Add(ProgressOf(0, "a")).ok());
  }
  JobIdentity now = kJob;
  now["the input"] = "grown";
  EXPECT_EQ(Open()->DifferenceFrom(now), "");
  now["the code of Model"] = "other";
  EXPECT_EQ(Open()->DifferenceFrom(now), "the code of Model has changed");
}

TEST_F(LedgerTest, TakesPartsThatMayBeNewForNoChange) {
  OpenAndBegin();
  JobIdentity now = kJob;
  now["the file log"] = "3 bytes";
  EXPECT_EQ(Open()->DifferenceFrom(now, {"the file log"}), "");
  EXPECT_EQ(Open()->DifferenceFrom(now), "the file log has changed");
  now["the input"] = "other";
  EXPECT_EQ(Open()->DifferenceFrom(now, {"the file log", "the input"}), "the input has changed");
}

TEST_F(LedgerTest, KnowsWhichFilesMayStillHaveTemporaryNames) {
  {
    auto ledger = OpenAndBegin();
    ASSERT_TRUE(ledger->Add(ProgressOf(0, "a")).ok());
    ledger->Published();
    ASSERT_TRUE(ledger->Add(ProgressOf(1, "b")).ok());
    ledger->Published();  // Which the log does not know.
  }
  EXPECT_THAT(Open()->Unpublished().ValueOrDie(), ElementsAre(FileOf("b")));
}

TEST_F(LedgerTest, RefusesASecondWriterWhileTheFirstLives) {
  auto first = OpenAndBegin();
  auto second = Open();
  const Status refused = second->Begin(kJob);
  EXPECT_EQ(KindOf(refused), ErrorKind::kOutputTaken);
  EXPECT_THAT(refused.message(), HasSubstr("the holder"));
  EXPECT_TRUE(first->Add(ProgressOf(0, "a")).ok());
  first.reset();
  EXPECT_TRUE(second->Begin(kJob).ok());
  EXPECT_THAT(second->done().Ranges(), ElementsAre(ChunkRange{0, 0}));
}

TEST_F(LedgerTest, FencesAWriterThatAnotherHasReplaced) {
  place_->knows_locks = false;
  auto paused = OpenAndBegin();
  ASSERT_TRUE(paused->Add(ProgressOf(0, "a")).ok());
  auto next = OpenAndBegin();
  ASSERT_TRUE(next->Add(ProgressOf(1, "b")).ok());
  EXPECT_EQ(KindOf(paused->Add(ProgressOf(1, "other"))), ErrorKind::kOutputTaken);
  EXPECT_EQ(KindOf(paused->End({})), ErrorKind::kOutputTaken);
  EXPECT_TRUE(next->End(ProgressOf(2, "c")).ok());
  EXPECT_THAT(Open()->Files().ValueOrDie(), ElementsAre(FileOf("a"), FileOf("b"), FileOf("c")));
}

TEST_F(LedgerTest, OneOfTwoThatBeginAtOnceIsRefused) {
  place_->knows_locks = false;
  auto first = Open();
  auto second = OpenAndBegin();
  ASSERT_TRUE(OpenAndBegin()->Add(ProgressOf(0, "a")).ok());
  EXPECT_EQ(KindOf(second->Add(ProgressOf(0, "b"))), ErrorKind::kOutputTaken);
  EXPECT_TRUE(first->Begin(kJob).ok());  // It looks again.
  EXPECT_THAT(first->done().Ranges(), ElementsAre(ChunkRange{0, 0}));
}

TEST_F(LedgerTest, AnEntryThatFailedIsThereOrNot) {
  for (const bool after : {false, true}) {
    *place_ = {};
    auto ledger = OpenAndBegin();
    place_->puts_until_failure = 0;
    place_->fails_after = after;
    EXPECT_TRUE(ledger->Add(ProgressOf(0, "a")).IsIOError());
    ledger.reset();
    EXPECT_EQ(Open()->done().Contains(0), after);
    EXPECT_EQ(Open()->Unpublished().ValueOrDie().size(), after ? 1U : 0U);
  }
}

TEST_F(LedgerTest, ForgetsAJobThatIsBegunAnew) {
  auto ledger = OpenAndBegin();
  ASSERT_TRUE(ledger->End(ProgressOf(0, "a")).ok());
  ASSERT_TRUE(ledger->Clear().ok());
  EXPECT_EQ(ledger->found(), Ledger::Found::kNothing);
  ASSERT_TRUE(ledger->Begin({{"the input", "other"}}).ok());
  EXPECT_TRUE(ledger->done().empty());
  EXPECT_EQ(Open()->DifferenceFrom({{"the input", "other"}}), "");
}

/// Of a finished job that has left rows out.
class RetryTest : public LedgerTest {
 protected:
  RetryTest() {
    auto ledger = Open();
    EXPECT_TRUE(ledger->Begin(kJob, "as Parquet").ok());
    Progress progress = ProgressOf(0, "a");
    progress.letters = {FileOf("letters 1"), FileOf("letters 2")};
    progress.rows.dead = 10;
    EXPECT_TRUE(ledger->End(std::move(progress)).ok());
  }

  static Progress Retried(const std::string& letters, const std::string& file) {
    return {.files = {FileOf(file)}, .taken = {FileOf(letters)}, .rows = {.out = 5, .dead = -5}};
  }
};

TEST_F(RetryTest, AJobStaysFinishedWhileRowsAreRunAgainAndAfter) {
  auto ledger = Open();
  EXPECT_EQ(ledger->write(), "as Parquet");
  ASSERT_TRUE(ledger->TidyUp().ValueOrDie());
  ASSERT_TRUE(ledger->BeginRetry().ok());
  EXPECT_EQ(Open()->found(), Ledger::Found::kFinished);
  ASSERT_TRUE(ledger->End(Retried("letters 1", "b")).ok());
  EXPECT_EQ(Open()->found(), Ledger::Found::kFinished);
  EXPECT_EQ(Open()->DifferenceFrom(kJob), "");
  EXPECT_EQ(Open()->rows(), (RowCounts{.in = 6, .out = 10, .dead = 5}));
  EXPECT_EQ(Open()->files_done(), 2);
}

TEST_F(RetryTest, LettersThatWereTakenAwayAreNoneAnyMore) {
  auto ledger = Open();
  EXPECT_THAT(ledger->FindDead().ValueOrDie().letters,
              ElementsAre(FileOf("letters 1"), FileOf("letters 2")));
  ASSERT_TRUE(ledger->TidyUp().ValueOrDie());
  ASSERT_TRUE(ledger->BeginRetry().ok());
  EXPECT_EQ(Open()->FindDead().ValueOrDie().letters.size(), 2U);
  Progress progress = Retried("letters 1", "b");
  progress.letters = {FileOf("letters 3")};
  ASSERT_TRUE(ledger->End(std::move(progress)).ok());
  EXPECT_THAT(Open()->FindDead().ValueOrDie().letters,
              ElementsAre(FileOf("letters 2"), FileOf("letters 3")));
  EXPECT_EQ(Open()->FindDead().ValueOrDie().retries, 1);
  EXPECT_THAT(Open()->TakenAway().ValueOrDie(), ElementsAre(FileOf("letters 1")));
}

TEST_F(RetryTest, WhoComesAfterOneThatWasCutOffEndsIt) {
  {
    auto cut_off = Open();
    ASSERT_TRUE(cut_off->TidyUp().ValueOrDie());
    ASSERT_TRUE(cut_off->BeginRetry().ok());
  }
  ASSERT_TRUE(Open()->TidyUp().ValueOrDie());
  EXPECT_EQ(ReadCommit(place_->entries.rbegin()->second, "").ValueOrDie().kind, CommitKind::kEnd);
  const size_t entries = place_->entries.size();
  ASSERT_TRUE(Open()->TidyUp().ValueOrDie());
  EXPECT_EQ(place_->entries.size(), entries);  // Nothing was left to end.
}

TEST_F(RetryTest, OneThatWasEndedByAnotherCannotCommit) {
  place_->knows_locks = false;
  auto paused = Open();
  ASSERT_TRUE(paused->TidyUp().ValueOrDie());
  ASSERT_TRUE(paused->BeginRetry().ok());
  auto next = Open();
  ASSERT_TRUE(next->TidyUp().ValueOrDie());
  ASSERT_TRUE(next->BeginRetry().ok());
  EXPECT_EQ(KindOf(paused->End(Retried("letters 1", "b"))), ErrorKind::kOutputTaken);
  EXPECT_TRUE(next->End(Retried("letters 1", "c")).ok());
  EXPECT_THAT(Open()->Unpublished().ValueOrDie(), ::testing::Contains(FileOf("c")));
}

TEST_F(RetryTest, TheLedgerOfAJobThatWasDoneWholeIsNotRemoved) {
  *place_ = {};
  auto ledger = OpenAndBegin();
  ASSERT_TRUE(ledger->End({.letters = {FileOf("letters")}, .rows = {.dead = 5}}).ok());
  ASSERT_TRUE(ledger->BeginRetry().ok());
  ledger->RemoveIfNothingIsDone();
  EXPECT_FALSE(place_->entries.empty());
}

TEST_F(LedgerTest, RefusesAnEntryUnderAnothersName) {
  OpenAndBegin();
  place_->entries[5] = place_->entries[0];
  const auto opened = Ledger::Open(std::make_unique<MemoryLogStore>(place_), "");
  EXPECT_EQ(KindOf(opened.status()), ErrorKind::kCorruptData);
  EXPECT_THAT(opened.status().message(), HasSubstr("log/5"));
}

}  // namespace
}  // namespace penstock
