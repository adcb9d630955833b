// The power goes before every call that changes the output: a file system of its own (ext4 in a
// file) is stopped without writing what is still in memory, and mounted again.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <memory>

#include "fault/cut_off_jobs.h"

namespace penstock {
namespace {

namespace files = std::filesystem;

bool Shell(const std::string& command) {
  return std::system((command + " >/dev/null 2>&1").c_str()) == 0;
}

class PowerCuts : public ::testing::TestWithParam<ReferenceJob> {
 protected:
  void SetUp() override {
    std::string pattern = files::temp_directory_path() / "penstock_power_XXXXXX";
    folder_ = mkdtemp(pattern.data());
    files::create_directory(folder_ + "/disk");
    const bool can = geteuid() == 0 && Shell("truncate -s 24M " + image()) &&
                     Shell("mkfs.ext4 -q -F " + image()) && Mount();
    if (!can) GTEST_SKIP() << "this machine lets nobody mount a file system of a file's (ext4)";
    job_ = std::make_unique<CutOffJob>(GetParam(), folder_, disk());
    CountEntriesOf(disk() + "/out/_penstock/log");
  }
  void TearDown() override {
    Shell("umount " + disk());
    files::remove_all(folder_);
  }

  std::string image() const { return folder_ + "/image"; }
  std::string disk() const { return folder_ + "/disk"; }
  bool Mount() const { return Shell("mount -o loop " + image() + " " + disk()); }

  int64_t Entries() const {
    std::error_code none;
    const files::directory_iterator log(disk() + "/out/_penstock/log", none);
    if (none) return 0;
    return std::count_if(files::begin(log), files::end(log), [](const auto& entry) {
      return !entry.path().filename().string().starts_with('.');
    });
  }

  std::string folder_;
  std::unique_ptr<CutOffJob> job_;
};

TEST_P(PowerCuts, LoseNothingThatWasOnRecordAndLeaveNoHalfFile) {
  for (int64_t at = 0; at < job_->calls(); at += FaultStride()) {
    const Ended ended = job_->Run({.kind = FaultKind::kPowerCut, .at = at});
    ASSERT_FALSE(ended.failed) << "the file system could not be stopped";
    if (ended.killed) {
      ASSERT_TRUE(Shell("umount " + disk()) && Mount()) << at;
      EXPECT_GE(Entries(), EntriesOnRecordBeforeCut()) << "a power cut at call " << at;
    }
    ASSERT_NO_FATAL_FAILURE(job_->ExpectGoesOn(fmt::format("a power cut at call {}", at)));
  }
}

INSTANTIATE_TEST_SUITE_P(Jobs, PowerCuts, ::testing::ValuesIn(ReferenceJobs()), TestNameOf);

}  // namespace
}  // namespace penstock
