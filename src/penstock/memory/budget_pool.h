#pragma once

#include <arrow/memory_pool.h>

#include <cstdint>

namespace penstock {

/// An Arrow memory pool that bounds what a library may allocate for one call: a file of a few
/// kilobytes can claim to unpack to more than the machine has.
///
/// A thread opens a Scope around the call and gives the call this pool. What is allocated there
/// within the scope, whether freed again or not, may sum up to the scope's bytes; what goes beyond
/// is refused with OutOfMemory before it is allocated. Without a scope nothing is refused. Buffers
/// may outlive the scope, and be freed by any thread. Scopes do not nest.
class BudgetPool final : public arrow::MemoryPool {
 public:
  class Scope {
   public:
    explicit Scope(int64_t bytes);
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;
    ~Scope();

    /// Says whether something was refused.
    bool exceeded() const;
  };

  /// The process's own, over Arrow's default pool; it is never destroyed.
  static BudgetPool& Shared();

  using arrow::MemoryPool::Allocate;
  using arrow::MemoryPool::Free;
  using arrow::MemoryPool::Reallocate;
  arrow::Status Allocate(int64_t size, int64_t alignment, uint8_t** out) override;
  arrow::Status Reallocate(int64_t old_size, int64_t new_size, int64_t alignment,
                           uint8_t** buffer) override;
  void Free(uint8_t* buffer, int64_t size, int64_t alignment) override;
  int64_t bytes_allocated() const override { return beneath_->bytes_allocated(); }
  int64_t max_memory() const override { return beneath_->max_memory(); }
  int64_t total_bytes_allocated() const override { return beneath_->total_bytes_allocated(); }
  int64_t num_allocations() const override { return beneath_->num_allocations(); }
  std::string backend_name() const override { return beneath_->backend_name(); }

 private:
  BudgetPool() : beneath_(arrow::default_memory_pool()) {}

  arrow::MemoryPool* const beneath_;
};

}  // namespace penstock
