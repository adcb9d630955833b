#pragma once

#include <arrow/memory_pool.h>

#include <cstdint>
#include <memory>

namespace penstock {

/// An Arrow memory pool that keeps the large buffers that were given back, warm, for the next ask:
/// readers and writers ask for buffers of the same few sizes again and again, and the first touch
/// of a fresh page costs more than decoding a column into a warm one.
///
/// Buffers of 64 KiB and more are rounded up to size classes (waste at most an eighth) and kept up
/// to `idle_bytes_max` in all; smaller ones, and what is beyond it, are the other pool's. Where
/// Arrow's own pool is the system's allocator nothing is kept, so that sanitizers and debuggers
/// see each buffer come and go.
///
/// Threads: any. Buffers must not outlive the pool. Errors: those of the pool beneath.
class WarmPool : public arrow::MemoryPool {
 public:
  static std::unique_ptr<WarmPool> Make(arrow::MemoryPool* beneath, int64_t idle_bytes_max);

  /// The process's own, over Arrow's default pool; it is never destroyed. It keeps nothing until
  /// AllowIdle says how much.
  static WarmPool& Shared();

  /// Sets how much may be kept, and frees what is beyond it.
  virtual void AllowIdle(int64_t idle_bytes_max) = 0;

  virtual int64_t idle_bytes() const = 0;
};

}  // namespace penstock
