#include "penstock/worker/host.h"

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "penstock/base/error.h"
#include "worker/host_fixture.h"

namespace penstock {
namespace {

using ::testing::HasSubstr;

TEST_F(HostTest, BringsAnswersInTheOrderSent) {
  StartReady("echo");
  for (int batch = 0; batch < 50; ++batch) {
    ASSERT_TRUE(Send(batch, "batch " + std::to_string(batch), batch).ok());
  }
  const RecordedWorker seen = recorder_.WaitForFrames(kWorker, 51);
  for (int batch = 0; batch < 50; ++batch) {
    const RecordedFrame& answer = seen.frames[batch + 1];
    EXPECT_EQ(answer.frame.batch, batch);
    EXPECT_EQ(answer.frame.rows, batch);
    EXPECT_EQ(answer.text(), "batch " + std::to_string(batch));
  }
}

TEST_F(HostTest, PausesOnceItHasToldWhatCame) {
  StartReady("echo");
  ASSERT_TRUE(Send(1, "text").ok());
  recorder_.WaitForFrames(kWorker, 2);
  recorder_.WaitForPause();
  host_->Kill(kWorker);
  recorder_.WaitForExit(kWorker);
  recorder_.WaitForPause();
}

TEST_F(HostTest, TakesBatchesBeforeTheWorkerIsReady) {
  Start("echo");
  ASSERT_TRUE(Send(1, "early").ok());
  EXPECT_EQ(recorder_.WaitForFrames(kWorker, 2).frames[1].text(), "early");
}

TEST_F(HostTest, QueuesWhatTheSocketDoesNotTakeAndKeepsTheOrder) {
  const pid_t process = StartReady("reads_late");
  constexpr int kBatches = 3000;
  const auto output = pool_->Acquire(4096).ValueOrDie();
  const auto input = Filled("late");
  for (int batch = 0; batch < kBatches; ++batch) {
    ASSERT_TRUE(host_->SendBatch(kWorker, batch, input, 4, 1, output).ok());
  }
  ASSERT_EQ(::kill(process, SIGUSR1), 0);
  const RecordedWorker seen = recorder_.WaitForFrames(kWorker, kBatches + 1);
  for (int batch = 0; batch < kBatches; ++batch) {
    ASSERT_EQ(seen.frames[batch + 1].frame.batch, batch);
  }
}

TEST_F(HostTest, NeverWaitsForAWorkerThatDoesNotRead) {
  StartReady("never_reads");
  const auto input = Filled("text");
  for (int batch = 0; batch < 3000; ++batch) {
    ASSERT_TRUE(host_->SendBatch(kWorker, batch, input, 4, 1, nullptr).ok());
  }
  host_->Kill(kWorker);
  const WorkerExit exit = recorder_.WaitForExit(kWorker);
  EXPECT_EQ(exit.signal, SIGKILL);
  EXPECT_EQ(exit.reason, "was killed by the engine");
}

TEST_F(HostTest, KeepsTheInputUntilItsBatchIsAnswered) {
  StartReady("generate");
  std::shared_ptr<Segment> input = Filled("text");
  const std::weak_ptr<Segment> watched = input;
  ASSERT_TRUE(
      host_->SendBatch(kWorker, 1, std::move(input), 4, 1, pool_->Acquire(4096).ValueOrDie()).ok());
  recorder_.WaitForFrames(kWorker, 2);
  EXPECT_FALSE(watched.expired());
  ASSERT_TRUE(host_->SendGrant(kWorker, 1, pool_->Acquire(4096).ValueOrDie()).ok());
  recorder_.WaitForFrames(kWorker, 3);
  EXPECT_TRUE(watched.expired());
}

TEST_F(HostTest, LetsGoOfEverySegmentWhenTheWorkerEnds) {
  StartReady("never_reads");
  std::shared_ptr<Segment> input = Filled("text");
  std::shared_ptr<Segment> output = Filled("");
  const std::weak_ptr<Segment> watched_input = input;
  const std::weak_ptr<Segment> watched_output = output;
  ASSERT_TRUE(host_->SendBatch(kWorker, 1, std::move(input), 4, 1, std::move(output)).ok());
  EXPECT_FALSE(watched_input.expired());
  EXPECT_FALSE(watched_output.expired());
  host_->Kill(kWorker);
  recorder_.WaitForExit(kWorker);
  EXPECT_TRUE(watched_input.expired());
  EXPECT_TRUE(watched_output.expired());
}

TEST_F(HostTest, CarriesAGeneratorsOutputsGrantByGrant) {
  StartReady("generate");
  ASSERT_TRUE(Send(1, "seed", 3).ok());
  for (size_t output = 1; output <= 3; ++output) {
    const RecordedWorker seen = recorder_.WaitForFrames(kWorker, output + 1);
    EXPECT_EQ(seen.frames[output].text(), std::string(1, static_cast<char>('a' + output - 1)));
    EXPECT_EQ(seen.frames[output].frame.flags, kMore);
    ASSERT_TRUE(host_->SendGrant(kWorker, 1, pool_->Acquire(4096).ValueOrDie()).ok());
  }
  EXPECT_EQ(recorder_.WaitForFrames(kWorker, 5).frames[4].frame.kind, FrameKind::kDone);
}

TEST_F(HostTest, DropsAGrantForABatchThatIsOver) {
  StartReady("echo");
  ASSERT_TRUE(Send(1, "text").ok());
  recorder_.WaitForFrames(kWorker, 2);
  EXPECT_TRUE(host_->SendGrant(kWorker, 1, pool_->Acquire(4096).ValueOrDie()).ok());
  ASSERT_TRUE(Send(2, "next").ok());
  EXPECT_EQ(recorder_.WaitForFrames(kWorker, 3).frames[2].text(), "next");
}

TEST_F(HostTest, TakesOverAnOutputThatTheWorkerMadeItself) {
  StartReady("own_file");
  ASSERT_TRUE(Send(1, "too big for you").ok());
  const RecordedFrame answer = recorder_.WaitForFrames(kWorker, 2).frames[1];
  EXPECT_EQ(answer.text(), "too big for you");
  EXPECT_GE(answer.segment->capacity(), 1 << 20);
}

TEST_F(HostTest, BringsThePackedErrorOfABatch) {
  StartReady("fail");
  ASSERT_TRUE(Send(1, "bad row").ok());
  const RecordedFrame answer = recorder_.WaitForFrames(kWorker, 2).frames[1];
  EXPECT_EQ(answer.frame.kind, FrameKind::kFailed);
  EXPECT_EQ(answer.text(), "it raised");
}

TEST_F(HostTest, BringsTheConstructorsErrorBeforeTheExit) {
  Start("constructor");
  const WorkerExit exit = recorder_.WaitForExit(kWorker);
  EXPECT_EQ(exit.reason, "exited with code 1");
  EXPECT_FALSE(exit.clean());
  const RecordedWorker seen = recorder_.Seen(kWorker);
  ASSERT_EQ(seen.frames.size(), 1);
  EXPECT_EQ(seen.frames[0].frame.flags & kConstructor, kConstructor);
  EXPECT_EQ(seen.frames[0].text(), "no weight");
}

TEST_F(HostTest, StopsAWorkerAfterWhatItWasSent) {
  StartReady("echo");
  for (int batch = 0; batch < 10; ++batch) ASSERT_TRUE(Send(batch, "text").ok());
  host_->Stop(kWorker);
  const WorkerExit exit = recorder_.WaitForExit(kWorker);
  EXPECT_TRUE(exit.clean()) << exit.reason;
  EXPECT_EQ(recorder_.Seen(kWorker).frames.size(), 11);
  EXPECT_EQ(host_->running(), 0);
}

TEST_F(HostTest, TellsAWorkerOnceWhichOfItsSegmentsAreGone) {
  UsePool(0);  // What is given back is freed at once.
  StartReady("count_forgotten");
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  int64_t rounds = 0;
  int64_t forgotten = 0;
  do {
    ASSERT_TRUE(Send(++rounds, "text").ok());
    const RecordedWorker seen = recorder_.WaitFor(kWorker, [](const auto& now) {
      return !now.frames.empty() && now.frames.back().frame.kind == FrameKind::kOutput;
    });
    forgotten = seen.frames.back().frame.rows;
    recorder_.Drop(kWorker);
  } while (forgotten < 20 && std::chrono::steady_clock::now() < deadline);
  EXPECT_GE(forgotten, 20);
  EXPECT_LE(forgotten, 2 * rounds - 1);  // Two a batch before this one, and the setup.
}

TEST_F(HostTest, ServesManyWorkersFromManyThreads) {
  constexpr int kThreads = 4;
  constexpr int kBatches = 200;
  for (WorkerId worker = 0; worker < kThreads; ++worker) Start("echo", worker);
  std::vector<std::thread> threads;
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([this, thread] {
      for (int batch = 0; batch < kBatches; ++batch) {
        EXPECT_TRUE(Send(thread * kBatches + batch, "text", 1, (thread + batch) % kThreads).ok());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (WorkerId worker = 0; worker < kThreads; ++worker) {
    recorder_.WaitForFrames(worker, kBatches + 1);
  }
  EXPECT_EQ(host_->running(), kThreads);
}

TEST_F(HostTest, RefusesBatchesThatCannotBe) {
  StartReady("echo");
  const auto segment = Filled("text");
  const auto send = [&](std::shared_ptr<Segment> input, int64_t bytes, int64_t rows) {
    return host_->SendBatch(kWorker, 1, std::move(input), bytes, rows, segment);
  };
  EXPECT_TRUE(send(nullptr, 1, 1).IsInvalid());
  EXPECT_TRUE(send(segment, 1, 1).IsInvalid());
  EXPECT_TRUE(send(Filled(""), 0, 1).IsInvalid());
  EXPECT_TRUE(send(Filled(""), int64_t{1} << 40, 1).IsInvalid());
  EXPECT_TRUE(send(Filled(""), 1, -1).IsInvalid());
  EXPECT_TRUE(host_->SendGrant(kWorker, 1, nullptr).IsInvalid());
  host_->Stop(kWorker);
  const Status status = Send(1, "text");
  EXPECT_TRUE(status.IsInvalid() || DetailOf(status) != nullptr) << status.ToString();
}

TEST_F(HostTest, SaysThatAWorkerHasEndedWhenABatchComesTooLate) {
  StartReady("echo");
  host_->Stop(kWorker);
  recorder_.WaitForExit(kWorker);
  const Status status = Send(1, "text");
  ASSERT_NE(DetailOf(status), nullptr);
  EXPECT_EQ(DetailOf(status)->kind(), ErrorKind::kWorkerDied);
  host_->Stop(kWorker);
  host_->Kill(kWorker);
}

}  // namespace
}  // namespace penstock
