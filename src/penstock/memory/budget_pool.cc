#include "penstock/memory/budget_pool.h"

#include <arrow/status.h>

#include <algorithm>
#include <optional>

namespace penstock {
namespace {

struct Budget {
  int64_t bytes_left;
  bool exceeded = false;
};
thread_local std::optional<Budget> budget;

arrow::Status Spend(int64_t bytes) {
  if (!budget) return arrow::Status::OK();
  if (bytes > budget->bytes_left) {
    budget->exceeded = true;
    return arrow::Status::OutOfMemory("more would be allocated than is allowed; got: ", bytes,
                                      " bytes");
  }
  budget->bytes_left -= bytes;
  return arrow::Status::OK();
}

}  // namespace

BudgetPool::Scope::Scope(int64_t bytes) { budget = Budget{.bytes_left = bytes}; }

BudgetPool::Scope::~Scope() { budget.reset(); }

bool BudgetPool::Scope::exceeded() const { return budget && budget->exceeded; }

BudgetPool& BudgetPool::Shared() {
  static auto* const kPool = new BudgetPool();
  return *kPool;
}

arrow::Status BudgetPool::Allocate(int64_t size, int64_t alignment, uint8_t** out) {
  ARROW_RETURN_NOT_OK(Spend(size));
  return beneath_->Allocate(size, alignment, out);
}

arrow::Status BudgetPool::Reallocate(int64_t old_size, int64_t new_size, int64_t alignment,
                                     uint8_t** buffer) {
  ARROW_RETURN_NOT_OK(Spend(std::max<int64_t>(new_size - old_size, 0)));
  return beneath_->Reallocate(old_size, new_size, alignment, buffer);
}

void BudgetPool::Free(uint8_t* buffer, int64_t size, int64_t alignment) {
  beneath_->Free(buffer, size, alignment);
}

}  // namespace penstock
