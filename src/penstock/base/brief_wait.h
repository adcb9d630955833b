#pragma once

#include <sched.h>

#include <chrono>

namespace penstock {

/// Waits for what comes soon without falling asleep: waking a thread costs some 30 µs on a virtual
/// machine, which is more than a small batch takes. It only looks for as long as that pays, lets
/// others have the processor meanwhile, and looks at all only while what it waited for last came
/// so soon.
///
/// Threads: one at a time.
class BriefWait {
 public:
  /// Returns true once `is_ready()` does; false when it is better to sleep.
  template <typename IsReady>
  bool For(IsReady is_ready) {
    begun_ = Clock::now();
    if (!comes_soon_) return is_ready();
    while (!is_ready()) {
      if (Clock::now() - begun_ > kLookFor) return false;
      ::sched_yield();
    }
    return true;
  }

  /// It has come, after For and perhaps after sleep.
  void Came() { comes_soon_ = Clock::now() - begun_ < kSoon; }

 private:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::microseconds kLookFor{50};
  static constexpr std::chrono::microseconds kSoon{200};

  Clock::time_point begun_;
  bool comes_soon_ = false;
};

}  // namespace penstock
