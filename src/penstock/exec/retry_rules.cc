#include "penstock/exec/retry_rules.h"

#include <algorithm>
#include <array>
#include <csignal>
#include <limits>
#include <span>

namespace penstock {
namespace {

/// What people, schedulers and the like end a process with, and no fault of its own does.
constexpr std::array kSentSignals{SIGKILL, SIGTERM, SIGINT, SIGHUP, SIGQUIT};

int64_t NanosecondsOf(int64_t milliseconds) {
  return std::min(milliseconds, std::numeric_limits<int64_t>::max() / 1'000'000) * 1'000'000;
}

}  // namespace

std::vector<RetryBudget> BudgetsOf(const WorkerOptions& options) {
  const RetryOptions& retries = options.retries;
  const int otherwise = options.max_task_retries;
  std::vector<RetryBudget> budgets(kByException);
  budgets[kByCrash] = {.name = "crash", .retries = retries.crash.value_or(otherwise)};
  budgets[kByTimeout] = {.name = "time-out", .retries = retries.timeout.value_or(otherwise)};
  budgets[kByMemory] = {.name = "out of memory",
                        .retries = retries.out_of_memory.value_or(otherwise)};
  for (const ExceptionRetries& rule : retries.exceptions) {
    budgets.push_back({.name = rule.name,
                       .retries = rule.retries,
                       .wait_ns = NanosecondsOf(retries.wait_ms),
                       .wait_max_ns = NanosecondsOf(retries.wait_max_ms)});
  }
  return budgets;
}

bool MayRetry(const WorkerOptions& options) {
  return std::ranges::any_of(BudgetsOf(options),
                             [](const RetryBudget& budget) { return budget.retries != 0; });
}

Cause CauseOf(ExitCause exit) {
  if (exit == ExitCause::kTimeout) return kByTimeout;
  return exit == ExitCause::kOutOfMemory ? kByMemory : kByCrash;
}

Cause CauseOf(const std::vector<std::string>& classes, const RetryOptions& options) {
  const auto is_excepted = [&classes](const ExceptionRetries& rule) {
    return std::ranges::any_of(rule.but, [&classes](const std::string& name) {
      return std::ranges::find(classes, name) != classes.end();
    });
  };
  for (const std::string& name : classes) {
    for (size_t rule = 0; rule < options.exceptions.size(); ++rule) {
      const ExceptionRetries& one = options.exceptions[rule];
      if (one.exception_class == name && !is_excepted(one)) {
        return kByException + static_cast<Cause>(rule);
      }
    }
  }
  return kNoCause;
}

bool WasKilled(const WorkerExit& exit) {
  return exit.cause == ExitCause::kSignal &&
         std::ranges::find(kSentSignals, exit.signal) != kSentSignals.end();
}

}  // namespace penstock
