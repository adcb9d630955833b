#include "penstock/exec/dispatcher_pool_size.h"

#include <algorithm>

namespace penstock::dispatch {
namespace {

constexpr int64_t kWindowNs = 300'000'000;
constexpr int kIdleWindows = 6;  // So many idle ones in a row cost a worker.
constexpr double kBusyIdleMax =
    0.1;                          // Workers' worth of idle time in a window that counts as busy.
constexpr double kGainMin = 0.1;  // Of what one more worker should add.

}  // namespace

void PoolSize::Begin(const Look& look) {
  size_ = look.up;
  begun_ = {.at_ns = look.now_ns, .idle_ns = look.idle_ns, .rows = look.rows_done};
}

PoolSize::Wish PoolSize::Decide(const Look& look) {
  if (!elastic()) return Wish::kKeep;
  if (look.changing > 0 || look.up != size_) {
    Begin(look);
    return Wish::kKeep;
  }
  const int64_t passed_ns = look.now_ns - begun_.at_ns;
  if (passed_ns < kWindowNs) return Wish::kKeep;
  const double rate = static_cast<double>(look.rows_done - begun_.rows) / passed_ns;
  const double idle = static_cast<double>(look.idle_ns - begun_.idle_ns) / passed_ns;
  const bool tells_nothing = look.rows_done == begun_.rows && idle <= kBusyIdleMax;
  if (tells_nothing) return Wish::kKeep;  // A batch takes longer than a window: wait for its end.
  const Wish wish = EndWindow(look, rate, idle);
  Begin(look);
  return wish;
}

PoolSize::Wish PoolSize::EndWindow(const Look& look, double rate, double idle) {
  if (size_ <= size_before_) rate_before_ = -1;  // There was no room for one more.
  if (rate_before_ >= 0) {
    const double hoped = rate_before_ / std::max(1, size_ - 1);
    const bool helps = idle > kBusyIdleMax || rate >= rate_before_ + kGainMin * hoped;
    rate_before_ = -1;
    if (!helps && size_ > least_) {
      useless_ = size_;
      return Wish::kShrink;
    }
  }
  idle_windows_ = idle >= 1.0 ? idle_windows_ + 1 : 0;
  if (idle_windows_ >= kIdleWindows && size_ > least_) {
    idle_windows_ = 0;
    return Wish::kShrink;
  }
  const bool queue_waits = look.ready >= int64_t{size_} * look.in_flight;
  if (idle > kBusyIdleMax || !queue_waits || size_ + 1 > std::min(most_, useless_ - 1)) {
    return Wish::kKeep;
  }
  rate_before_ = rate;
  size_before_ = size_;
  return Wish::kGrow;
}

}  // namespace penstock::dispatch
