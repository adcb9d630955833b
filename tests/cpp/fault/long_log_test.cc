// A log that is long enough to be compacted, cut off or failed at every call that changes it.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/mman.h>

#include <cerrno>
#include <filesystem>
#include <string>

#include "fault/cut_disk.h"
#include "fault/cut_off_jobs.h"
#include "penstock/ledger/ledger.h"

namespace penstock {
namespace {

namespace files = std::filesystem;

constexpr int64_t kChunks = 40;
constexpr int64_t kFilesOfLogMax = 20;

/// Counts the chunks that a process has seen committed, for the one that it was forked from.
class Acknowledged {
 public:
  Acknowledged()
      : count_(static_cast<int64_t*>(mmap(nullptr, sizeof(int64_t), PROT_READ | PROT_WRITE,
                                          MAP_SHARED | MAP_ANONYMOUS, -1, 0))) {}
  ~Acknowledged() { munmap(count_, sizeof *count_); }
  int64_t& count() { return *count_; }

 private:
  int64_t* const count_;
};

class LongLogs : public ::testing::Test {
 protected:
  LongLogs() {
    // In memory, where there is such a place: what a process leaves is the same, and sync is quick.
    const bool in_memory = access("/dev/shm", W_OK) == 0;
    const files::path place = in_memory ? files::path("/dev/shm") : files::temp_directory_path();
    std::string pattern = place / "penstock_log_XXXXXX";
    folder_ = mkdtemp(pattern.data());
  }
  ~LongLogs() override { files::remove_all(folder_); }

  Result<std::unique_ptr<Ledger>> Open() {
    return Ledger::Open(MakeLocalLogStore(place_, "a process"), "a process");
  }

  /// Goes on with the log until it has all chunks.
  Status GoOn() {
    PENSTOCK_TRY(const auto ledger, Open());
    PENSTOCK_RETURN_NOT_OK(ledger->Begin({{"the input", "1"}}));
    for (int64_t chunk = ledger->done().size(); chunk < kChunks; ++chunk) {
      PENSTOCK_RETURN_NOT_OK(
          ledger->Add({.chunks = {{chunk, chunk}},
                       .files = {{.name = fmt::format("{}.csv", chunk), .rows = 1}},
                       .rows = {.in = 1, .out = 1}}));
      acknowledged_.count() = chunk + 1;
    }
    return Status::OK();
  }

  Ended Run(const Fault& fault) {
    return RunForked([&] {
      ArmFault(place_, fault);
      return GoOn();
    });
  }

  /// Checks that the log has all that was acknowledged, each entry once, and that it can go on.
  void ExpectWhole(const std::string& where) {
    const auto store = MakeLocalLogStore(place_, "");
    const auto entries = ReadEntries(*store);
    ASSERT_TRUE(entries.ok()) << where << ": " << entries.status().ToString();
    int64_t chunks = 0;
    for (const Commit& entry : *entries) chunks += static_cast<int64_t>(entry.chunks.size());
    ASSERT_GE(chunks, acknowledged_.count()) << where;
    ASSERT_LE(chunks, acknowledged_.count() + 1) << where;
    ASSERT_TRUE(GoOn().ok()) << where;
    const auto all = Open();
    ASSERT_TRUE(all.ok()) << where << ": " << all.status().ToString();
    ASSERT_EQ((*all)->done().Ranges(), std::vector<ChunkRange>({{0, kChunks - 1}})) << where;
    ASSERT_EQ((*all)->Files().ValueOrDie().size(), static_cast<size_t>(kChunks)) << where;
    const files::directory_iterator log(place_ + "/log");
    ASSERT_LE(std::distance(files::begin(log), files::end(log)), kFilesOfLogMax) << where;
    files::remove_all(place_);
    acknowledged_.count() = 0;
  }

  /// Cuts a run off at every call.
  void ExpectWholeAfterAll(FaultKind kind, int error = 0) {
    place_ = folder_ + "/out";
    bool ended_well = false;
    for (int64_t at = 0; !ended_well; at += FaultStride()) {
      const Ended ended = Run({.kind = kind, .at = at, .error = error});
      ended_well = !ended.killed && ended.calls <= at;
      ASSERT_NO_FATAL_FAILURE(ExpectWhole(fmt::format("fault {} at call {}", error, at)));
    }
  }

  std::string folder_;
  std::string place_;  // Of the log.
  Acknowledged acknowledged_;
};

TEST_F(LongLogs, KilledAnywhereTheyHaveEveryEntryOnce) { ExpectWholeAfterAll(FaultKind::kKill); }

TEST_F(LongLogs, FailingAnywhereTheyHaveEveryEntryOnce) {
  ExpectWholeAfterAll(FaultKind::kFail, EIO);
}

TEST_F(LongLogs, ShortWritesChangeNothing) { ExpectWholeAfterAll(FaultKind::kShortWrite); }

TEST_F(LongLogs, PowerCutsLoseNoEntry) {
  CutDisk disk;
  if (!disk.Make()) GTEST_SKIP() << kNoCutDisk;
  place_ = disk.path() + "/out";
  bool ended_well = false;
  for (int64_t at = 0; !ended_well; at += FaultStride()) {
    const Ended ended = Run({.kind = FaultKind::kPowerCut, .at = at});
    ASSERT_FALSE(ended.failed) << "the file system could not be stopped";
    ended_well = !ended.killed;
    ASSERT_TRUE(!ended.killed || disk.Remount()) << at;
    ASSERT_NO_FATAL_FAILURE(ExpectWhole(fmt::format("a power cut at call {}", at)));
  }
}

}  // namespace
}  // namespace penstock
