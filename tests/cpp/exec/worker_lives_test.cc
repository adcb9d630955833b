#include "penstock/exec/worker_lives.h"

#include <gtest/gtest.h>

namespace penstock {
namespace {

WorkerDied Death(WorkerIndex place) { return {.stage = 1, .worker = place, .status = {}}; }

TEST(WorkerLivesTest, ADeathIsToldOnce) {
  WorkerLives lives;
  lives.Begin(0, 7);
  EXPECT_EQ(lives.LifeIn(0), 7);
  EXPECT_TRUE(lives.Die(7, Death(0)));
  EXPECT_FALSE(lives.Die(7, Death(0)));
  EXPECT_EQ(lives.LifeIn(0), -1);
}

TEST(WorkerLivesTest, ADeathWaitsForWhatTheWorkerHadAnswered) {
  WorkerLives lives;
  lives.Begin(0, 7);
  lives.BeginAnswer(0);
  lives.BeginAnswer(0);
  EXPECT_FALSE(lives.Die(7, Death(0)));
  EXPECT_FALSE(lives.EndAnswer(0, 7));
  const std::optional<Event> told = lives.EndAnswer(0, 7);
  ASSERT_TRUE(told);
  EXPECT_EQ(std::get<WorkerDied>(*told).worker, 0);
}

TEST(WorkerLivesTest, AWorkerThatWasStoppedDiesUntold) {
  WorkerLives lives;
  lives.Begin(0, 7);
  EXPECT_TRUE(lives.MarkReady(0, 7));
  const std::optional<WorkerLives::Stopped> stopped = lives.Stop(0, /*awaits_exit=*/false);
  ASSERT_TRUE(stopped);
  EXPECT_EQ(stopped->life, 7);
  EXPECT_TRUE(stopped->is_ready);
  EXPECT_FALSE(lives.Die(7, Death(0)));
}

TEST(WorkerLivesTest, AWorkerWhoseExitIsAwaitedIsStoppedOnceItIsGone) {
  WorkerLives lives;
  lives.Begin(0, 7);
  EXPECT_TRUE(lives.Stop(0, /*awaits_exit=*/true));
  EXPECT_TRUE(lives.IsStopping(0));
  const std::optional<Event> end = lives.Die(7, Death(0));
  ASSERT_TRUE(end);
  EXPECT_TRUE(std::holds_alternative<WorkerStopped>(*end));
}

TEST(WorkerLivesTest, AForetoldDeathIsWhatIsTold) {
  WorkerLives lives;
  lives.Begin(0, 7);
  WorkerDied raised = Death(0);
  raised.raised = true;
  lives.Foretell(7, raised);
  const std::optional<Event> end = lives.Die(7, Death(0));
  ASSERT_TRUE(end);
  EXPECT_TRUE(std::get<WorkerDied>(*end).raised);
}

TEST(WorkerLivesTest, AWorkerThatHasDiedCannotBeStopped) {
  WorkerLives lives;
  lives.Begin(0, 7);
  lives.BeginAnswer(0);
  lives.Die(7, Death(0));
  EXPECT_FALSE(lives.Stop(0, /*awaits_exit=*/true)) << "its death is on its way";
}

TEST(WorkerLivesTest, WhatComesFromAnEarlierLifeIsNobodys) {
  WorkerLives lives;
  lives.Begin(0, 7);
  lives.BeginAnswer(0);
  lives.Stop(0, /*awaits_exit=*/false);
  lives.Begin(0, 8);
  EXPECT_FALSE(lives.MarkReady(0, 7));
  EXPECT_FALSE(lives.EndAnswer(0, 7));
  EXPECT_FALSE(lives.Die(7, Death(0)));
  EXPECT_TRUE(lives.Die(8, Death(0)));
}

}  // namespace
}  // namespace penstock
