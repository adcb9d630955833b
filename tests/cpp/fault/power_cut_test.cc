// The power goes before every call that changes the output.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <memory>

#include "fault/cut_disk.h"
#include "fault/cut_off_jobs.h"

namespace penstock {
namespace {

namespace files = std::filesystem;

class PowerCuts : public ::testing::TestWithParam<ReferenceJob> {
 protected:
  void SetUp() override {
    if (!disk_.Make()) GTEST_SKIP() << kNoCutDisk;
    job_ = std::make_unique<CutOffJob>(GetParam(), disk_.folder(), disk_.path());
    CountEntriesOf(disk_.path() + "/out/_penstock/log");
  }

  int64_t Entries() const {
    std::error_code none;
    const files::directory_iterator log(disk_.path() + "/out/_penstock/log", none);
    if (none) return 0;
    return std::count_if(files::begin(log), files::end(log), [](const auto& entry) {
      return !entry.path().filename().string().starts_with('.');
    });
  }

  CutDisk disk_;
  std::unique_ptr<CutOffJob> job_;
};

TEST_P(PowerCuts, LoseNothingThatWasOnRecordAndLeaveNoHalfFile) {
  for (int64_t at = 0; at < job_->calls(); at += FaultStride()) {
    const Ended ended = job_->Run({.kind = FaultKind::kPowerCut, .at = at});
    ASSERT_FALSE(ended.failed) << "the file system could not be stopped";
    if (ended.killed) {
      ASSERT_TRUE(disk_.Remount()) << at;
      EXPECT_GE(Entries(), EntriesOnRecordBeforeCut()) << "a power cut at call " << at;
    }
    ASSERT_NO_FATAL_FAILURE(job_->ExpectGoesOn(fmt::format("a power cut at call {}", at)));
  }
}

INSTANTIATE_TEST_SUITE_P(Jobs, PowerCuts, ::testing::ValuesIn(ReferenceJobs()), TestNameOf);

}  // namespace
}  // namespace penstock
