#include "penstock/exec/native_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <vector>

namespace penstock {
namespace {

TEST(NativePoolTest, RunsEveryTaskThatWasSubmittedBeforeItsEndIsAwaited) {
  std::atomic<int> ran = 0;
  std::latch all(100);
  NativePool pool(3);
  for (int i = 0; i < 100; ++i) {
    pool.Submit([&] {
      ran.fetch_add(1);
      all.count_down();
    });
  }
  all.wait();
  EXPECT_EQ(ran.load(), 100);
}

TEST(NativePoolTest, RunsTasksInTheOrderSubmittedOnOneThread) {
  std::vector<int> order;
  std::latch all(5);
  NativePool pool(1);
  for (int i = 0; i < 5; ++i) {
    pool.Submit([&, i] {
      order.push_back(i);
      all.count_down();
    });
  }
  all.wait();
  EXPECT_EQ(order, (std::vector<int>{0, 1, 2, 3, 4}));
}

TEST(NativePoolTest, CloseWaitsForWhatRunsAndDropsWhatHasNotBegun) {
  std::latch begun(1);
  std::latch may_end(1);
  std::atomic<bool> ended = false;
  std::atomic<bool> second_ran = false;
  NativePool pool(1);
  pool.Submit([&] {
    begun.count_down();
    may_end.wait();
    ended = true;
  });
  pool.Submit([&] { second_ran = true; });
  begun.wait();
  std::thread releaser([&] { may_end.count_down(); });
  pool.Close();
  releaser.join();
  EXPECT_TRUE(ended.load());
  // The second task may have begun before Close took the queue; what is dropped never runs later.
  const bool at_close = second_ran.load();
  pool.Submit([&] { second_ran = !at_close; });
  EXPECT_EQ(second_ran.load(), at_close);
}

}  // namespace
}  // namespace penstock
