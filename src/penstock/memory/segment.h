#pragma once

#include <arrow/buffer.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <span>

#include "penstock/base/status.h"

namespace penstock {

/// One piece of shared memory (a sealed memfd) that this process and workers map.
///
/// Ownership: shared between whoever reads or fills it; when the last reference goes, the pool
/// takes the memory back for the next Acquire. Threads: the bytes are not synchronised; a segment
/// has one writer at a time, by protocol.
class Segment {
 public:
  virtual ~Segment() = default;
  Segment(const Segment&) = delete;
  Segment& operator=(const Segment&) = delete;

  uint64_t id() const { return id_; }  // Unique in this process, never used again.
  int descriptor() const { return descriptor_; }
  uint8_t* data() const { return data_; }
  int64_t capacity() const { return capacity_; }

 protected:
  Segment(uint64_t id, int descriptor, uint8_t* data, int64_t capacity)
      : id_(id), descriptor_(descriptor), data_(data), capacity_(capacity) {}

 private:
  const uint64_t id_;
  const int descriptor_;
  uint8_t* const data_;
  const int64_t capacity_;
};

/// Returns a buffer over part of a segment; the buffer keeps the segment.
std::shared_ptr<arrow::Buffer> SegmentBuffer(std::shared_ptr<Segment> segment, int64_t offset,
                                             int64_t bytes);

/// Hands out segments and keeps those given back, warm, for the next caller: the first touch of a
/// fresh page costs many times what writing a warm one does.
///
/// A segment keeps its id through reuse, so workers map it once. Idle segments are kept up to
/// `idle_bytes_max` and 256 in number (each has a descriptor); beyond it the least recently used
/// are freed. Sizes are rounded up to a few classes (waste at most a quarter); a larger idle
/// segment serves a smaller wish up to four times its size.
/// Threads: any. Segments may outlive the pool. Errors: OutOfMemory or IOError from the kernel.
class SegmentPool {
 public:
  static std::shared_ptr<SegmentPool> Make(int64_t idle_bytes_max);
  virtual ~SegmentPool() = default;

  virtual Result<std::shared_ptr<Segment>> Acquire(int64_t bytes_min) = 0;

  /// Takes over a segment that a worker made. The descriptor is the pool's from here on, also on
  /// error. Invalid unless it is a memfd of at least `bytes` sealed against shrinking.
  virtual Result<std::shared_ptr<Segment>> Adopt(int descriptor, int64_t bytes) = 0;

  /// Calls `freed` with the id of each segment whose memory goes back to the system, so that
  /// processes that map it can let go. Replaces the earlier listener; empty removes it. The
  /// listener must not call the pool. Any thread may call it, wherever it drops the last
  /// reference to a segment: never do so under a lock that the listener takes.
  virtual void SetFreeListener(std::function<void(uint64_t id)> freed) = 0;

  virtual int64_t mapped_bytes() const = 0;  // In use and idle.
  virtual int64_t idle_bytes() const = 0;
};

}  // namespace penstock
