#include "penstock/block/arena.h"

#include <algorithm>
#include <cstring>

#include "penstock/block/layout.h"

namespace penstock {
namespace {

int64_t Aligned(int64_t bytes) { return (bytes + kBufferAlignment - 1) & -kBufferAlignment; }

}  // namespace

SegmentArena::SegmentArena(Segment& segment, int64_t first_free)
    : data_(segment.data()), capacity_(segment.capacity()), used_(first_free) {}

arrow::Status SegmentArena::Allocate(int64_t size, int64_t alignment, uint8_t** out) {
  const int64_t start = Aligned(used_);
  if (alignment > kBufferAlignment || start > capacity_ || size > capacity_ - start) {
    overflowed_ = true;
    return arrow::Status::OutOfMemory("A shared-memory segment is full; bytes wanted: ", size);
  }
  ++allocations_;
  used_ = start + size;
  *out = data_ + start;
  return arrow::Status::OK();
}

arrow::Status SegmentArena::Reallocate(int64_t old_size, int64_t new_size, int64_t alignment,
                                       uint8_t** pointer) {
  uint8_t* const old = *pointer;
  const bool last = old + old_size == data_ + used_;
  if (last && new_size <= capacity_ - OffsetOf(old)) {
    used_ = OffsetOf(old) + new_size;
    return arrow::Status::OK();
  }
  if (new_size <= old_size) return arrow::Status::OK();
  ARROW_RETURN_NOT_OK(Allocate(new_size, alignment, pointer));
  std::memcpy(*pointer, old, static_cast<size_t>(std::min(old_size, new_size)));
  return arrow::Status::OK();
}

void SegmentArena::Free(uint8_t* /*buffer*/, int64_t /*size*/, int64_t /*alignment*/) {}

bool SegmentArena::Owns(const uint8_t* pointer) const {
  return pointer >= data_ && pointer <= data_ + capacity_;
}

}  // namespace penstock
