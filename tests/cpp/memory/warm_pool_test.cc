#include "penstock/memory/warm_pool.h"

#include <arrow/memory_pool.h>
#include <gtest/gtest.h>

#include <cstring>
#include <thread>
#include <vector>

namespace penstock {
namespace {

constexpr int64_t kAlignment = arrow::kDefaultBufferAlignment;
constexpr int64_t kMiB = int64_t{1} << 20;

/// A pool that keeps nothing and says so under a name of its own.
class PlainPool final : public arrow::ProxyMemoryPool {
 public:
  explicit PlainPool(std::string name)
      : ProxyMemoryPool(arrow::system_memory_pool()), name_(std::move(name)) {}
  std::string backend_name() const override { return name_; }

 private:
  const std::string name_;
};

class WarmPoolTest : public ::testing::Test {
 protected:
  uint8_t* Take(int64_t bytes) {
    uint8_t* buffer = nullptr;
    EXPECT_TRUE(pool_->Allocate(bytes, kAlignment, &buffer).ok());
    return buffer;
  }
  void Give(uint8_t* buffer, int64_t bytes) { pool_->Free(buffer, bytes, kAlignment); }
  uint8_t* Resize(uint8_t* buffer, int64_t from, int64_t to) {
    EXPECT_TRUE(pool_->Reallocate(from, to, kAlignment, &buffer).ok());
    return buffer;
  }

  PlainPool beneath_{"plain"};
  std::unique_ptr<WarmPool> pool_ = WarmPool::Make(&beneath_, 8 * kMiB);
};

TEST_F(WarmPoolTest, GivesALargeBufferBackToTheNextWhoAsksForItsSize) {
  uint8_t* first = Take(kMiB);
  Give(first, kMiB);
  EXPECT_EQ(pool_->idle_bytes(), kMiB);
  uint8_t* second = Take(kMiB - 5);  // Of the same class.
  EXPECT_EQ(second, first);
  EXPECT_EQ(pool_->idle_bytes(), 0);
  Give(second, kMiB - 5);
}

TEST_F(WarmPoolTest, LeavesSmallBuffersToThePoolBeneath) {
  Give(Take(1000), 1000);
  EXPECT_EQ(pool_->idle_bytes(), 0);
  EXPECT_EQ(beneath_.bytes_allocated(), 0);
}

TEST_F(WarmPoolTest, KeepsNoMoreThanItMay) {
  uint8_t* large = Take(7 * kMiB);
  uint8_t* more = Take(2 * kMiB);
  Give(large, 7 * kMiB);
  Give(more, 2 * kMiB);
  EXPECT_EQ(pool_->idle_bytes(), 7 * kMiB);
  pool_->AllowIdle(0);
  EXPECT_EQ(pool_->idle_bytes(), 0);
  EXPECT_EQ(beneath_.bytes_allocated(), 0);
}

TEST_F(WarmPoolTest, KeepsTheBytesOfABufferThatGrowsAndShrinks) {
  constexpr int64_t kSmall = 100;
  uint8_t* buffer = Take(kSmall);
  std::memset(buffer, 7, kSmall);
  buffer = Resize(buffer, kSmall, kMiB);
  buffer = Resize(buffer, kMiB, 5 * kMiB);
  buffer = Resize(buffer, 5 * kMiB, 300'000);
  buffer = Resize(buffer, 300'000, kSmall);
  for (int64_t i = 0; i < kSmall; ++i) ASSERT_EQ(buffer[i], 7);
  Give(buffer, kSmall);
  pool_->ReleaseUnused();
  EXPECT_EQ(beneath_.bytes_allocated(), 0);
}

TEST_F(WarmPoolTest, DoesNotMoveABufferThatShrinksByLessThanHalf) {
  uint8_t* buffer = Take(4 * kMiB);
  EXPECT_EQ(Resize(buffer, 4 * kMiB, 3 * kMiB), buffer);
  Give(buffer, 3 * kMiB);
  EXPECT_EQ(pool_->idle_bytes(), 4 * kMiB);
}

TEST_F(WarmPoolTest, KeepsNothingOverTheSystemsAllocatorSoThatSanitizersSeeEachBuffer) {
  PlainPool system("system");
  const auto pool = WarmPool::Make(&system, 8 * kMiB);
  uint8_t* buffer = nullptr;
  ASSERT_TRUE(pool->Allocate(kMiB, kAlignment, &buffer).ok());
  pool->Free(buffer, kMiB, kAlignment);
  EXPECT_EQ(pool->idle_bytes(), 0);
  EXPECT_EQ(system.bytes_allocated(), 0);
}

TEST_F(WarmPoolTest, ServesManyThreadsAtOnce) {
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([this, thread] {
      for (int64_t i = 1; i <= 200; ++i) {
        const int64_t bytes = (i * 37'001 + thread) % (3 * kMiB) + 1;
        uint8_t* buffer = Take(bytes);
        std::memset(buffer, thread, static_cast<size_t>(bytes));
        buffer = Resize(buffer, bytes, bytes / 3 + 1);
        EXPECT_EQ(buffer[bytes / 3], thread);
        Give(buffer, bytes / 3 + 1);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  pool_->ReleaseUnused();
  EXPECT_EQ(beneath_.bytes_allocated(), 0);
}

}  // namespace
}  // namespace penstock
