#include "penstock/memory/warm_pool.h"

#include <arrow/status.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstring>
#include <map>
#include <unordered_map>
#include <utility>
#include <vector>

#include "penstock/base/mutex.h"
#include "penstock/base/status.h"

namespace penstock {
namespace {

constexpr int64_t kWarmBytesMin = int64_t{64} << 10;
constexpr int64_t kAlignment = arrow::kDefaultBufferAlignment;
constexpr int64_t kClassesPerDoubling = 8;

bool IsLarge(int64_t bytes) { return bytes >= kWarmBytesMin; }

int64_t CapacityFor(int64_t bytes) {
  const auto doubling = static_cast<int64_t>(std::bit_floor(static_cast<uint64_t>(bytes)));
  const int64_t step = doubling / kClassesPerDoubling;
  return (bytes + step - 1) / step * step;
}

class KeepingPool final : public WarmPool {
 public:
  KeepingPool(arrow::MemoryPool* beneath, int64_t idle_bytes_max)
      : beneath_(beneath),
        keeps_(beneath->backend_name() != "system"),
        idle_bytes_max_(keeps_ ? idle_bytes_max : 0) {}

  ~KeepingPool() override { FreeAll(TakeBeyond(0)); }

  Status Allocate(int64_t size, int64_t alignment, uint8_t** out) override {
    if (!Keeps(size, alignment)) return beneath_->Allocate(size, alignment, out);
    const int64_t capacity = CapacityFor(size);
    if (uint8_t* idle = TakeIdle(capacity)) {
      *out = idle;
      return Status::OK();
    }
    ARROW_RETURN_NOT_OK(beneath_->Allocate(capacity, alignment, out));
    MutexLock lock(mutex_);
    capacities_.emplace(*out, capacity);
    return Status::OK();
  }

  Status Reallocate(int64_t old_size, int64_t new_size, int64_t alignment,
                    uint8_t** buffer) override {
    if (!Keeps(old_size, alignment) && !Keeps(new_size, alignment)) {
      return beneath_->Reallocate(old_size, new_size, alignment, buffer);
    }
    if (Keeps(old_size, alignment) && Keeps(new_size, alignment) && Fits(*buffer, new_size)) {
      return Status::OK();
    }
    uint8_t* moved = nullptr;
    ARROW_RETURN_NOT_OK(Allocate(new_size, alignment, &moved));
    std::memcpy(moved, *buffer, static_cast<size_t>(std::min(old_size, new_size)));
    Free(*buffer, old_size, alignment);
    *buffer = moved;
    return Status::OK();
  }

  void Free(uint8_t* buffer, int64_t size, int64_t alignment) override {
    if (!Keeps(size, alignment)) {
      beneath_->Free(buffer, size, alignment);
      return;
    }
    int64_t capacity = 0;
    {
      MutexLock lock(mutex_);
      const auto known = capacities_.find(buffer);
      capacity = known->second;
      if (idle_bytes_ + capacity <= idle_bytes_max_) {
        idle_[capacity].push_back(buffer);
        idle_bytes_ += capacity;
        return;
      }
      capacities_.erase(known);
    }
    beneath_->Free(buffer, capacity, alignment);
  }

  void AllowIdle(int64_t idle_bytes_max) override {
    {
      MutexLock lock(mutex_);
      idle_bytes_max_ = keeps_ ? idle_bytes_max : 0;
    }
    FreeAll(TakeBeyond(idle_bytes_max));
  }

  void ReleaseUnused() override {
    FreeAll(TakeBeyond(0));
    beneath_->ReleaseUnused();
  }

  int64_t idle_bytes() const override {
    MutexLock lock(mutex_);
    return idle_bytes_;
  }

  // What is kept counts as allocated, as it is from the pool beneath.
  int64_t bytes_allocated() const override { return beneath_->bytes_allocated(); }
  int64_t total_bytes_allocated() const override { return beneath_->total_bytes_allocated(); }
  int64_t num_allocations() const override { return beneath_->num_allocations(); }
  int64_t max_memory() const override { return beneath_->max_memory(); }
  std::string backend_name() const override { return beneath_->backend_name(); }

 private:
  struct Kept {
    uint8_t* buffer;
    int64_t capacity;
  };

  bool Keeps(int64_t size, int64_t alignment) const {
    return keeps_ && IsLarge(size) && alignment == kAlignment;
  }

  /// Whether the buffer holds so much, of which half is in use at least: then it need not move.
  bool Fits(uint8_t* buffer, int64_t size) {
    MutexLock lock(mutex_);
    const int64_t capacity = capacities_.at(buffer);
    return size <= capacity && size >= capacity / 2;
  }

  uint8_t* TakeIdle(int64_t capacity) {
    MutexLock lock(mutex_);
    const auto of_class = idle_.find(capacity);
    if (of_class == idle_.end()) return nullptr;
    uint8_t* buffer = of_class->second.back();
    of_class->second.pop_back();
    if (of_class->second.empty()) idle_.erase(of_class);
    idle_bytes_ -= capacity;
    return buffer;
  }

  /// Takes out idle buffers, the largest first, until no more than `idle_bytes_max` are left.
  std::vector<Kept> TakeBeyond(int64_t idle_bytes_max) {
    std::vector<Kept> taken;
    MutexLock lock(mutex_);
    while (idle_bytes_ > idle_bytes_max) {
      const auto largest = std::prev(idle_.end());
      const int64_t capacity = largest->first;
      taken.push_back({.buffer = largest->second.back(), .capacity = capacity});
      capacities_.erase(taken.back().buffer);
      largest->second.pop_back();
      if (largest->second.empty()) idle_.erase(largest);
      idle_bytes_ -= capacity;
    }
    return taken;
  }

  void FreeAll(const std::vector<Kept>& taken) {
    for (const Kept& kept : taken) beneath_->Free(kept.buffer, kept.capacity, kAlignment);
  }

  arrow::MemoryPool* const beneath_;  // Outlives this.
  const bool keeps_;

  mutable Mutex mutex_;
  int64_t idle_bytes_max_ PENSTOCK_GUARDED_BY(mutex_);
  int64_t idle_bytes_ PENSTOCK_GUARDED_BY(mutex_) = 0;
  std::map<int64_t, std::vector<uint8_t*>> idle_ PENSTOCK_GUARDED_BY(mutex_);  // By capacity.
  std::unordered_map<uint8_t*, int64_t> capacities_
      PENSTOCK_GUARDED_BY(mutex_);  // In use and idle.
};

}  // namespace

std::unique_ptr<WarmPool> WarmPool::Make(arrow::MemoryPool* beneath, int64_t idle_bytes_max) {
  return std::make_unique<KeepingPool>(beneath, idle_bytes_max);
}

WarmPool& WarmPool::Shared() {
  static WarmPool* const pool = Make(arrow::default_memory_pool(), 0).release();
  return *pool;
}

}  // namespace penstock
