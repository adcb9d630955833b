#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "penstock/base/mutex.h"
#include "penstock/exec/stage_runner.h"

namespace penstock {

/// What the stage that sorts windows tells the one that restores their order: for each window, by
/// its number, where each row of the sorted window stood before.
///
/// Threads: any. Holds the windows that are between the two stages, which the budget bounds.
class WindowOrders {
 public:
  void Put(TaskId window, std::vector<int64_t> order) {
    MutexLock lock(mutex_);
    orders_[window] = std::move(order);
  }

  std::vector<int64_t> Take(TaskId window) {
    MutexLock lock(mutex_);
    const auto found = orders_.find(window);
    if (found == orders_.end()) return {};
    std::vector<int64_t> order = std::move(found->second);
    orders_.erase(found);
    return order;
  }

 private:
  Mutex mutex_;
  std::map<TaskId, std::vector<int64_t>> orders_ PENSTOCK_GUARDED_BY(mutex_);
};

/// Runs a kWindow stage: sorts each window's rows, the longest first, and yields them as one block
/// a batch. The length of text is its characters, of binary its bytes, of a list its items, of an
/// integer its value; nulls have none. Equally long rows keep their order.
/// `orders` is null where nobody restores the order.
/// Fails with KeyError for a missing column and TypeError for one without a length.
std::unique_ptr<StageRunner> MakeWindowRunner(RunnerContext context,
                                              std::shared_ptr<WindowOrders> orders);

/// Runs a kRestore stage: joins a window's blocks and puts its rows back into their order. Invalid
/// when the stages between have changed the number of rows.
std::unique_ptr<StageRunner> MakeRestoreRunner(RunnerContext context,
                                               std::shared_ptr<WindowOrders> orders);

}  // namespace penstock
