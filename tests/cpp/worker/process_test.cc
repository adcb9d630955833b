#include "penstock/worker/process.h"

#include <fcntl.h>
#include <signal.h>

#include <memory>
#include <string>
#include <thread>

#include "worker/host_fixture.h"

namespace penstock {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

struct Death {
  const char* mode;
  const char* reason;
  ExitCause cause = ExitCause::kProtocol;
};

class WorkerDeathTest : public HostTest, public ::testing::WithParamInterface<Death> {};

TEST_P(WorkerDeathTest, IsToldOnceWithItsReasonAndNoFrameOfIt) {
  const pid_t process = StartReady(GetParam().mode);
  const auto output = pool_->Acquire(4096).ValueOrDie();
  ASSERT_TRUE(host_->SendBatch(kWorker, 1, Filled("some text"), 9, 1, output).ok());
  const WorkerExit exit = recorder_.WaitForExit(kWorker);
  EXPECT_THAT(exit.reason, StartsWith(GetParam().reason));
  EXPECT_EQ(exit.cause, GetParam().cause);
  for (const RecordedFrame& seen : recorder_.Seen(kWorker).frames) {
    EXPECT_EQ(seen.frame.magic, kFrameMagic);
    EXPECT_GE(seen.frame.segment_bytes, 0);
  }
  EXPECT_LE(recorder_.Seen(kWorker).frames.size(), GetParam().mode == std::string("twice") ? 2 : 1);
  EXPECT_EQ(host_->running(), 0);
  EXPECT_TRUE(GroupEnds(process));
}

INSTANTIATE_TEST_SUITE_P(
    Natural, WorkerDeathTest,
    ::testing::Values(Death{"crash", "was killed by signal 11 (SIGSEGV)", ExitCause::kSignal},
                      Death{"exit_0", "exited with code 0 without being told to stop",
                            ExitCause::kExitCode},
                      Death{"exit_3", "exited with code 3", ExitCause::kExitCode},
                      Death{"device_error",
                            "ended itself after an error that leaves its "
                            "device unusable",
                            ExitCause::kDeviceError}),
    [](const auto& death) { return std::string(death.param.mode); });

INSTANTIATE_TEST_SUITE_P(
    ForBreakingTheProtocol, WorkerDeathTest,
    ::testing::Values(
        Death{"magic", "was killed because it sent a frame with magic 0x7"},
        Death{"kind", "was killed because it sent a frame of kind 8"},
        Death{"flags", "was killed because it sent kOutput with flags 0x80"},
        Death{"segment", "was killed because it put its answer to batch 1 into segment"},
        Death{"batch", "was killed because it sent kOutput for batch 2 when it was to answer"},
        Death{"capacity", "was killed because it sent 4097 bytes in segment"},
        Death{"negative", "was killed because it sent kOutput with a negative size"},
        Death{"rows", "was killed because it sent kOutput with a negative size"},
        Death{"ready_again", "was killed because it sent kReady after it was built"},
        Death{"no_descriptor", "was killed because it sent kOutput with 0 descriptors"},
        Death{"extra_descriptor", "was killed because it sent kOutput with 1 descriptors"},
        Death{"short", "was killed because it sent a message of 12 bytes"},
        Death{"twice", "was killed because it sent kOutput for batch 1, but holds none"},
        Death{"unsealed", "was killed because it sent a memory file that cannot be used"},
        Death{"small_file", "was killed because it sent a memory file that cannot be used"},
        Death{"hang_up", "was killed because it closed its socket without being told to stop"}),
    [](const auto& death) { return std::string(death.param.mode); });

TEST_F(HostTest, GivesAWorkerItsSocketTheStandardStreamsAndNothingElse) {
  const int inheritable = ::open("/dev/null", O_RDONLY);
  signal(SIGPIPE, SIG_IGN);
  StartReady("birth");
  signal(SIGPIPE, SIG_DFL);
  ::close(inheritable);
  ASSERT_TRUE(Send(1, "text").ok());
  EXPECT_EQ(recorder_.WaitForFrames(kWorker, 2).frames[1].text(), "0 1 2 3 4 6 leader");
}

TEST_F(HostTest, GivesAWorkerItsOwnVariablesOverThoseOfItsPool) {
  WorkerCommand command = Command("environment");
  command.environment = {"KEPT=1", "CHANGED=1"};
  command.own_environment = {"CHANGED=2", "NEW=3"};
  ASSERT_TRUE(host_->Start(kWorker, command, "the setup").ok());
  started_.push_back(kWorker);
  recorder_.WaitForFrames(kWorker, 1);
  ASSERT_TRUE(Send(1, "text").ok());
  EXPECT_EQ(recorder_.WaitForFrames(kWorker, 2).frames[1].text(), "KEPT=1;CHANGED=2;NEW=3;");
}

TEST_F(HostTest, KillsWhatTheWorkerHadStarted) {
  const pid_t process = StartReady("grandchild");
  EXPECT_TRUE(GroupRuns(process));
  host_->Stop(kWorker);
  EXPECT_TRUE(recorder_.WaitForExit(kWorker).clean());
  EXPECT_TRUE(GroupEnds(process));
}

TEST_F(HostTest, KillsAllWorkersAtItsEnd) {
  std::vector<pid_t> processes;
  for (const WorkerId worker : {1, 2, 3}) processes.push_back(StartReady("grandchild", worker));
  Start("echo", 4);
  EXPECT_EQ(host_->running(), 4);
  host_.reset();
  for (const pid_t process : processes) EXPECT_TRUE(GroupEnds(process));
  for (const WorkerId worker : started_) {
    EXPECT_EQ(recorder_.WaitForExit(worker).reason, "was killed by the engine");
  }
}

TEST_F(HostTest, TellsWhyItKilledAWorkerByTheFirstReasonGiven) {
  StartReady("echo");
  host_->Kill(kWorker, {.cause = ExitCause::kTimeout, .text = "was killed after 5 s"});
  host_->Kill(kWorker);
  const WorkerExit exit = recorder_.WaitForExit(kWorker);
  EXPECT_EQ(exit.cause, ExitCause::kTimeout);
  EXPECT_EQ(exit.reason, "was killed after 5 s");
  EXPECT_EQ(exit.signal, SIGKILL);
}

TEST_F(HostTest, TakesASignalFromElsewhereForWhatItIs) {
  ::kill(StartReady("echo"), SIGKILL);
  const WorkerExit exit = recorder_.WaitForExit(kWorker);
  EXPECT_EQ(exit.cause, ExitCause::kSignal);
  EXPECT_EQ(exit.reason, "was killed by signal 9 (SIGKILL)");
}

TEST_F(HostTest, TellsOfADeathWithinFiftyMilliseconds) {
  auto fastest = std::chrono::steady_clock::duration::max();  // Of a machine that may be busy.
  for (WorkerId worker = 1; worker <= 10; ++worker) {
    const pid_t process = StartReady("echo", worker);
    const auto start = std::chrono::steady_clock::now();
    ::kill(process, SIGKILL);
    recorder_.WaitForExit(worker);
    fastest = std::min(fastest, std::chrono::steady_clock::now() - start);
  }
  EXPECT_LT(fastest, std::chrono::milliseconds(50));
}

TEST_F(HostTest, TellsOfAWorkerThatLeavesWhenItIsToldTo) {
  StartReady("echo");
  host_->Stop(kWorker);
  EXPECT_EQ(recorder_.WaitForExit(kWorker).cause, ExitCause::kStopped);
}

TEST_F(HostTest, KnowsTheMemoryThatAWorkerHasToItselfAndNoneOfOneThatIsGone) {
  StartReady("allocate");
  const std::optional<int64_t> before = host_->ResidentBytes(kWorker);
  ASSERT_TRUE(before.has_value());
  ASSERT_TRUE(Send(1, "text", /*rows=*/64).ok());  // In MiB.
  recorder_.WaitForFrames(kWorker, 2);
  const std::optional<int64_t> after = host_->ResidentBytes(kWorker);
  ASSERT_TRUE(after.has_value());
  EXPECT_GE(*after - *before, int64_t{64} << 20);
  EXPECT_LT(*after - *before, int64_t{72} << 20);
  host_->Kill(kWorker);
  recorder_.WaitForExit(kWorker);
  EXPECT_EQ(host_->ResidentBytes(kWorker), std::nullopt);
}

TEST_F(HostTest, StartsWorkersThatOutliveTheThreadThatAskedForThem) {
  std::thread([this] { StartReady("parent_death"); }).join();
  for (int batch = 0; batch < 200; ++batch) {
    ASSERT_TRUE(Send(batch, "text").ok());
    recorder_.WaitForFrames(kWorker, static_cast<size_t>(batch) + 2);
  }
}

TEST_F(HostTest, NamesTheProgramThatCannotBeStarted) {
  const Status status = host_->Start(kWorker, {.arguments = {"/no/such/program"}}, "");
  EXPECT_TRUE(status.IsIOError());
  EXPECT_THAT(status.message(), HasSubstr("No such file or directory: /no/such/program"));
  EXPECT_TRUE(host_->Start(kWorker, {}, "").IsInvalid());
  EXPECT_EQ(host_->running(), 0);
}

TEST_F(HostTest, RefusesASecondWorkerOfTheSameNumber) {
  StartReady("echo");
  EXPECT_TRUE(host_->Start(kWorker, Command("echo"), "the setup").IsInvalid());
}

TEST_F(HostTest, BringsAllThatADeadWorkerHadSentBeforeItsExit) {
  constexpr int kBatches = 150;  // More than a host takes of one worker at a time.
  WorkerEvents events = recorder_.events();
  events.on_frame = [record = events.on_frame](WorkerId worker, const Frame& frame,
                                               std::shared_ptr<Segment> segment) {
    if (frame.kind == FrameKind::kReady) {  // Its whole life passes before the host looks again.
      siginfo_t info;
      EXPECT_EQ(::waitid(P_PID, static_cast<id_t>(frame.busy_ns), &info, WEXITED | WNOWAIT), 0);
    }
    record(worker, frame, std::move(segment));
  };
  host_.reset();
  host_ = WorkerHost::Make(pool_, std::move(events)).ValueOrDie();
  Start("done_then_exit");
  const auto input = Filled("text");
  for (int batch = 0; batch < kBatches; ++batch) {
    const int64_t rows = batch + 1 < kBatches ? 1 : 0;
    ASSERT_TRUE(host_->SendBatch(kWorker, batch, input, 4, rows, nullptr).ok());
  }
  EXPECT_EQ(recorder_.WaitForExit(kWorker).exit_code, 3);
  EXPECT_EQ(recorder_.Seen(kWorker).frames.size(), kBatches + 1);
}

TEST(HostRestartTest, MayStartAWorkerAgainFromItsOwnExit) {
  auto pool = SegmentPool::Make(0);
  const WorkerCommand command{.arguments = {PENSTOCK_ECHO_WORKER, "echo"}};
  Recorder recorder;
  std::unique_ptr<WorkerHost> host;
  WorkerEvents events = recorder.events();
  events.on_exit = [&, record = events.on_exit](WorkerId worker, const WorkerExit& exit) {
    if (recorder.Seen(worker).exits.empty()) {
      EXPECT_TRUE(host->Start(worker, command, "the setup").ok());
    }
    record(worker, exit);
  };
  host = WorkerHost::Make(pool, std::move(events)).ValueOrDie();
  ASSERT_TRUE(host->Start(1, command, "the setup").ok());
  recorder.WaitForFrames(1, 1);
  host->Kill(1);
  recorder.WaitFor(1, [](const auto& seen) { return seen.frames.size() == 2; });
  host.reset();
  EXPECT_EQ(recorder.Seen(1).exits.size(), 2);
}

}  // namespace
}  // namespace penstock
