#include "penstock/worker/thread_process.h"

#include <string>

#include "worker/host_fixture.h"

namespace penstock {
namespace {

using ::testing::StartsWith;

/// Three workers that are threads of one process, as the engine sees it.
class ThreadProcessTest : public HostTest {
 protected:
  static constexpr int kCrash = 13;    // Rows of a batch at which the echo worker crashes,
  static constexpr int kBreak = 14;    // breaks the protocol,
  static constexpr int kSilence = 15;  // or answers nothing.

  void SetUp() override {
    HostTest::SetUp();
    for (const WorkerId worker : {1, 2, 3}) processes_.push_back(StartThread(worker));
  }

  pid_t StartThread(WorkerId worker) {
    WorkerCommand command = Command("threads");
    command.shared = WorkerSharing::kProcess;
    command.pool = 5;
    command.pool_name = "the pool";
    EXPECT_TRUE(host_->Start(worker, command, "the setup").ok());
    started_.push_back(worker);
    return static_cast<pid_t>(recorder_.WaitForFrames(worker, 1).frames[0].frame.busy_ns);
  }

  std::vector<pid_t> processes_;
};

TEST_F(ThreadProcessTest, TheWorkersAreOneProcessAndEachAnswersItsOwnBatches) {
  EXPECT_EQ(processes_, std::vector<pid_t>(3, processes_[0]));
  for (const WorkerId worker : {1, 2, 3}) {
    ASSERT_TRUE(Send(worker, "text " + std::to_string(worker), 1, worker).ok());
  }
  for (const WorkerId worker : {1, 2, 3}) {
    EXPECT_EQ(recorder_.WaitForFrames(worker, 2).frames[1].text(),
              "text " + std::to_string(worker));
  }
  EXPECT_EQ(host_->LaunchSummary(), "1 spawned, 2 threads of its process");
}

TEST_F(ThreadProcessTest, OneThatStopsLeavesTheOthersAtWork) {
  host_->Stop(1);
  EXPECT_EQ(recorder_.WaitForExit(1).cause, ExitCause::kStopped);
  ASSERT_TRUE(Send(7, "still here", 1, 2).ok());
  EXPECT_EQ(recorder_.WaitForFrames(2, 2).frames[1].text(), "still here");
  EXPECT_TRUE(GroupRuns(processes_[0]));
}

TEST_F(ThreadProcessTest, TheProcessEndsWithTheLastOfThem) {
  for (const WorkerId worker : {2, 3, 1}) {
    host_->Stop(worker);
    const WorkerExit exit = recorder_.WaitForExit(worker);
    EXPECT_EQ(exit.cause, ExitCause::kStopped) << exit.reason;
  }
  EXPECT_TRUE(GroupEnds(processes_[0]));
  const std::vector<WorkerLine> lines = lines_->TakeAll();
  ASSERT_EQ(lines.size(), 1);
  EXPECT_EQ(lines[0].text, "(the pool) left by itself");
  EXPECT_NE(StartThread(4), processes_[0]);
}

TEST_F(ThreadProcessTest, ACrashEndsAllOfThemWithItsCause) {
  ASSERT_TRUE(Send(1, "text", kCrash, 2).ok());
  for (const WorkerId worker : {1, 2, 3}) {
    const WorkerExit exit = recorder_.WaitForExit(worker);
    EXPECT_EQ(exit.cause, ExitCause::kSignal);
    EXPECT_EQ(exit.reason, "was killed by signal 11 (SIGSEGV)");
  }
}

TEST_F(ThreadProcessTest, KillingOneEndsAllOfThemAndSaysWhoseReasonItWas) {
  ASSERT_TRUE(Send(1, "text", kSilence, 2).ok());
  host_->Kill(2, {.cause = ExitCause::kTimeout, .text = "was killed after 5 s"});
  EXPECT_EQ(recorder_.WaitForExit(2).cause, ExitCause::kTimeout);
  EXPECT_EQ(recorder_.WaitForExit(2).reason, "was killed after 5 s");
  for (const WorkerId worker : {1, 3}) {
    EXPECT_EQ(recorder_.WaitForExit(worker).cause, ExitCause::kKilled);
    EXPECT_EQ(recorder_.WaitForExit(worker).reason,
              "ended with its process, which was killed after 5 s");
  }
}

TEST_F(ThreadProcessTest, OneThatBreaksTheProtocolEndsAllOfThem) {
  ASSERT_TRUE(Send(1, "text", kBreak, 3).ok());
  EXPECT_EQ(recorder_.WaitForExit(3).cause, ExitCause::kProtocol);
  EXPECT_THAT(recorder_.WaitForExit(1).reason,
              StartsWith("ended with its process, which was killed because it sent a frame"));
}

TEST_F(ThreadProcessTest, WorkersOfADeadProcessStartAnew) {
  host_->Kill(1);
  for (const WorkerId worker : {1, 2, 3}) recorder_.WaitForExit(worker);
  const pid_t process = StartThread(4);
  EXPECT_NE(process, processes_[0]);
  EXPECT_EQ(StartThread(5), process);
}

TEST_F(ThreadProcessTest, WorkersOfAnotherPoolAreAnotherProcess) {
  WorkerCommand command = Command("threads");
  command.shared = WorkerSharing::kProcess;
  command.pool = 6;
  ASSERT_TRUE(host_->Start(9, command, "the setup").ok());
  started_.push_back(9);
  const auto process = recorder_.WaitForFrames(9, 1).frames[0].frame.busy_ns;
  EXPECT_NE(process, processes_[0]);
}

}  // namespace
}  // namespace penstock
