#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "penstock/memory/segment.h"
#include "penstock/worker/host.h"
#include "penstock/worker/reception.h"
#include "worker/recorder.h"

namespace penstock {

inline int CountDescriptors() {
  int count = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    count += entry.path().empty() ? 0 : 1;
  }
  return count;
}

/// Gives each test a host and a pool, and checks that nothing is left of either: no process, not
/// even a dead one, no descriptor, and one on_exit for each worker that was started.
class HostTest : public ::testing::Test {
 protected:
  static constexpr WorkerId kWorker = 7;

  void SetUp() override {
    Reception::WorkersEnd().ValueOrDie();  // Stays as long as the process.
    descriptors_before_ = CountDescriptors();
    UsePool(int64_t{1} << 30);
  }

  void UsePool(int64_t idle_bytes_max) {
    host_.reset();
    pool_ = SegmentPool::Make(idle_bytes_max);
    host_ = WorkerHost::Make(pool_, recorder_.events(), lines_).ValueOrDie();
  }

  void TearDown() override {
    host_.reset();
    for (const WorkerId worker : started_) {
      EXPECT_EQ(recorder_.Seen(worker).exits.size(), 1) << "worker " << worker;
      recorder_.Drop(worker);
    }
    pool_.reset();
    EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1) << "a process is left";
    EXPECT_EQ(CountDescriptors(), descriptors_before_);
  }

  static WorkerCommand Command(const std::string& mode) {
    return {
        .arguments = {PENSTOCK_ECHO_WORKER, mode}, .environment = {"PATH=/usr/bin"}, .name = mode};
  }

  void Start(const std::string& mode, WorkerId worker = kWorker) {
    const Status status = host_->Start(worker, Command(mode), "the setup");
    ASSERT_TRUE(status.ok()) << status.ToString();
    started_.push_back(worker);
  }

  /// Starts a worker and returns its process id once it is ready.
  pid_t StartReady(const std::string& mode, WorkerId worker = kWorker) {
    Start(mode, worker);
    const RecordedWorker seen = recorder_.WaitForFrames(worker, 1);
    EXPECT_EQ(seen.frames[0].frame.kind, FrameKind::kReady);
    return static_cast<pid_t>(seen.frames[0].frame.busy_ns);
  }

  std::shared_ptr<Segment> Filled(const std::string& text) {
    std::shared_ptr<Segment> segment = pool_->Acquire(4096).ValueOrDie();
    std::memcpy(segment->data(), text.data(), text.size());
    return segment;
  }

  Status Send(uint64_t batch, const std::string& text, int64_t rows = 1,
              WorkerId worker = kWorker) {
    return host_->SendBatch(worker, batch, Filled(text), static_cast<int64_t>(text.size()), rows,
                            pool_->Acquire(4096).ValueOrDie());
  }

  /// Ends the worker and returns the lines of one of its streams, one after the other.
  std::vector<std::string> LinesAfterStop(StandardStream stream, WorkerId worker = kWorker) {
    host_->Stop(worker);
    recorder_.WaitForExit(worker);
    std::vector<std::string> texts;
    for (const WorkerLine& line : lines_->TakeAll()) {
      if (line.stream == stream) texts.push_back(line.text);
    }
    return texts;
  }

  Recorder recorder_;
  const std::shared_ptr<WorkerLines> lines_ = std::make_shared<WorkerLines>();
  std::shared_ptr<SegmentPool> pool_;
  std::unique_ptr<WorkerHost> host_;
  std::vector<WorkerId> started_;

 private:
  int descriptors_before_ = 0;
};

/// Returns whether a process of the group runs; one that is dead and not reaped does not.
inline bool GroupRuns(pid_t group) {
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    std::ifstream file(entry.path() / "stat");
    std::string line;
    if (!std::getline(file, line)) continue;
    char state = 0;
    int parent = 0;
    int its_group = 0;
    std::istringstream(line.substr(line.rfind(')') + 1)) >> state >> parent >> its_group;
    if (its_group == group && state != 'Z' && state != 'X') return true;
  }
  return false;
}

/// Waits until no process of the group runs any more.
inline bool GroupEnds(pid_t group) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (GroupRuns(group)) {
    if (std::chrono::steady_clock::now() > deadline) return false;
  }
  return true;
}

}  // namespace penstock
