#include "penstock/files/retry.h"

#include <algorithm>
#include <random>
#include <thread>

#include "penstock/files/failure.h"

namespace penstock {
namespace {

constexpr int kDoublingsMax = 20;

class SystemClock final : public RetryClock {
 public:
  std::chrono::steady_clock::time_point Now() override { return std::chrono::steady_clock::now(); }
  void Wait(std::chrono::nanoseconds time) override { std::this_thread::sleep_for(time); }
  double Draw() override {
    thread_local std::minstd_rand generator{std::random_device{}()};
    return std::uniform_real_distribution<double>{}(generator);
  }
};

}  // namespace

std::shared_ptr<RetryClock> SystemRetryClock() {
  static const auto clock = std::make_shared<SystemClock>();
  return clock;
}

Status Retrier::Run(const std::string& doing, const std::string& path,
                    const std::function<Status(int attempt)>& attempt) const {
  const auto begin = clock_->Now();
  for (int number = 0;; ++number) {
    const Status status = attempt(number);
    if (status.ok()) return status;
    const FailureClass failure = ClassOf(status, policy_.retried_errors);
    const auto wait = WaitAfter(number);
    const bool gives_up = failure != FailureClass::kTransient ||
                          number + 1 >= policy_.attempts_max ||
                          clock_->Now() - begin + wait > policy_.total_max;
    if (gives_up) return RemoteFailure(status, failure, doing, path, number + 1);
    clock_->Wait(wait);
  }
}

std::chrono::nanoseconds Retrier::WaitAfter(int attempt) const {
  const auto doubled = policy_.first_wait * (int64_t{1} << std::min(attempt, kDoublingsMax));
  const std::chrono::nanoseconds longest = std::min(doubled, policy_.wait_max);
  return std::chrono::nanoseconds(
      static_cast<int64_t>(static_cast<double>(longest.count()) * (1 - clock_->Draw() / 2)));
}

}  // namespace penstock
