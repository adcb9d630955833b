#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "penstock/base/descriptor.h"
#include "penstock/base/mutex.h"
#include "penstock/base/status.h"

namespace penstock::runtime {

/// Writes segments of shared memory to a file that has no name, and reads them back, on a thread of
/// its own: a disk may take seconds. File and thread come with the first wish.
///
/// Threads: any. Order: as wished. Ends: the destructor waits for what is being written or read.
class Spiller {
 public:
  /// What has become of a wish.
  struct Outcome {
    uint64_t wish = 0;
    Status status;
    OwnedDescriptor memory;  // Of Read.
  };

  /// The file lies in `folder`. `done` is called, on the spiller's thread, when outcomes can be
  /// taken; it must not call the spiller.
  Spiller(std::string folder, std::function<void()> done)
      : folder_(std::move(folder)), done_(std::move(done)) {}
  ~Spiller();

  /// Writes the first `bytes` of a memory file to the offset. Has an outcome.
  void Write(uint64_t wish, OwnedDescriptor memory, int64_t offset, int64_t bytes);

  /// Reads so many bytes into a new memory file, sealed against growing and shrinking. Likewise.
  void Read(uint64_t wish, int64_t offset, int64_t bytes);

  /// Lets the file system have the space again. No outcome.
  void Forget(int64_t offset, int64_t bytes);

  std::vector<Outcome> TakeOutcomes();

 private:
  enum class WishKind : uint8_t { kWrite, kRead, kForget };
  struct Wish {
    WishKind kind = WishKind::kWrite;
    uint64_t number = 0;
    OwnedDescriptor memory;
    int64_t offset = 0;
    int64_t bytes = 0;
  };

  void Add(Wish wish);
  void Run();
  Outcome Fulfil(Wish& wish);
  Status OpenFile();

  const std::string folder_;
  const std::function<void()> done_;
  OwnedDescriptor file_;  // The thread's alone.

  Mutex mutex_;  // Guards what follows.
  ConditionVariable wished_;
  std::deque<Wish> wishes_ PENSTOCK_GUARDED_BY(mutex_);
  std::vector<Outcome> outcomes_ PENSTOCK_GUARDED_BY(mutex_);
  bool closed_ PENSTOCK_GUARDED_BY(mutex_) = false;
  std::thread thread_ PENSTOCK_GUARDED_BY(mutex_);
};

}  // namespace penstock::runtime
