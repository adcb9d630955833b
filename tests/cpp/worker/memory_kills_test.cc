#include "penstock/worker/memory_kills.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace penstock {
namespace {

constexpr pid_t kProcess = 77;

/// A folder that stands for "/".
class MemoryKillsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const ::testing::TestInfo* const info = ::testing::UnitTest::GetInstance()->current_test_info();
    root_ = ::testing::TempDir() + "memory_kills_" + info->name();
    std::filesystem::remove_all(root_);
  }
  void TearDown() override { std::filesystem::remove_all(root_); }

  void Write(const std::string& path, const std::string& text) {
    const std::filesystem::path file = root_ + path;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << text;
  }

  void SetVersion1(int kills, const std::string& group = "/jobs/a") {
    Write("/sys/fs/cgroup/memory" + group + "/memory.oom_control",
          "oom_kill_disable 0\nunder_oom 0\noom_kill " + std::to_string(kills) + "\n");
  }

  void SetVersion2(int kills) {
    Write(
        "/sys/fs/cgroup/jobs/a/memory.events",
        "low 0\nhigh 5\nmax 9\noom 9\noom_kill " + std::to_string(kills) + "\noom_group_kill 7\n");
  }

  std::string root_;
};

TEST_F(MemoryKillsTest, SeesAKillThatVersion1Counts) {
  Write("/proc/77/cgroup", "4:memory:/jobs/a\n0::/\n");
  SetVersion1(3);
  MemoryKills kills(root_);
  const MemoryKills::Mark mark = kills.MarkOf(kProcess);
  EXPECT_FALSE(kills.TakeKill(mark));
  SetVersion1(4);
  EXPECT_TRUE(kills.TakeKill(mark));
}

TEST_F(MemoryKillsTest, SeesAKillThatVersion2Counts) {
  Write("/proc/77/cgroup", "0::/jobs/a\n");
  SetVersion2(0);
  MemoryKills kills(root_);
  const MemoryKills::Mark mark = kills.MarkOf(kProcess);
  EXPECT_FALSE(kills.TakeKill(mark));
  SetVersion2(1);
  EXPECT_TRUE(kills.TakeKill(mark));
}

TEST_F(MemoryKillsTest, GivesEachKillToOneProcess) {
  Write("/proc/77/cgroup", "4:memory:/jobs/a\n");
  SetVersion1(0);
  MemoryKills kills(root_);
  const MemoryKills::Mark first = kills.MarkOf(kProcess);
  const MemoryKills::Mark second = kills.MarkOf(kProcess);
  SetVersion1(1);
  EXPECT_TRUE(kills.TakeKill(first));
  EXPECT_FALSE(kills.TakeKill(second));
  const MemoryKills::Mark third = kills.MarkOf(kProcess);
  EXPECT_FALSE(kills.TakeKill(third));
  SetVersion1(2);
  EXPECT_TRUE(kills.TakeKill(third));
}

TEST_F(MemoryKillsTest, LooksInTheGroupAboveWhereItsOwnCannotBeSeen) {
  Write("/proc/77/cgroup", "4:memory:/docker/1234\n");
  SetVersion1(0, "");
  MemoryKills kills(root_);
  const MemoryKills::Mark mark = kills.MarkOf(kProcess);
  SetVersion1(1, "");
  EXPECT_TRUE(kills.TakeKill(mark));
}

TEST_F(MemoryKillsTest, SeesNoneWhereNothingCounts) {
  MemoryKills kills(root_);
  EXPECT_FALSE(kills.TakeKill(kills.MarkOf(kProcess)));
}

}  // namespace
}  // namespace penstock
