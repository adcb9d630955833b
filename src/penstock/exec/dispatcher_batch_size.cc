#include "penstock/exec/dispatcher_batch_size.h"

#include <algorithm>

namespace penstock::dispatch {
namespace {

constexpr int64_t kBatchesAtASize = 3;
constexpr double kGainMin = 0.05;  // A doubling must save this share of a row's time.

}  // namespace

void BatchSize::Learn(int64_t rows, int64_t bytes, int64_t busy_ns) {
  if (settled_ || rows != rows_) return;
  Cost& cost = costs_[rows];
  cost.best_ns = cost.batches == 0 ? busy_ns : std::min(cost.best_ns, busy_ns);
  if (++cost.batches >= kBatchesAtASize) GrowOrStay(bytes, cost);
}

void BatchSize::GrowOrStay(int64_t bytes, const Cost& cost) {
  const double row_ns = static_cast<double>(cost.best_ns) / static_cast<double>(rows_);
  if (row_ns_before_ && row_ns > *row_ns_before_ * (1 - kGainMin)) {
    if (row_ns > *row_ns_before_) rows_ /= 2;
    settled_ = true;
    return;
  }
  const bool too_much =
      2 * rows_ > kRowsMax || 2 * bytes > kBytesMax || 2 * cost.best_ns > kBusyMaxNs;
  if (too_much) {
    settled_ = true;
    return;
  }
  row_ns_before_ = row_ns;
  rows_ *= 2;
}

}  // namespace penstock::dispatch
