#include "penstock/memory/budget_pool.h"

#include <arrow/buffer.h>
#include <gtest/gtest.h>

#include <memory>
#include <thread>

namespace penstock {
namespace {

BudgetPool& pool = BudgetPool::Shared();

auto Allocate(int64_t bytes) { return arrow::AllocateResizableBuffer(bytes, &pool); }

TEST(BudgetPool, RefusesWhatGoesBeyondTheScope) {
  const BudgetPool::Scope scope(1000);
  const auto kept = Allocate(600).ValueOrDie();
  EXPECT_FALSE(scope.exceeded());
  EXPECT_TRUE(Allocate(401).status().IsOutOfMemory());
  EXPECT_TRUE(scope.exceeded());
}

TEST(BudgetPool, CountsWhatWasFreedToo) {
  const BudgetPool::Scope scope(1000);
  EXPECT_TRUE(Allocate(600).ok());
  EXPECT_FALSE(Allocate(600).ok());
}

TEST(BudgetPool, CountsWhatABufferGrowsBy) {
  const BudgetPool::Scope scope(1000);
  const auto buffer = Allocate(512).ValueOrDie();
  EXPECT_TRUE(buffer->Resize(960).ok());
  EXPECT_TRUE(buffer->Resize(2000).IsOutOfMemory());
  EXPECT_EQ(buffer->size(), 960);
}

TEST(BudgetPool, LetsBuffersOutliveTheScopeAndTheThread) {
  std::shared_ptr<arrow::Buffer> buffer;
  std::thread([&] {
    const BudgetPool::Scope scope(1000);
    buffer = Allocate(900).ValueOrDie();
  }).join();
  EXPECT_EQ(buffer->size(), 900);
}

TEST(BudgetPool, RefusesNothingOutsideAScopeNorInAnotherThread) {
  {
    const BudgetPool::Scope scope(10);
  }
  EXPECT_TRUE(Allocate(1000).ok());
  const BudgetPool::Scope scope(10);
  std::thread([] { EXPECT_TRUE(Allocate(1000).ok()); }).join();
}

}  // namespace
}  // namespace penstock
