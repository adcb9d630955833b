#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

#include "penstock/base/mutex.h"

namespace penstock::python {

/// The segments that this process does not look at any more, until the hub is told.
///
/// Threads: any; its lock is taken last, so that memory may be let go of wherever that happens.
class Unmapped {
 public:
  /// Counts a segment as often as values have named it.
  void Add(uint64_t segment, int64_t times);
  std::vector<uint64_t> Take();

 private:
  Mutex mutex_;
  std::vector<uint64_t> ids_ PENSTOCK_GUARDED_BY(mutex_);
};

/// Memory of a segment that this process maps.
class SegmentMemory {
 public:
  /// Maps what another process made, for reading alone. Takes the descriptor, and keeps it for
  /// what is large. Throws std::runtime_error when the kernel refuses.
  static std::shared_ptr<SegmentMemory> Map(int descriptor, int64_t capacity);

  /// Makes a sealed memfd, mapped for writing. Throws std::bad_alloc.
  static std::shared_ptr<SegmentMemory> Make(uint64_t id, int64_t capacity);

  ~SegmentMemory();
  SegmentMemory(const SegmentMemory&) = delete;
  SegmentMemory& operator=(const SegmentMemory&) = delete;

  uint64_t id() const { return id_; }  // 0 of another process's.
  int descriptor() const { return descriptor_; }
  uint8_t* data() const { return data_; }
  int64_t capacity() const { return capacity_; }

 private:
  SegmentMemory(uint64_t id, int descriptor, uint8_t* data, int64_t capacity)
      : id_(id), descriptor_(descriptor), data_(data), capacity_(capacity) {}

  const uint64_t id_;
  const int descriptor_;  // -1: not kept.
  uint8_t* const data_;
  const int64_t capacity_;
};

/// Part of a segment, mapped so that what is written stays here: a page is copied when it is
/// written to. Throws std::runtime_error when the kernel refuses.
///
/// Whoever has it keeps the segment as it is.
class PrivateBytes {
 public:
  PrivateBytes(std::shared_ptr<const void> keeper, const SegmentMemory& memory,
               std::span<const uint8_t> bytes);
  ~PrivateBytes();
  PrivateBytes(const PrivateBytes&) = delete;
  PrivateBytes& operator=(const PrivateBytes&) = delete;

  std::span<uint8_t> bytes() const { return bytes_; }

 private:
  const std::shared_ptr<const void> keeper_;
  std::span<uint8_t> mapped_;
  std::span<uint8_t> bytes_;
};

/// Keeps a segment's memory while somebody looks at a value in it; when the last has gone, the hub
/// is owed word of it.
class SegmentView {
 public:
  SegmentView(uint64_t id, std::shared_ptr<SegmentMemory> memory,
              std::shared_ptr<Unmapped> unmapped)
      : id_(id), memory_(std::move(memory)), unmapped_(std::move(unmapped)) {}
  ~SegmentView();
  SegmentView(const SegmentView&) = delete;
  SegmentView& operator=(const SegmentView&) = delete;

  const SegmentMemory& memory() const { return *memory_; }

  /// One more value has named the segment. Called by the thread that reads alone.
  void Named() { ++times_; }

 private:
  const uint64_t id_;
  const std::shared_ptr<SegmentMemory> memory_;
  const std::shared_ptr<Unmapped> unmapped_;
  int64_t times_ = 0;
};

/// This process's own segments, written once each time round: given to the hub with a value, and
/// taken back for the next once nobody has them (kReusable).
///
/// Idle ones are kept up to kIdleBytesMax, warm: the first touch of a fresh page costs many times
/// what writing a warm one does. A wish gets one of up to twice its size.
/// Threads: any; its lock is taken last.
class OwnSegments {
 public:
  static constexpr int64_t kIdleBytesMax = int64_t{256} << 20;

  /// Returns an idle segment of this size, or null: then one is to be made, of SizeFor(bytes).
  std::shared_ptr<SegmentMemory> TakeIdle(int64_t bytes);
  static int64_t SizeFor(int64_t bytes);

  /// The hub has it now.
  void Sent(std::shared_ptr<SegmentMemory> memory);

  /// Nobody has it any more, the hub included.
  void GiveBack(std::shared_ptr<SegmentMemory> memory);
  void Reusable(uint64_t id);

  /// Returns one that the hub has, or null.
  std::shared_ptr<SegmentMemory> Find(uint64_t id);

 private:
  void Keep(std::shared_ptr<SegmentMemory> memory) PENSTOCK_REQUIRES(mutex_);

  Mutex mutex_;
  std::unordered_map<uint64_t, std::shared_ptr<SegmentMemory>> sent_ PENSTOCK_GUARDED_BY(mutex_);
  // The one idle for longest first.
  std::deque<std::shared_ptr<SegmentMemory>> idle_ PENSTOCK_GUARDED_BY(mutex_);
  int64_t idle_bytes_ PENSTOCK_GUARDED_BY(mutex_) = 0;
};

/// The segments that this process looks at, by id, so that each is mapped once.
///
/// Threads: under its owner's lock.
class SegmentViews {
 public:
  explicit SegmentViews(std::shared_ptr<Unmapped> unmapped) : unmapped_(std::move(unmapped)) {}

  /// Returns the view of a segment that somebody looks at already, or null.
  std::shared_ptr<SegmentView> Find(uint64_t id) const;
  std::shared_ptr<SegmentView> Add(uint64_t id, std::shared_ptr<SegmentMemory> memory);

 private:
  const std::shared_ptr<Unmapped> unmapped_;
  std::unordered_map<uint64_t, std::weak_ptr<SegmentView>> views_;
  size_t swept_ = 0;  // How many were left when those that have gone were last taken out.
};

}  // namespace penstock::python
