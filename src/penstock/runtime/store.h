#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <unordered_map>
#include <utility>
#include <vector>

#include "penstock/base/status.h"
#include "penstock/worker/descriptor.h"

namespace penstock::runtime {

/// A segment of shared memory in which values lie.
struct StoredSegment {
  uint64_t id = 0;
  uint32_t maker = 0;  // The client; 0: the hub.
  OwnedDescriptor descriptor;
  int64_t capacity = 0;
  std::vector<std::pair<uint32_t, int64_t>>
      viewers;  // Clients, and how often it was named to them.
};

/// The segments that values lie in, each known as long as one does or a client looks at it.
///
/// Threads: one at a time. Must outlive all references that it has given.
class SegmentStore {
 public:
  /// `reusable` is called with a client and the segment of that client's that is gone from here. It
  /// must not call the store.
  explicit SegmentStore(std::function<void(uint32_t client, uint64_t segment)> reusable)
      : reusable_(std::move(reusable)) {}
  SegmentStore(const SegmentStore&) = delete;
  SegmentStore& operator=(const SegmentStore&) = delete;

  /// Takes over a segment that a client has made. Invalid unless it is a memfd of at least
  /// `capacity` bytes, sealed against shrinking, and its number is new and the client's.
  Result<std::shared_ptr<StoredSegment>> Adopt(uint32_t client, uint64_t id,
                                               OwnedDescriptor descriptor, int64_t capacity);

  /// Returns a segment that this client has made; null when there is none.
  std::shared_ptr<StoredSegment> Find(uint32_t client, uint64_t id);

  /// The segment is named to a client, which looks at it until Unmapped was called as often.
  static void Named(StoredSegment& segment, uint32_t client);
  void Unmapped(uint32_t client, uint64_t id);

  /// The client looks at nothing any more.
  void ClientGone(uint32_t client);

  int64_t bytes() const { return bytes_; }  // Of all segments.

 private:
  std::shared_ptr<StoredSegment> Lend(StoredSegment* segment);
  void Unreferenced(uint64_t id);
  void DropIfUnseen(uint64_t id);

  struct Entry {
    std::unique_ptr<StoredSegment> segment;
    std::weak_ptr<StoredSegment> lent;
  };

  const std::function<void(uint32_t, uint64_t)> reusable_;
  std::unordered_map<uint64_t, Entry> segments_;
  int64_t bytes_ = 0;
};

}  // namespace penstock::runtime
