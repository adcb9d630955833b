#pragma once

#include <arrow/memory_pool.h>

#include <cstdint>
#include <string>

#include "penstock/memory/segment.h"

namespace penstock {

/// Lets Arrow build arrays straight inside a segment: hands out its bytes from front to back,
/// 64-byte aligned, and takes nothing back, so that what was built stays when the arrays go.
///
/// Borrows the segment. Threads: one. Errors: OutOfMemory once the segment is full, from when on
/// overflowed() is true.
class SegmentArena final : public arrow::MemoryPool {
 public:
  SegmentArena(Segment& segment, int64_t first_free);

  using MemoryPool::Allocate;
  using MemoryPool::Free;
  using MemoryPool::Reallocate;
  arrow::Status Allocate(int64_t size, int64_t alignment, uint8_t** out) override;
  arrow::Status Reallocate(int64_t old_size, int64_t new_size, int64_t alignment,
                           uint8_t** pointer) override;
  void Free(uint8_t* buffer, int64_t size, int64_t alignment) override;

  bool Owns(const uint8_t* pointer) const;
  int64_t OffsetOf(const uint8_t* pointer) const { return pointer - data_; }
  bool overflowed() const { return overflowed_; }
  int64_t used() const { return used_; }  // From the segment's first byte.

  int64_t bytes_allocated() const override { return used_; }
  int64_t total_bytes_allocated() const override { return used_; }
  int64_t num_allocations() const override { return allocations_; }
  std::string backend_name() const override { return "penstock segment"; }

 private:
  uint8_t* const data_;
  const int64_t capacity_;
  int64_t used_;
  int64_t allocations_ = 0;
  bool overflowed_ = false;
};

}  // namespace penstock
