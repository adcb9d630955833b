#include <gtest/gtest.h>

#include "penstock/exec/dispatcher_batch_size.h"
#include "penstock/exec/dispatcher_pool_size.h"

namespace penstock::dispatch {
namespace {

constexpr int64_t kMillisecondNs = 1'000'000;

/// Has a stage run batches that take `batch_ns` and `row_ns` a row until it settles.
int64_t SettledRows(int64_t batch_ns, int64_t row_ns, int64_t row_bytes) {
  BatchSize size;
  for (int batch = 0; batch < 200; ++batch) {
    size.Learn(size.rows(), size.rows() * row_bytes, batch_ns + size.rows() * row_ns);
  }
  return size.rows();
}

TEST(BatchSizeTest, GrowsWhileThatMakesRowsFaster) {
  EXPECT_EQ(SettledRows(/*batch_ns=*/1'000'000, /*row_ns=*/10'000, 8), 2048)
      << "beyond it, a batch's own cost is less than a twentieth";
}

TEST(BatchSizeTest, StaysWhereLargerBatchesWinNothing) {
  EXPECT_EQ(SettledRows(/*batch_ns=*/0, /*row_ns=*/10'000, 8), BatchSize::kRowsFirst * 2)
      << "it takes one step to see that";
}

TEST(BatchSizeTest, StopsBeforeABatchHasTooManyBytes) {
  EXPECT_EQ(SettledRows(1'000'000, 1, /*row_bytes=*/1 << 20), 16);
}

TEST(BatchSizeTest, StopsBeforeABatchTakesTooLong) {
  EXPECT_EQ(SettledRows(/*batch_ns=*/600 * kMillisecondNs, 1, 8), 16);
}

TEST(BatchSizeTest, GoesBackWhereRowsBecomeSlower) {
  BatchSize size;
  for (int batch = 0; batch < 3; ++batch) size.Learn(16, 100, 16'000);
  EXPECT_EQ(size.rows(), 32);
  for (int batch = 0; batch < 3; ++batch) size.Learn(32, 200, 64'000);
  EXPECT_EQ(size.rows(), 16);
}

TEST(BatchSizeTest, LearnsNothingFromBatchesOfAnotherSize) {
  BatchSize size;
  for (int batch = 0; batch < 100; ++batch) size.Learn(5, 100, 1);
  EXPECT_EQ(size.rows(), BatchSize::kRowsFirst);
}

/// A stage whose workers are busy, or not, for a while.
class Stage {
 public:
  Stage(int least, int most, int up) : size_(least, most), look_{.up = up, .in_flight = 2} {
    size_.Decide(look_);
  }

  PoolSize::Wish Pass(int64_t rows, double idle_workers, int64_t ready) {
    look_.now_ns += 300 * kMillisecondNs;
    look_.rows_done += rows;
    look_.idle_ns += static_cast<int64_t>(idle_workers * 300.0 * kMillisecondNs);
    look_.ready = ready;
    return size_.Decide(look_);
  }

  void Become(int up) {
    look_.up = up;
    size_.Decide(look_);
  }

 private:
  PoolSize size_;
  PoolSize::Look look_;
};

TEST(PoolSizeTest, GrowsWhenAllAreBusyAndARoundOfBatchesWaits) {
  EXPECT_EQ(Stage(1, 4, 1).Pass(10, 0, /*ready=*/2), PoolSize::Wish::kGrow);
  EXPECT_EQ(Stage(1, 4, 1).Pass(10, 0, /*ready=*/1), PoolSize::Wish::kKeep);
  EXPECT_EQ(Stage(1, 4, 1).Pass(10, 0.5, /*ready=*/2), PoolSize::Wish::kKeep);
}

TEST(PoolSizeTest, NeverGrowsBeyondItsMostNorShrinksBelowItsLeast) {
  EXPECT_EQ(Stage(1, 2, 2).Pass(10, 0, 100), PoolSize::Wish::kKeep);
  Stage idle(2, 4, 2);
  for (int window = 0; window < 20; ++window) {
    EXPECT_EQ(idle.Pass(0, 2, 0), PoolSize::Wish::kKeep);
  }
}

TEST(PoolSizeTest, ShrinksBackAndStaysWhereOneMoreDidNotHelp) {
  Stage stage(1, 4, 1);
  EXPECT_EQ(stage.Pass(100, 0, 10), PoolSize::Wish::kGrow);
  stage.Become(2);
  EXPECT_EQ(stage.Pass(102, 0, 10), PoolSize::Wish::kShrink);
  stage.Become(1);
  EXPECT_EQ(stage.Pass(100, 0, 10), PoolSize::Wish::kKeep);
}

TEST(PoolSizeTest, GoesOnGrowingWhileItHelps) {
  Stage stage(1, 4, 1);
  EXPECT_EQ(stage.Pass(100, 0, 10), PoolSize::Wish::kGrow);
  stage.Become(2);
  EXPECT_EQ(stage.Pass(190, 0, 10), PoolSize::Wish::kGrow);
}

TEST(PoolSizeTest, ShrinksWhenAWorkersWorthWasIdleForSomeWindows) {
  Stage stage(1, 4, 3);
  int windows = 1;
  while (stage.Pass(10, 1.2, 0) == PoolSize::Wish::kKeep && windows < 20) ++windows;
  EXPECT_EQ(windows, 6);
}

TEST(PoolSizeTest, WaitsForBatchesThatLastLongerThanAWindow) {
  Stage stage(1, 4, 1);
  EXPECT_EQ(stage.Pass(0, 0, 10), PoolSize::Wish::kKeep);
  EXPECT_EQ(stage.Pass(0, 0, 10), PoolSize::Wish::kKeep);
  EXPECT_EQ(stage.Pass(1, 0, 10), PoolSize::Wish::kGrow);
}

}  // namespace
}  // namespace penstock::dispatch
