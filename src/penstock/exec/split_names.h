#pragma once

#include <cstdint>
#include <deque>
#include <string>

#include "penstock/base/mutex.h"

namespace penstock {

/// The names of the splits listed last, for messages: many more than can be under way, save for
/// batches of very many small splits. Threads: any.
class SplitNames {
 public:
  static constexpr int64_t kNamesMax = 16'384;

  /// Adds the next split's name; `index` counts up from 0.
  void Add(int64_t index, std::string name);

  /// Returns the split's name, or its number where the name is forgotten: "split 17".
  std::string NameOf(int64_t index) const;

 private:
  mutable Mutex mutex_;
  std::deque<std::string> names_ PENSTOCK_GUARDED_BY(mutex_);
  int64_t end_ PENSTOCK_GUARDED_BY(mutex_) = 0;  // The index after the last.
};

}  // namespace penstock
