#include "penstock/exec/retry_rules.h"

#include <gtest/gtest.h>

#include <csignal>

namespace penstock {
namespace {

const std::vector<std::string> kReset{"builtins.ConnectionResetError", "builtins.ConnectionError",
                                      "builtins.OSError", "builtins.Exception"};
const std::vector<std::string> kMissing{"builtins.FileNotFoundError", "builtins.OSError",
                                        "builtins.Exception"};

ExceptionRetries Rule(const std::string& name) { return {.exception_class = "builtins." + name}; }

TEST(RetryRulesTest, TheNearestClassWithABudgetCounts) {
  RetryOptions options{.exceptions = {Rule("Exception"), Rule("ConnectionError")}};
  EXPECT_EQ(CauseOf(kReset, options), kByException + 1);
  EXPECT_EQ(CauseOf(kMissing, options), kByException);
}

TEST(RetryRulesTest, AnExceptionOfNoRuleHasNone) {
  EXPECT_EQ(CauseOf(kReset, {}), kNoCause);
  EXPECT_EQ(CauseOf({}, {.exceptions = {Rule("Exception")}}), kNoCause);
}

TEST(RetryRulesTest, ARuleMayLeaveClassesOut) {
  RetryOptions options{.exceptions = {Rule("OSError")}};
  options.exceptions[0].but = {"builtins.FileNotFoundError"};
  EXPECT_EQ(CauseOf(kReset, options), kByException);
  EXPECT_EQ(CauseOf(kMissing, options), kNoCause);
}

TEST(RetryRulesTest, DeathsCountAsTheyAreNamedOrElseTogether) {
  WorkerOptions options{.max_task_retries = 4};
  options.retries.timeout = 0;
  options.retries.exceptions = {Rule("Exception")};
  options.retries.exceptions[0].retries = -1;
  const std::vector<RetryBudget> budgets = BudgetsOf(options);
  ASSERT_EQ(budgets.size(), 4);
  EXPECT_EQ(budgets[kByCrash].retries, 4);
  EXPECT_EQ(budgets[kByTimeout].retries, 0);
  EXPECT_EQ(budgets[kByMemory].retries, 4);
  EXPECT_EQ(budgets[kByException].retries, -1);
  EXPECT_EQ(budgets[kByException].wait_ns, 1'000'000'000);
  EXPECT_TRUE(MayRetry(options));
  EXPECT_FALSE(MayRetry(WorkerOptions{.max_task_retries = 0}));
}

TEST(RetryRulesTest, SignalsThatOthersSendAreToldFromFaults) {
  const auto by = [](int signal) {
    return WorkerExit{.cause = ExitCause::kSignal, .signal = signal};
  };
  EXPECT_TRUE(WasKilled(by(SIGKILL)));
  EXPECT_TRUE(WasKilled(by(SIGTERM)));
  EXPECT_FALSE(WasKilled(by(SIGSEGV)));
  EXPECT_FALSE(WasKilled(by(SIGABRT)));
  EXPECT_FALSE(WasKilled({.cause = ExitCause::kOutOfMemory, .signal = SIGKILL}));
  EXPECT_FALSE(WasKilled({.cause = ExitCause::kExitCode, .exit_code = 1}));
}

}  // namespace
}  // namespace penstock
