// Every job, cut off or failed at every call that changes something in its output's folder.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>

#include "fault/fault_calls.h"
#include "fault/reference_jobs.h"

namespace penstock {
namespace {

namespace files = std::filesystem;

struct Ended {
  bool killed = false;
  bool failed = false;
  int64_t calls = 0;
};

class CrashPoints : public ::testing::TestWithParam<ReferenceJob> {
 protected:
  CrashPoints() {
    std::string pattern = files::temp_directory_path() / "penstock_crash_XXXXXX";
    folder_ = mkdtemp(pattern.data());
    RunForked([this] {
      WriteReferenceInput(folder_ + "/in");
      return Status::OK();
    });
    const Ended clean = Run("clean", {});
    calls_ = clean.calls;
    EXPECT_FALSE(clean.failed);
    wanted_ = VisibleFiles(folder_ + "/clean");
    EXPECT_GT(wanted_.size(), 1U);
  }
  ~CrashPoints() override { files::remove_all(folder_); }

  /// Runs the job in a process of its own, with a fault.
  Ended Run(const std::string& output, const Fault& fault) {
    const std::string path = folder_ + "/" + output;
    return RunForked([&] {
      ArmFault(path, fault);
      return RunJob(GetParam().plan(folder_ + "/in", path));
    });
  }

  template <typename Work>
  static Ended RunForked(Work work) {
    TakeCallsCounted();
    const pid_t child = fork();
    if (child == 0) {
      if (freopen("/dev/null", "w", stderr) == nullptr) _exit(3);
      _exit(work().ok() ? 0 : 1);
    }
    int status = 0;
    waitpid(child, &status, 0);
    return {.killed = WIFSIGNALED(status),
            .failed = WIFEXITED(status) && WEXITSTATUS(status) != 0,
            .calls = TakeCallsCounted()};
  }

  /// Checks that readers see whole files of a clean run alone, then that the next run makes it
  /// whole.
  void ExpectGoesOn(const std::string& where) {
    const std::string path = folder_ + "/out";
    for (const auto& [name, bytes] : VisibleFiles(path)) {
      const auto wanted = wanted_.find(name);
      ASSERT_TRUE(wanted != wanted_.end()) << where << ": a file of no clean run: " << name;
      ASSERT_TRUE(wanted->second == bytes)
          << where << ": another file than a clean run's: " << name;
    }
    const Ended again = Run("out", {});
    ASSERT_FALSE(again.failed || again.killed) << where << ": the next run does not go on";
    ASSERT_TRUE(VisibleFiles(path) == wanted_)
        << where << ": the output differs from a clean run's";
    ASSERT_TRUE(files::exists(path + "/_SUCCESS")) << where;
    ASSERT_FALSE(files::exists(path + "/_penstock/pending")) << where << ": something is left";
    files::remove_all(path);
  }

  std::string folder_;
  int64_t calls_ = 0;
  std::map<std::string, std::string> wanted_;
};

TEST_P(CrashPoints, KilledAnywhereItGoesOn) {
  int64_t at = 0;
  for (Ended ended{.killed = true}; ended.killed; ++at) {
    ended = Run("out", {.kind = FaultKind::kKill, .at = at});
    ASSERT_NO_FATAL_FAILURE(ExpectGoesOn(fmt::format("killed at call {}", at)));
  }
  EXPECT_GT(at, calls_ / 2);  // The last run came to its end.
}

TEST_P(CrashPoints, KilledTwiceItGoesOn) {
  for (int64_t at = 0; at < calls_; at += 3) {
    Run("out", {.kind = FaultKind::kKill, .at = at});
    Run("out", {.kind = FaultKind::kKill, .at = (at * 7 + 5) % (calls_ / 2 + 1)});
    ASSERT_NO_FATAL_FAILURE(ExpectGoesOn(fmt::format("killed at call {} and again", at)));
  }
}

TEST_P(CrashPoints, FailingOnceAnywhereItGoesOn) {
  for (const int error : {EIO, ENOSPC, EINTR}) {
    for (int64_t at = 0; at < calls_; ++at) {
      Run("out", {.kind = FaultKind::kFail, .at = at, .error = error});
      ASSERT_NO_FATAL_FAILURE(ExpectGoesOn(fmt::format("error {} at call {}", error, at)));
    }
  }
}

TEST_P(CrashPoints, OnAFullDiskItFailsAndGoesOnOnceThereIsRoom) {
  for (int64_t at = 0; at < calls_ - 1; ++at) {
    const Ended ended = Run("out", {.kind = FaultKind::kFailOnward, .at = at, .error = ENOSPC});
    EXPECT_FALSE(ended.killed) << at;
    ASSERT_NO_FATAL_FAILURE(ExpectGoesOn(fmt::format("a full disk from call {} on", at)));
  }
}

TEST_P(CrashPoints, ShortWritesChangeNothing) {
  for (int64_t at = 0; at < calls_; ++at) {
    const Ended ended = Run("out", {.kind = FaultKind::kShortWrite, .at = at});
    EXPECT_FALSE(ended.failed || ended.killed) << at;
    ASSERT_NO_FATAL_FAILURE(ExpectGoesOn(fmt::format("a short write at call {}", at)));
  }
}

INSTANTIATE_TEST_SUITE_P(Jobs, CrashPoints, ::testing::ValuesIn(ReferenceJobs()),
                         [](const auto& info) {
                           std::string name = info.param.name;
                           std::ranges::replace(name, ' ', '_');
                           return name;
                         });

}  // namespace
}  // namespace penstock
