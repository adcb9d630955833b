#include "penstock/memory/segment.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <cerrno>
#include <cstring>
#include <limits>
#include <utility>
#include <vector>

#include "penstock/base/check.h"
#include "penstock/base/descriptor.h"
#include "penstock/base/mutex.h"

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif

namespace penstock {
namespace {

constexpr int64_t kPageBytes = 4096;
constexpr int64_t kSegmentBytesMax = int64_t{1} << 46;
constexpr size_t kIdleSegmentsMax = 256;  // Each holds a descriptor.
constexpr int64_t kIdleFactorMax = 4;

Status SystemError(const char* call, int error) {
  const std::string message = fmt::format("Shared memory: {} failed: {}", call, strerror(error));
  return error == ENOMEM ? Status::OutOfMemory(message) : Status::IOError(message);
}

/// Rounds up to 4, 5, 6 or 7 quarters of a power of two, in whole pages.
int64_t ClassBytes(int64_t bytes) {
  const auto pages = static_cast<uint64_t>((std::max<int64_t>(bytes, 1) - 1) / kPageBytes + 1);
  const uint64_t step = std::max<uint64_t>(1, std::bit_floor(pages) / 4);
  return static_cast<int64_t>((pages + step - 1) / step * step) * kPageBytes;
}

/// Unmaps and closes what it was made of.
class MappedSegment final : public Segment {
 public:
  MappedSegment(uint64_t id, int descriptor, uint8_t* data, int64_t capacity)
      : Segment(id, descriptor, data, capacity) {}
  ~MappedSegment() override {
    munmap(data(), static_cast<size_t>(capacity()));
    close(descriptor());
  }
};

Result<OwnedDescriptor> MakeMemory(int64_t bytes) {
  constexpr unsigned kFlags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
  int number = memfd_create("penstock", kFlags | MFD_NOEXEC_SEAL);
  if (number < 0 && errno == EINVAL) number = memfd_create("penstock", kFlags);
  if (number < 0) return SystemError("memfd_create", errno);
  OwnedDescriptor memory(number);
  if (ftruncate(number, bytes) != 0) return SystemError("ftruncate", errno);
  if (fcntl(number, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0) {
    return SystemError("fcntl(F_ADD_SEALS)", errno);
  }
  return memory;
}

Result<std::unique_ptr<MappedSegment>> Map(uint64_t id, OwnedDescriptor memory, int64_t bytes) {
  void* address = mmap(nullptr, static_cast<size_t>(bytes), PROT_READ | PROT_WRITE, MAP_SHARED,
                       memory.get(), 0);
  if (address == MAP_FAILED) return SystemError("mmap", errno);
  return std::make_unique<MappedSegment>(id, memory.Release(), static_cast<uint8_t*>(address),
                                         bytes);
}

class Pool final : public SegmentPool, public std::enable_shared_from_this<Pool> {
 public:
  explicit Pool(int64_t idle_bytes_max) : idle_bytes_max_(idle_bytes_max) {}

  ~Pool() override { FreeAll(TakeIdle()); }

  Result<std::shared_ptr<Segment>> Acquire(int64_t bytes_min) override {
    if (bytes_min < 0 || bytes_min > kSegmentBytesMax) {
      return Status::OutOfMemory("Shared memory: no segment can be this large; bytes wanted: ",
                                 bytes_min);
    }
    const int64_t bytes = ClassBytes(bytes_min);
    if (auto idle = TakeWarm(bytes)) return Lend(std::move(idle));
    auto made = Make(bytes);
    if (!made.ok()) {
      FreeAll(TakeIdle());
      made = Make(bytes);
    }
    PENSTOCK_TRY(auto segment, std::move(made));
    return Lend(std::move(segment));
  }

  Result<std::shared_ptr<Segment>> Adopt(int number, int64_t bytes) override {
    OwnedDescriptor memory(number);
    const int seals = fcntl(number, F_GET_SEALS);
    if (seals < 0 || (seals & F_SEAL_SHRINK) == 0) {
      return Status::Invalid("Shared memory: a worker's memfd must be sealed against shrinking");
    }
    struct stat facts{};
    if (fstat(number, &facts) != 0) return SystemError("fstat", errno);
    if (bytes < 0 || facts.st_size < bytes || facts.st_size == 0) {
      return Status::Invalid("Shared memory: a worker's memfd of ", facts.st_size,
                             " bytes cannot hold the bytes announced: ", bytes);
    }
    PENSTOCK_TRY(auto segment, Map(NextId(), std::move(memory), facts.st_size));
    CountMapped(*segment);
    return Lend(std::move(segment));
  }

  void SetFreeListener(std::function<void(uint64_t id)> freed) override {
    MutexLock lock(listener_mutex_);
    freed_ = std::move(freed);
  }

  int64_t mapped_bytes() const override {
    MutexLock lock(mutex_);
    return mapped_bytes_;
  }

  int64_t idle_bytes() const override {
    MutexLock lock(mutex_);
    return idle_bytes_;
  }

 private:
  using Idle = std::vector<std::unique_ptr<MappedSegment>>;

  uint64_t NextId() {
    static std::atomic<uint64_t> next{1};
    return next.fetch_add(1, std::memory_order_relaxed);
  }

  Result<std::unique_ptr<MappedSegment>> Make(int64_t bytes) {
    PENSTOCK_TRY(OwnedDescriptor memory, MakeMemory(bytes));
    PENSTOCK_TRY(auto segment, Map(NextId(), std::move(memory), bytes));
    CountMapped(*segment);
    return segment;
  }

  void CountMapped(const Segment& segment) {
    MutexLock lock(mutex_);
    mapped_bytes_ += segment.capacity();
  }

  /// Returns the best fit among the idle; of equals, the one given back last.
  std::unique_ptr<MappedSegment> TakeWarm(int64_t bytes) {
    MutexLock lock(mutex_);
    size_t best = idle_.size();
    int64_t best_bytes = std::numeric_limits<int64_t>::max();
    for (size_t i = idle_.size(); i-- > 0 && best_bytes > bytes;) {
      const int64_t capacity = idle_[i]->capacity();
      if (capacity >= bytes && capacity / kIdleFactorMax <= bytes && capacity < best_bytes) {
        best = i;
        best_bytes = capacity;
      }
    }
    if (best == idle_.size()) return nullptr;
    std::unique_ptr<MappedSegment> segment = std::move(idle_[best]);
    idle_.erase(idle_.begin() + static_cast<std::ptrdiff_t>(best));
    idle_bytes_ -= segment->capacity();
    return segment;
  }

  std::shared_ptr<Segment> Lend(std::unique_ptr<MappedSegment> segment) {
    auto give_back = [pool = weak_from_this()](Segment* returned) {
      std::unique_ptr<MappedSegment> owned(static_cast<MappedSegment*>(returned));
      if (auto alive = pool.lock()) alive->GiveBack(std::move(owned));
    };
    return {segment.release(), std::move(give_back)};
  }

  void GiveBack(std::unique_ptr<MappedSegment> segment) {
    Idle surplus;
    {
      MutexLock lock(mutex_);
      idle_bytes_ += segment->capacity();
      idle_.push_back(std::move(segment));
      size_t count = 0;
      while (idle_bytes_ > idle_bytes_max_ || idle_.size() - count > kIdleSegmentsMax) {
        idle_bytes_ -= idle_[count]->capacity();
        surplus.push_back(std::move(idle_[count++]));
      }
      idle_.erase(idle_.begin(), idle_.begin() + static_cast<std::ptrdiff_t>(count));
    }
    FreeAll(std::move(surplus));
  }

  Idle TakeIdle() {
    MutexLock lock(mutex_);
    idle_bytes_ = 0;
    return std::exchange(idle_, {});
  }

  void FreeAll(Idle segments) {
    for (auto& segment : segments) {
      const uint64_t id = segment->id();
      {
        MutexLock lock(mutex_);
        mapped_bytes_ -= segment->capacity();
      }
      segment.reset();
      MutexLock lock(listener_mutex_);
      if (freed_) freed_(id);
    }
  }

  const int64_t idle_bytes_max_;

  mutable Mutex mutex_;
  Idle idle_ PENSTOCK_GUARDED_BY(mutex_);  // Least recently used first.
  int64_t idle_bytes_ PENSTOCK_GUARDED_BY(mutex_) = 0;
  int64_t mapped_bytes_ PENSTOCK_GUARDED_BY(mutex_) = 0;

  Mutex listener_mutex_;
  std::function<void(uint64_t id)> freed_ PENSTOCK_GUARDED_BY(listener_mutex_);
};

class SegmentView final : public arrow::Buffer {
 public:
  SegmentView(std::shared_ptr<Segment> segment, int64_t offset, int64_t bytes)
      : Buffer(segment->data() + offset, bytes), segment_(std::move(segment)) {}

 private:
  const std::shared_ptr<Segment> segment_;  // Shared with the other views of it.
};

}  // namespace

std::shared_ptr<arrow::Buffer> SegmentBuffer(std::shared_ptr<Segment> segment, int64_t offset,
                                             int64_t bytes) {
  PENSTOCK_CHECK(offset >= 0 && bytes >= 0 && offset <= segment->capacity() - bytes);
  return std::make_shared<SegmentView>(std::move(segment), offset, bytes);
}

std::shared_ptr<SegmentPool> SegmentPool::Make(int64_t idle_bytes_max) {
  return std::make_shared<Pool>(idle_bytes_max);
}

}  // namespace penstock
