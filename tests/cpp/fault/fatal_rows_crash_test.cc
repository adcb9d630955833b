#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <iterator>

#include "fault/cut_off_jobs.h"
#include "fault/fault_calls.h"
#include "penstock/ledger/fatal_rows.h"

namespace penstock {
namespace {

namespace files = std::filesystem;

FatalRow RowOf(int64_t chunk) {
  return {.conditions = "conditions", .chunk = chunk, .content = "content", .attempts = 2};
}

/// Remembers two rows, and commits the chunk of the first.
Status Remember(const std::string& folder, const Fault& fault) {
  ArmFault(folder, fault);
  FatalRows rows(folder);
  rows.Load({});
  PENSTOCK_RETURN_NOT_OK(rows.Put(RowOf(0)));
  PENSTOCK_RETURN_NOT_OK(rows.Put(RowOf(1)));
  rows.Forget({{0, 0}});
  return Status::OK();
}

TEST(FatalRowsCrashPointsTest, TheNextRunKnowsWholeRowsAloneAndLeavesNothingElse) {
  std::string pattern = files::temp_directory_path() / "penstock_fatal_crash_XXXXXX";
  const files::path base = mkdtemp(pattern.data());
  int64_t at = 0;
  size_t known_most = 0;
  for (bool killed = true; killed; ++at) {
    const std::string folder = base / std::to_string(at);
    files::create_directories(folder);
    killed =
        RunForked([&] { return Remember(folder, {.kind = FaultKind::kKill, .at = at}); }).killed;
    FatalRows next(folder);
    next.Load({});
    const std::vector<FatalRow>& known = next.of_earlier_runs();
    for (const FatalRow& row : known) {
      EXPECT_EQ(row, RowOf(row.chunk)) << "killed before call " << at;
    }
    known_most = std::max(known_most, known.size());
    const int64_t left = files::exists(folder + "/fatal_rows")
                             ? std::distance(files::directory_iterator(folder + "/fatal_rows"), {})
                             : 0;
    EXPECT_EQ(left, static_cast<int64_t>(known.size())) << "killed before call " << at;
    if (!killed) {
      EXPECT_EQ(known, std::vector<FatalRow>{RowOf(1)});
    }
  }
  EXPECT_EQ(known_most, 2);
  EXPECT_GT(at, 10) << "the calls that change the folder are counted";
  files::remove_all(base);
}

}  // namespace
}  // namespace penstock
