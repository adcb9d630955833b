#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "penstock/base/mutex.h"

namespace penstock {

/// A standard stream of a worker process.
enum class StandardStream : uint8_t { kOutput, kErrors };

/// A line that a worker has printed, its name before it, without the line's end.
struct WorkerLine {
  StandardStream stream = StandardStream::kOutput;
  std::string text;
};

/// What waits at most; nobody may have taken any for a while.
inline constexpr int64_t kWaitingLinesMax = 10'000;
inline constexpr int64_t kWaitingLineBytesMax = int64_t{4} << 20;

/// The lines that a job's workers have printed, until the thread that waits for the job takes and
/// shows them: engine threads write to no stream, which could block them, and know nothing of
/// Python's.
///
/// Threads: any. Nothing here waits; what finds no room is counted and left out.
/// Order: of one stream of one worker as printed; of several as they were read.
class WorkerLines {
 public:
  void Add(StandardStream stream, std::string text);

  /// Takes all lines, and after them one that says how many found no room.
  std::vector<WorkerLine> TakeAll();

 private:
  Mutex mutex_;
  std::vector<WorkerLine> lines_ PENSTOCK_GUARDED_BY(mutex_);
  int64_t bytes_ PENSTOCK_GUARDED_BY(mutex_) = 0;
  int64_t left_out_ PENSTOCK_GUARDED_BY(mutex_) = 0;
};

/// Returns "… 12,345 lines left out".
std::string LeftOutText(int64_t lines);

}  // namespace penstock
