// Every job, cut off or failed at every call that changes something in its output's folder.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <memory>

#include "fault/cut_off_jobs.h"

namespace penstock {
namespace {

namespace files = std::filesystem;

class CrashPoints : public ::testing::TestWithParam<ReferenceJob> {
 protected:
  CrashPoints() {
    // In memory, where there is such a place: what a process leaves is the same, and sync is quick.
    const bool in_memory = access("/dev/shm", W_OK) == 0;
    const files::path place = in_memory ? files::path("/dev/shm") : files::temp_directory_path();
    std::string pattern = place / "penstock_crash_XXXXXX";
    folder_ = mkdtemp(pattern.data());
    job_ = std::make_unique<CutOffJob>(GetParam(), folder_, folder_);
  }
  ~CrashPoints() override { files::remove_all(folder_); }

  int64_t calls() const { return job_->calls(); }

  std::string folder_;
  std::unique_ptr<CutOffJob> job_;
};

TEST_P(CrashPoints, KilledAnywhereItGoesOn) {
  int64_t at = 0;
  for (Ended ended{.killed = true}; ended.killed; at += FaultStride()) {
    ended = job_->Run({.kind = FaultKind::kKill, .at = at});
    ASSERT_NO_FATAL_FAILURE(job_->ExpectGoesOn(fmt::format("killed at call {}", at)));
  }
  EXPECT_GT(at, calls() / 2);  // The last run came to its end.
}

TEST_P(CrashPoints, KilledTwiceItGoesOn) {
  for (int64_t at = 0; at < calls(); at += 3 * FaultStride()) {
    job_->Run({.kind = FaultKind::kKill, .at = at});
    job_->Run({.kind = FaultKind::kKill, .at = (at * 7 + 5) % (calls() / 2 + 1)});
    ASSERT_NO_FATAL_FAILURE(job_->ExpectGoesOn(fmt::format("killed at call {} and again", at)));
  }
}

TEST_P(CrashPoints, FailingOnceAnywhereItGoesOn) {
  for (const int error : {EIO, ENOSPC, EINTR}) {
    for (int64_t at = 0; at < calls(); at += FaultStride()) {
      job_->Run({.kind = FaultKind::kFail, .at = at, .error = error});
      ASSERT_NO_FATAL_FAILURE(job_->ExpectGoesOn(fmt::format("error {} at call {}", error, at)));
    }
  }
}

TEST_P(CrashPoints, OnAFullDiskItFailsAndGoesOnOnceThereIsRoom) {
  for (int64_t at = 0; at < calls() - 1; at += FaultStride()) {
    const Ended ended = job_->Run({.kind = FaultKind::kFailOnward, .at = at, .error = ENOSPC});
    EXPECT_FALSE(ended.killed) << at;
    ASSERT_NO_FATAL_FAILURE(job_->ExpectGoesOn(fmt::format("a full disk from call {} on", at)));
  }
}

TEST_P(CrashPoints, ShortWritesChangeNothing) {
  for (int64_t at = 0; at < calls(); at += FaultStride()) {
    const Ended ended = job_->Run({.kind = FaultKind::kShortWrite, .at = at});
    EXPECT_FALSE(ended.failed || ended.killed) << at;
    ASSERT_NO_FATAL_FAILURE(job_->ExpectGoesOn(fmt::format("a short write at call {}", at)));
  }
}

INSTANTIATE_TEST_SUITE_P(Jobs, CrashPoints, ::testing::ValuesIn(ReferenceJobs()), TestNameOf);

}  // namespace
}  // namespace penstock
