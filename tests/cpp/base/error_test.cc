#include "penstock/base/error.h"

#include <gtest/gtest.h>

#include "penstock/base/check.h"

namespace penstock {
namespace {

TEST(ErrorTest, CarriesKindAndPayloadOnTheStatus) {
  const Status status = MakeError(ErrorKind::kUserFunction, "it raised", std::string("a\0b", 3));
  ASSERT_NE(DetailOf(status), nullptr);
  EXPECT_EQ(DetailOf(status)->kind(), ErrorKind::kUserFunction);
  EXPECT_EQ(DetailOf(status)->payload(), std::string("a\0b", 3));
  EXPECT_EQ(status.message(), "it raised");
}

TEST(ErrorTest, KeepsTheDetailWhenTheMessageIsReplaced) {
  const Status status = MakeError(ErrorKind::kCancelled, "stopped").WithMessage("file x: stopped");
  ASSERT_NE(DetailOf(status), nullptr);
  EXPECT_EQ(DetailOf(status)->kind(), ErrorKind::kCancelled);
}

TEST(ErrorTest, ChoosesTheCodeByTheKind) {
  EXPECT_TRUE(MakeError(ErrorKind::kMissingPath, "").IsIOError());
  EXPECT_TRUE(MakeError(ErrorKind::kCorruptData, "").IsIOError());
  EXPECT_TRUE(MakeError(ErrorKind::kBudgetTooSmall, "").IsOutOfMemory());
  EXPECT_TRUE(MakeError(ErrorKind::kCancelled, "").IsCancelled());
  EXPECT_TRUE(MakeError(ErrorKind::kSchemaMismatch, "").IsInvalid());
}

TEST(ErrorTest, FindsNoDetailOnOtherStatuses) {
  EXPECT_EQ(DetailOf(Status::OK()), nullptr);
  EXPECT_EQ(DetailOf(Status::Invalid("x")), nullptr);
}

TEST(CheckDeathTest, AbortsAndNamesTheCondition) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(PENSTOCK_CHECK(1 + 1 == 3), "broken invariant at .*1 \\+ 1 == 3");
}

}  // namespace
}  // namespace penstock
