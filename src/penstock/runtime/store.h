#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "penstock/base/descriptor.h"
#include "penstock/base/status.h"
#include "penstock/runtime/spill.h"
#include "penstock/runtime/spill_space.h"

namespace penstock::runtime {

inline constexpr int64_t kRetryNs = 100'000'000;

/// Where a segment's bytes are.
enum class Residence : uint8_t {
  kMemory,
  kLeaving,  // In memory, and on their way to disk.
  kDisk,
  kComing,  // On disk, and on their way to memory.
};

class SegmentStore;

/// A segment of shared memory in which values lie.
struct StoredSegment {
  SegmentStore* store = nullptr;  // That knows it.
  uint64_t id = 0;
  uint64_t serial = 0;         // Never used again, as `id` may be.
  uint32_t maker = 0;          // The client; 0: the hub.
  OwnedDescriptor descriptor;  // kMemory, kLeaving.
  int64_t capacity = 0;
  Residence residence = Residence::kMemory;
  int64_t offset = -1;  // Of the copy on disk; -1: there is none.
  int64_t wanted = 0;   // By those who are about to be told of it: it is not spilled meanwhile.
  std::vector<std::pair<uint32_t, int64_t>>
      viewers;                        // Clients, and how often it was named to them.
  std::list<uint64_t>::iterator use;  // In memory: in the order of use.

  bool in_memory() const {
    return residence == Residence::kMemory || residence == Residence::kLeaving;
  }
};

/// The segments that values lie in, each known as long as one does or a client looks at it.
///
/// Beyond the limits of what may be in memory, segments at which no client looks go to disk, the
/// least recently used first, and come back when they are wanted. Where that fails, more is kept in
/// memory, but nothing new is taken. Threads: one at a time, beside the spiller's. Must outlive all
/// references that it has given.
class SegmentStore {
 public:
  struct Options {
    int64_t bytes_max = 0;
    int64_t segments_max = 0;  // In memory, as each has a descriptor.
    std::string spill_folder;
    /// Called with a client and the segment of that client's that is gone from here; must not call
    /// the store.
    std::function<void(uint32_t client, uint64_t segment)> reusable;
    /// Called by another thread when TakeSpilled has something to do.
    std::function<void()> spilled;
  };

  explicit SegmentStore(Options options);
  SegmentStore(const SegmentStore&) = delete;
  SegmentStore& operator=(const SegmentStore&) = delete;

  /// Takes over a segment that a client has made. Invalid unless it is a memfd of at least
  /// `capacity` bytes, sealed against shrinking, and its number is new and the client's.
  Result<std::shared_ptr<StoredSegment>> Adopt(uint32_t client, uint64_t id,
                                               OwnedDescriptor descriptor, int64_t capacity);

  /// Returns a segment that this client has made; null when there is none.
  std::shared_ptr<StoredSegment> Find(uint32_t client, uint64_t id);

  /// The segment, which is in memory, is named to a client, which looks at it until Unmapped was
  /// called as often.
  void Named(StoredSegment& segment, uint32_t client);
  void Unmapped(uint32_t client, uint64_t id);

  /// The client looks at nothing any more.
  void ClientGone(uint32_t client);

  /// Has a segment come back to memory, if it is not there, and stay until Unwant was called as
  /// often.
  void Want(StoredSegment& segment);
  void Unwant(StoredSegment& segment);

  /// Takes note of what was spilled and what came back, and returns the segments that did or, for
  /// the reason that goes with them, cannot.
  std::vector<std::pair<uint64_t, Status>> TakeSpilled();

  /// Says why nothing new may be taken, where that is so: memory is full, and so is the disk.
  Status CheckRoom() const { return bytes_ > options_.bytes_max ? full_ : Status::OK(); }

  /// Says the time: at least each kRetryNs while CheckRoom fails, to try again to make room.
  void Tick(int64_t now_ns);

  /// Returns whether more is in memory than should be, and is about to leave it.
  bool is_making_room() const { return leaving_ > 0 && bytes_ > options_.bytes_max; }

  int64_t bytes() const { return bytes_; }  // In memory.
  int64_t spilled_bytes() const { return spilled_bytes_; }

 private:
  struct Entry {
    std::unique_ptr<StoredSegment> segment;
    std::weak_ptr<StoredSegment> lent;
  };
  struct Wish {
    uint64_t segment = 0;  // Which may be gone by then,
    uint64_t serial = 0;   // and its number another's.
    int64_t offset = 0;
    int64_t bytes = 0;
    bool leaves = false;
  };
  using Outcome = Spiller::Outcome;

  std::shared_ptr<StoredSegment> Lend(StoredSegment* segment);
  void DropIfUnseen(uint64_t id);
  void MakeRoom();
  bool IsOver() const;
  bool MayLeave(const Entry& entry) const;
  StoredSegment* SegmentOf(const Wish& wish);
  void BeginToLeave(StoredSegment& segment);
  void Left(StoredSegment& segment, int64_t offset, const Status& status);
  void LeaveMemory(StoredSegment& segment);
  Status Came(StoredSegment& segment, Outcome& outcome);
  void ForgetCopy(StoredSegment& segment);

  const Options options_;
  std::unordered_map<uint64_t, Entry> segments_;
  std::list<uint64_t> uses_;  // Those in memory, least recently used first.
  int64_t bytes_ = 0;
  int64_t spilled_bytes_ = 0;
  int64_t leaving_ = 0;           // Bytes,
  int64_t leaving_segments_ = 0;  // and in how many.
  uint64_t last_serial_ = 0;
  uint64_t last_own_ = uint64_t{1} << 39;  // Beyond what else the hub numbers.
  Status full_;
  int64_t tried_ns_ = 0;  // When it was last tried again.

  SpillSpace space_;
  std::unordered_map<uint64_t, Wish> wishes_;
  uint64_t last_wish_ = 0;
  Spiller spiller_;
};

}  // namespace penstock::runtime
