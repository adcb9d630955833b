#include "penstock/memory/segment.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <set>
#include <thread>

namespace penstock {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr int64_t kMebibyte = 1 << 20;

std::shared_ptr<Segment> Take(SegmentPool& pool, int64_t bytes) {
  return pool.Acquire(bytes).ValueOrDie();
}

bool IsOpen(int descriptor) { return fcntl(descriptor, F_GETFD) >= 0; }

/// A memfd as a worker would make it.
int Memory(int64_t bytes, int seals) {
  const int descriptor = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  EXPECT_EQ(ftruncate(descriptor, bytes), 0);
  EXPECT_EQ(fcntl(descriptor, F_ADD_SEALS, seals), 0);
  return descriptor;
}

TEST(SegmentPoolTest, GivesWritableMemoryThatCannotShrinkOrGrow) {
  auto pool = SegmentPool::Make(kMebibyte);
  auto segment = Take(*pool, 10'000);
  ASSERT_GE(segment->capacity(), 10'000);
  segment->data()[segment->capacity() - 1] = 7;
  EXPECT_NE(ftruncate(segment->descriptor(), 0), 0);
  EXPECT_NE(ftruncate(segment->descriptor(), 2 * segment->capacity()), 0);
  EXPECT_EQ(fcntl(segment->descriptor(), F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
}

TEST(SegmentPoolTest, WastesAtMostAQuarterBeyondAPage) {
  auto pool = SegmentPool::Make(0);
  for (int64_t bytes = 1; bytes < 4 * kMebibyte; bytes = bytes * 9 / 8 + 1) {
    const int64_t capacity = Take(*pool, bytes)->capacity();
    EXPECT_GE(capacity, bytes);
    EXPECT_LE(capacity, bytes + bytes / 4 + 4096) << bytes;
  }
}

TEST(SegmentPoolTest, HandsOutTheMemoryGivenBackLastUnderItsOldId) {
  auto pool = SegmentPool::Make(64 * kMebibyte);
  auto first = Take(*pool, kMebibyte);
  auto second = Take(*pool, kMebibyte);
  const uint64_t first_id = first->id();
  const uint8_t* first_data = first->data();
  second.reset();
  first.reset();
  auto again = Take(*pool, kMebibyte);
  EXPECT_EQ(again->id(), first_id);
  EXPECT_EQ(again->data(), first_data);
}

TEST(SegmentPoolTest, LendsALargerIdleSegmentUpToFourTimesTheWish) {
  auto pool = SegmentPool::Make(64 * kMebibyte);
  const uint64_t id = Take(*pool, 4 * kMebibyte)->id();
  EXPECT_NE(Take(*pool, kMebibyte / 2)->id(), id);
  EXPECT_EQ(Take(*pool, kMebibyte)->id(), id);
  EXPECT_NE(Take(*pool, 8 * kMebibyte)->id(), id);
}

TEST(SegmentPoolTest, PrefersTheClosestFit) {
  auto pool = SegmentPool::Make(64 * kMebibyte);
  auto small = Take(*pool, kMebibyte);
  auto large = Take(*pool, 2 * kMebibyte);
  const uint64_t small_id = small->id();
  small.reset();
  large.reset();
  EXPECT_EQ(Take(*pool, kMebibyte)->id(), small_id);
}

TEST(SegmentPoolTest, FreesTheLeastRecentlyUsedBeyondTheIdleLimit) {
  std::vector<uint64_t> freed;
  auto pool = SegmentPool::Make(2 * kMebibyte);
  pool->SetFreeListener([&](uint64_t id) { freed.push_back(id); });
  std::vector<std::shared_ptr<Segment>> segments;
  std::vector<uint64_t> ids;
  for (int i = 0; i < 4; ++i) segments.push_back(Take(*pool, kMebibyte));
  for (const auto& segment : segments) ids.push_back(segment->id());
  EXPECT_EQ(pool->mapped_bytes(), 4 * kMebibyte);
  EXPECT_EQ(pool->idle_bytes(), 0);
  for (auto& segment : segments) segment.reset();
  EXPECT_THAT(freed, ElementsAre(ids[0], ids[1]));
  EXPECT_EQ(pool->idle_bytes(), 2 * kMebibyte);
  EXPECT_EQ(pool->mapped_bytes(), 2 * kMebibyte);
}

TEST(SegmentPoolTest, KeepsFewEnoughIdleDescriptors) {
  auto pool = SegmentPool::Make(64 * kMebibyte);
  std::vector<std::shared_ptr<Segment>> segments;
  for (int i = 0; i < 300; ++i) segments.push_back(Take(*pool, 1));
  segments.clear();
  EXPECT_EQ(pool->idle_bytes(), 256 * 4096);
}

TEST(SegmentPoolTest, TellsTheListenerOfAllThatGoesWithThePoolAndNothingOnceItIsRemoved) {
  std::vector<uint64_t> freed;
  auto pool = SegmentPool::Make(64 * kMebibyte);
  pool->SetFreeListener([&](uint64_t id) { freed.push_back(id); });
  const uint64_t id = Take(*pool, 1)->id();
  pool.reset();
  EXPECT_THAT(freed, ElementsAre(id));

  pool = SegmentPool::Make(0);
  pool->SetFreeListener([&](uint64_t other) { freed.push_back(other); });
  pool->SetFreeListener({});
  Take(*pool, 1).reset();
  EXPECT_EQ(freed.size(), 1U);
}

TEST(SegmentPoolTest, LeavesSegmentsUsableThatOutliveIt) {
  auto pool = SegmentPool::Make(kMebibyte);
  auto segment = Take(*pool, 100);
  const int descriptor = segment->descriptor();
  pool.reset();
  segment->data()[99] = 1;
  EXPECT_TRUE(IsOpen(descriptor));
  segment.reset();
  EXPECT_FALSE(IsOpen(descriptor));
}

TEST(SegmentPoolTest, RefusesSizesThatNoMachineHas) {
  auto pool = SegmentPool::Make(kMebibyte);
  EXPECT_TRUE(pool->Acquire(int64_t{1} << 60).status().IsOutOfMemory());
  EXPECT_TRUE(pool->Acquire(-1).status().IsOutOfMemory());
}

TEST(SegmentPoolTest, NeverUsesAnIdTwice) {
  auto pool = SegmentPool::Make(0);
  auto other = SegmentPool::Make(0);
  std::set<uint64_t> ids;
  for (int i = 0; i < 10; ++i) {
    EXPECT_TRUE(ids.insert(Take(*pool, 1)->id()).second);
    EXPECT_TRUE(ids.insert(Take(*other, 1)->id()).second);
  }
}

TEST(SegmentPoolTest, StaysConsistentUnderManyThreads) {
  auto pool = SegmentPool::Make(kMebibyte);
  const auto churn = [&] {
    for (int i = 0; i < 2'000; ++i) {
      auto segment = Take(*pool, 1 + i * 37 % 100'000);
      segment->data()[0] = static_cast<uint8_t>(i);
    }
  };
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) threads.emplace_back(churn);
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(pool->idle_bytes(), pool->mapped_bytes());
  EXPECT_LE(pool->idle_bytes(), kMebibyte);
}

TEST(SegmentPoolTest, AdoptsAWorkersSealedMemory) {
  auto pool = SegmentPool::Make(kMebibyte);
  const int descriptor = Memory(8192, F_SEAL_SHRINK | F_SEAL_GROW);
  ASSERT_EQ(pwrite(descriptor, "hi", 2, 0), 2);
  auto segment = pool->Adopt(descriptor, 5000).ValueOrDie();
  EXPECT_EQ(segment->capacity(), 8192);
  EXPECT_EQ(segment->data()[1], 'i');
  const uint64_t id = segment->id();
  segment.reset();
  EXPECT_EQ(Take(*pool, 8192)->id(), id);
}

TEST(SegmentPoolTest, RefusesAndClosesMemoryThatCouldShrink) {
  auto pool = SegmentPool::Make(kMebibyte);
  const int descriptor = Memory(8192, F_SEAL_GROW);
  EXPECT_TRUE(pool->Adopt(descriptor, 8192).status().IsInvalid());
  EXPECT_FALSE(IsOpen(descriptor));
}

TEST(SegmentPoolTest, RefusesMemoryThatIsSmallerThanAnnounced) {
  auto pool = SegmentPool::Make(kMebibyte);
  const Status status = pool->Adopt(Memory(8192, F_SEAL_SHRINK), 8193).status();
  EXPECT_TRUE(status.IsInvalid());
  EXPECT_THAT(status.message(), HasSubstr("8193"));
  EXPECT_TRUE(pool->Adopt(Memory(0, F_SEAL_SHRINK), 0).status().IsInvalid());
}

TEST(SegmentPoolTest, RefusesDescriptorsThatAreNoSharedMemory) {
  auto pool = SegmentPool::Make(kMebibyte);
  EXPECT_TRUE(pool->Adopt(-1, 1).status().IsInvalid());
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  EXPECT_TRUE(pool->Adopt(ends[0], 1).status().IsInvalid());
  close(ends[1]);
}

TEST(SegmentPoolTest, RefusesMemoryThatCannotBeWritten) {
  auto pool = SegmentPool::Make(kMebibyte);
  EXPECT_TRUE(pool->Adopt(Memory(8192, F_SEAL_SHRINK | F_SEAL_WRITE), 1).status().IsIOError());
  EXPECT_EQ(pool->mapped_bytes(), 0);
}

TEST(SegmentBufferTest, KeepsTheSegmentUntilTheLastBufferGoes) {
  auto pool = SegmentPool::Make(kMebibyte);
  auto segment = Take(*pool, 100);
  segment->data()[10] = 42;
  auto buffer = SegmentBuffer(std::move(segment), 10, 20);
  auto slice = arrow::SliceBuffer(buffer, 0, 1);
  buffer.reset();
  EXPECT_EQ(slice->data()[0], 42);
  EXPECT_EQ(pool->idle_bytes(), 0);
  slice.reset();
  EXPECT_GT(pool->idle_bytes(), 0);
}

}  // namespace
}  // namespace penstock
