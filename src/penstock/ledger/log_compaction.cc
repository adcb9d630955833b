#include "penstock/ledger/log_compaction.h"

#include <algorithm>
#include <string>
#include <utility>

namespace penstock {
namespace {

bool Lies(EntryRun inner, EntryRun outer) {
  return outer.first <= inner.first && inner.last <= outer.last;
}

Status MakeRun(LogStore& store, EntryRun run, const std::vector<Commit>& entries) {
  std::string text;
  for (const Commit& entry : entries) {
    if (entry.number < run.first || entry.number > run.last) continue;
    PENSTOCK_TRY(const std::string one, CommitText(entry));
    text += one;
  }
  return store.PutRun(run, text);
}

}  // namespace

std::vector<EntryRun> RunsBefore(int64_t end) {
  int64_t length = kEntriesOfRun;
  while (length <= end / kEntriesOfRun) length *= kEntriesOfRun;
  std::vector<EntryRun> runs;
  int64_t next = 0;
  for (; length >= kEntriesOfRun; length /= kEntriesOfRun) {
    for (; length <= end - next; next += length) runs.push_back({next, next + length - 1});
  }
  return runs;
}

Status CompactLog(LogStore& store, int64_t end, int64_t kept) {
  const std::vector<EntryRun> wanted = RunsBefore(end);
  PENSTOCK_TRY(const std::vector<int64_t> entries_there, store.List());
  PENSTOCK_TRY(const std::vector<EntryRun> runs_there, store.ListRuns());
  std::vector<EntryRun> missing;
  for (const EntryRun& run : wanted) {
    if (std::ranges::find(runs_there, run) == runs_there.end()) missing.push_back(run);
  }
  if (!missing.empty()) {
    PENSTOCK_TRY(const std::vector<Commit> entries, ReadEntries(store, missing.front().first));
    for (const EntryRun& run : missing) PENSTOCK_RETURN_NOT_OK(MakeRun(store, run, entries));
  }
  const auto lies_in_longer = [&wanted](EntryRun one) {
    return std::ranges::any_of(wanted, [&](EntryRun run) { return Lies(one, run) && one != run; });
  };
  std::vector<int64_t> entries_in_runs;
  std::ranges::copy_if(entries_there, std::back_inserter(entries_in_runs), [&](int64_t number) {
    return number != kept && lies_in_longer({number, number});
  });
  std::vector<EntryRun> runs_in_runs;
  std::ranges::copy_if(runs_there, std::back_inserter(runs_in_runs), lies_in_longer);
  return store.Drop(entries_in_runs, runs_in_runs);
}

Result<bool> IsInRun(LogStore& store, int64_t number) {
  PENSTOCK_TRY(const std::vector<EntryRun> runs, store.ListRuns());
  return std::ranges::any_of(runs, [number](EntryRun run) { return Lies({number, number}, run); });
}

}  // namespace penstock
