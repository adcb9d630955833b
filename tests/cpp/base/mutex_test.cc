#include "penstock/base/mutex.h"

#include <gtest/gtest.h>

#include <thread>

namespace penstock {
namespace {

TEST(MutexTest, LetsOneThreadAtATimeChangeWhatItGuards) {
  Mutex mutex;
  int count = 0;
  const auto add = [&] {
    for (int i = 0; i < 10'000; ++i) {
      MutexLock lock(mutex);
      ++count;
    }
  };
  std::thread other(add);
  add();
  other.join();
  EXPECT_EQ(count, 20'000);
}

TEST(ConditionVariableTest, WakesAWaiterThatHoldsTheMutexAgain) {
  Mutex mutex;
  ConditionVariable changed;
  bool ready = false;
  std::thread other([&] {
    MutexLock lock(mutex);
    ready = true;
    changed.NotifyAll();
  });
  {
    MutexLock lock(mutex);
    while (!ready) changed.Wait(mutex);
    EXPECT_TRUE(ready);
  }
  other.join();
}

TEST(ConditionVariableTest, TellsWhenTheTimeIsUp) {
  Mutex mutex;
  ConditionVariable never;
  MutexLock lock(mutex);
  while (never.WaitFor(mutex, std::chrono::nanoseconds(1))) {
  }
}

}  // namespace
}  // namespace penstock
