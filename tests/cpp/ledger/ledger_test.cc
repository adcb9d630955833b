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

TEST_F(LedgerTest, RefusesAnEntryUnderAnothersName) {
  OpenAndBegin();
  place_->entries[5] = place_->entries[0];
  const auto opened = Ledger::Open(std::make_unique<MemoryLogStore>(place_), "");
  EXPECT_EQ(KindOf(opened.status()), ErrorKind::kCorruptData);
  EXPECT_THAT(opened.status().message(), HasSubstr("log/5"));
}

}  // namespace
}  // namespace penstock
