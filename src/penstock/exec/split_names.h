#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>

#include "penstock/base/mutex.h"

namespace penstock {

/// Numbers the splits and chunks of all reads of a job without collisions: those of read 0 as the
/// source does, those of read 1 after 2^40 of them, and so on.
constexpr int64_t JobWideNumber(int64_t read, int64_t number) { return (read << 40) + number; }

/// The names of the splits that each read listed last, for messages: many more than can be under
/// way, save for batches of very many small splits. Threads: any.
class SplitNames {
 public:
  static constexpr int64_t kNamesMax = 16'384;

  /// Adds a read's next split; `index` counts up from 0 in each read.
  void Add(int64_t read, int64_t index, std::string name);

  /// Returns the name of a split by its number in the job, or where the name is forgotten its
  /// number: "split 17".
  std::string NameOf(int64_t split) const;

 private:
  struct Names {
    std::deque<std::string> last;
    int64_t end = 0;  // The index after the last.
  };

  mutable Mutex mutex_;
  std::map<int64_t, Names> reads_ PENSTOCK_GUARDED_BY(mutex_);
};

}  // namespace penstock
