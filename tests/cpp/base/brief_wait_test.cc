#include "penstock/base/brief_wait.h"

#include <gtest/gtest.h>

#include <chrono>

namespace penstock {
namespace {

/// Counts how often a wait looks before it gives up or finds something.
int Looks(BriefWait& wait, bool finds) {
  int looks = 0;
  EXPECT_EQ(wait.For([&] {
    ++looks;
    return finds;
  }),
            finds);
  return looks;
}

TEST(BriefWaitTest, LooksAgainOnlyWhileWhatItWaitedForLastCameSoon) {
  BriefWait wait;
  EXPECT_EQ(Looks(wait, false), 1) << "it knows of nothing that comes soon";
  wait.Came();
  EXPECT_GT(Looks(wait, false), 1);
}

TEST(BriefWaitTest, StopsLookingAfterAWhile) {
  BriefWait wait;
  Looks(wait, true);
  wait.Came();
  const auto begun = std::chrono::steady_clock::now();
  EXPECT_GT(Looks(wait, false), 1);
  EXPECT_GE(std::chrono::steady_clock::now() - begun, std::chrono::microseconds(50));
}

TEST(BriefWaitTest, IsContentWithOneLookThatFinds) {
  BriefWait wait;
  EXPECT_EQ(Looks(wait, true), 1);
  wait.Came();
  EXPECT_EQ(Looks(wait, true), 1);
}

}  // namespace
}  // namespace penstock
