#include "penstock/memory/machine.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace penstock {
namespace {

namespace fs = std::filesystem;

/// A folder that stands for "/" and goes with the test.
class FakeRoot {
 public:
  FakeRoot() {
    const auto* info = testing::UnitTest::GetInstance()->current_test_info();
    root_ = fs::path(testing::TempDir()) / ("penstock_machine_" + std::string(info->name()));
    fs::remove_all(root_);
    Write("/proc/meminfo", "MemFree: 5 kB\nMemTotal:       1000 kB\n");
  }
  ~FakeRoot() { fs::remove_all(root_); }
  FakeRoot(const FakeRoot&) = delete;
  FakeRoot& operator=(const FakeRoot&) = delete;

  void Write(const std::string& path, const std::string& text) {
    const fs::path file = root_.string() + path;
    fs::create_directories(file.parent_path());
    std::ofstream(file) << text;
  }

  std::string path() const { return root_.string(); }
  int64_t memory() const { return MemoryBytesUnder(path()); }

 private:
  fs::path root_;
};

TEST(MachineTest, CountsTheGpusOfTheDriverUnlessTheEnvironmentNamesSome) {
  FakeRoot root;
  EXPECT_TRUE(GpusUnder(root.path(), nullptr).empty());
  EXPECT_TRUE(GpusUnder(root.path(), "0,1").empty()) << "a driver that is not there has no GPUs";
  root.Write("/proc/driver/nvidia/gpus/0000:01:00.0/information", "");
  root.Write("/proc/driver/nvidia/gpus/0000:02:00.0/information", "");
  EXPECT_EQ(GpusUnder(root.path(), nullptr), (std::vector<std::string>{"0", "1"}));
  EXPECT_EQ(GpusUnder(root.path(), "1"), std::vector<std::string>{"1"});
  EXPECT_EQ(GpusUnder(root.path(), "GPU-a,GPU-b"), (std::vector<std::string>{"GPU-a", "GPU-b"}));
  EXPECT_EQ(GpusUnder(root.path(), "1,-1,0"), std::vector<std::string>{"1"});
  EXPECT_TRUE(GpusUnder(root.path(), "").empty());
}

TEST(MachineTest, TakesTheMachinesMemoryWhereNoGroupLimitsIt) {
  FakeRoot root;
  EXPECT_EQ(root.memory(), 1000 * 1024);
  root.Write("/proc/self/cgroup", "0::/\n");
  root.Write("/sys/fs/cgroup/memory.max", "max\n");
  EXPECT_EQ(root.memory(), 1000 * 1024);
}

TEST(MachineTest, TakesTheSmallestLimitOfAllLevelsOfVersion2) {
  FakeRoot root;
  root.Write("/proc/self/cgroup", "0::/a/b/c\n");
  root.Write("/sys/fs/cgroup/a/b/c/memory.max", "max\n");
  root.Write("/sys/fs/cgroup/a/b/memory.max", "500000\n");
  root.Write("/sys/fs/cgroup/a/memory.max", "400000\n");
  EXPECT_EQ(root.memory(), 400'000);
  root.Write("/sys/fs/cgroup/memory.max", "300000\n");
  EXPECT_EQ(root.memory(), 300'000);
}

TEST(MachineTest, TakesTheSmallestLimitOfAllLevelsOfVersion1) {
  FakeRoot root;
  root.Write("/proc/self/cgroup", "5:cpu,cpuacct:/\n4:memory:/a/b\n0::/\n");
  root.Write("/sys/fs/cgroup/memory/a/b/memory.limit_in_bytes", "9223372036854771712\n");
  EXPECT_EQ(root.memory(), 1000 * 1024);
  root.Write("/sys/fs/cgroup/memory/a/memory.limit_in_bytes", "600000\n");
  EXPECT_EQ(root.memory(), 600'000);
}

TEST(MachineTest, FindsVersion2MountedBesideVersion1) {
  FakeRoot root;
  root.Write("/proc/self/cgroup", "4:memory:/\n0::/x\n");
  root.Write("/sys/fs/cgroup/unified/x/memory.max", "700000\n");
  EXPECT_EQ(root.memory(), 700'000);
}

TEST(MachineTest, LooksAtTheMountWhenTheGroupLiesOutsideTheNamespace) {
  FakeRoot root;
  root.Write("/proc/self/cgroup", "0::/../../elsewhere\n");
  root.Write("/sys/fs/cgroup/memory.max", "800000\n");
  EXPECT_EQ(root.memory(), 800'000);
}

TEST(MachineTest, PassesOverFilesThatMakeNoSense) {
  FakeRoot root;
  root.Write("/proc/self/cgroup", "nonsense\n0::/a\n:\n");
  root.Write("/sys/fs/cgroup/a/memory.max", "plenty\n");
  root.Write("/sys/fs/cgroup/a/cpu.max", "\n");
  root.Write("/sys/fs/cgroup/cpu.max", "100000 0\n");
  EXPECT_EQ(root.memory(), 1000 * 1024);
  EXPECT_EQ(ProcessorsUnder(root.path(), 8), 8);
}

TEST(MachineTest, RoundsAVersion2ProcessorQuotaUp) {
  FakeRoot root;
  root.Write("/proc/self/cgroup", "0::/a\n");
  root.Write("/sys/fs/cgroup/a/cpu.max", "max 100000\n");
  EXPECT_EQ(ProcessorsUnder(root.path(), 8), 8);
  root.Write("/sys/fs/cgroup/cpu.max", "250000 100000\n");
  EXPECT_EQ(ProcessorsUnder(root.path(), 8), 3);
  EXPECT_EQ(ProcessorsUnder(root.path(), 2), 2);
  root.Write("/sys/fs/cgroup/a/cpu.max", "1000 100000\n");
  EXPECT_EQ(ProcessorsUnder(root.path(), 8), 1);
}

TEST(MachineTest, ReadsAVersion1ProcessorQuotaUnderEitherMount) {
  FakeRoot root;
  root.Write("/proc/self/cgroup", "5:cpu,cpuacct:/a\n");
  root.Write("/sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_quota_us", "-1\n");
  root.Write("/sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(ProcessorsUnder(root.path(), 8), 8);
  root.Write("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "150000\n");
  root.Write("/sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(ProcessorsUnder(root.path(), 8), 2);
}

TEST(MachineTest, GivesThisMachineSomeOfEverything) {
  EXPECT_GT(MachineMemoryBytes(), 0);
  EXPECT_GE(MachineProcessors(), 1);
  EXPECT_EQ(DefaultBudgetBytes(), MachineMemoryBytes() / 4);
}

}  // namespace
}  // namespace penstock
