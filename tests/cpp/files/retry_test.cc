#include "penstock/files/retry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "files/faulty_file_system.h"
#include "penstock/base/error.h"

namespace penstock {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::ManualClock;
using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""s;

const RetryPolicy kPolicy{
    .attempts_max = 5, .first_wait = 100ms, .wait_max = 500ms, .total_max = 10s};

Status Reset() {
  return arrow::internal::StatusFromErrno(ECONNRESET, arrow::StatusCode::IOError, "reset");
}

TEST(Retrier, WaitsLongerEachTimeUpToALimitAndThenGivesUp) {
  const auto clock = std::make_shared<ManualClock>();
  int attempts = 0;
  const Status status = Retrier(kPolicy, clock).Run("read", "s3://b/a", [&](int attempt) {
    EXPECT_EQ(attempt, attempts++);
    return Reset();
  });
  EXPECT_EQ(attempts, 5);
  EXPECT_THAT(clock->waits_ms, ElementsAre(100, 200, 400, 500));
  EXPECT_EQ(DetailOf(status)->kind(), ErrorKind::kUnreachable);
  EXPECT_THAT(status.message(), HasSubstr("Cannot read: reset (tried 5 times); check the network"));
  EXPECT_THAT(status.message(), ::testing::EndsWith("got: s3://b/a"));
}

TEST(Retrier, DrawsUpToHalfOfEachWaitAway) {
  const auto clock = std::make_shared<ManualClock>();
  clock->draw = 0.5;
  static_cast<void>(Retrier(kPolicy, clock).Run("read", "a", [](int) { return Reset(); }));
  EXPECT_THAT(clock->waits_ms, ElementsAre(75, 150, 300, 375));
}

TEST(Retrier, BeginsNoAttemptAfterTheTotal) {
  const auto clock = std::make_shared<ManualClock>();
  int attempts = 0;
  const Status status = Retrier(kPolicy, clock).Run("read", "a", [&](int) {
    ++attempts;
    clock->Pass(6s);
    return Reset();
  });
  EXPECT_FALSE(status.ok());
  EXPECT_EQ(attempts, 2);
}

TEST(Retrier, TriesOnceWhatWillNotPass) {
  const auto clock = std::make_shared<ManualClock>();
  int attempts = 0;
  const Status status = Retrier(kPolicy, clock).Run("read", "s3://b/a", [&](int) {
    ++attempts;
    return Status::IOError("AWS Error ACCESS_DENIED during GetObject operation");
  });
  EXPECT_EQ(attempts, 1);
  EXPECT_EQ(DetailOf(status)->kind(), ErrorKind::kAccessDenied);
  EXPECT_THAT(status.message(), HasSubstr("give credentials"));
}

TEST(Retrier, ReturnsTheFirstSuccess) {
  const auto clock = std::make_shared<ManualClock>();
  const Status status = Retrier(kPolicy, clock).Run("read", "a", [](int attempt) {
    return attempt < 3 ? Reset() : Status::OK();
  });
  EXPECT_TRUE(status.ok());
  EXPECT_EQ(clock->waits_ms.size(), 3U);
}

TEST(Retrier, TriesAgainWhatTheUserNames) {
  RetryPolicy policy = kPolicy;
  policy.retried_errors = {"odd weather"};
  const auto clock = std::make_shared<ManualClock>();
  const auto fails_once = [](int attempt) {
    return attempt == 0 ? Status::Invalid("very odd weather today") : Status::OK();
  };
  EXPECT_TRUE(Retrier(policy, clock).Run("read", "a", fails_once).ok());
  EXPECT_FALSE(Retrier(kPolicy, clock).Run("read", "a", fails_once).ok());
}

}  // namespace
}  // namespace penstock
