#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "penstock/base/status.h"

namespace penstock {

/// How often, and for how long, an operation is tried that fails for a reason that may pass.
struct RetryPolicy {
  int attempts_max = 6;
  std::chrono::milliseconds first_wait{200};    // Twice as long before each attempt that follows,
  std::chrono::milliseconds wait_max{5'000};    // but no longer than this.
  std::chrono::milliseconds total_max{60'000};  // No attempt begins later.
  std::vector<std::string> retried_errors;      // Texts of further errors that may pass.
};

/// Time and chance, as the retries see them. Threads: any.
class RetryClock {
 public:
  virtual ~RetryClock() = default;
  virtual std::chrono::steady_clock::time_point Now() = 0;
  virtual void Wait(std::chrono::nanoseconds time) = 0;
  virtual double Draw() = 0;  // In [0, 1).
};

/// The machine's own; one for all.
std::shared_ptr<RetryClock> SystemRetryClock();

/// Tries operations on remote files again when ClassOf (failure.h) says that it may help. It waits
/// in between, in the calling thread: longer each time, and a random part less, up to a half, so
/// that many threads do not come back at once. Threads: any.
class Retrier {
 public:
  explicit Retrier(RetryPolicy policy, std::shared_ptr<RetryClock> clock = SystemRetryClock())
      : policy_(std::move(policy)), clock_(std::move(clock)) {}

  /// Calls `attempt` with 0, 1, … until it succeeds, fails for good or the policy is exhausted.
  /// Errors are RemoteFailure's; `doing` and `path` say what failed.
  Status Run(const std::string& doing, const std::string& path,
             const std::function<Status(int attempt)>& attempt) const;

  const RetryPolicy& policy() const { return policy_; }

 private:
  std::chrono::nanoseconds WaitAfter(int attempt) const;

  const RetryPolicy policy_;
  const std::shared_ptr<RetryClock> clock_;  // Shared with other retriers.
};

}  // namespace penstock
