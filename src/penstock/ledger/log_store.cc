#include "penstock/ledger/log_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

#include "penstock/base/error.h"

namespace penstock {
namespace {

/// So often a log is looked at that another compacts meanwhile.
constexpr int kLooksMax = 10;

/// What files a log has.
struct LogFiles {
  std::vector<int64_t> entries;
  std::vector<EntryRun> runs;

  bool operator==(const LogFiles&) const = default;

  int64_t last() const {
    int64_t number = entries.empty() ? -1 : entries.back();
    for (const EntryRun& run : runs) number = std::max(number, run.last);
    return number;
  }

  std::optional<EntryRun> RunWith(int64_t number) const {
    const auto has_it = [number](EntryRun run) {
      return run.first <= number && number <= run.last;
    };
    const auto found = std::ranges::find_if(runs, has_it);
    return found == runs.end() ? std::nullopt : std::optional(*found);
  }

  bool Has(int64_t number) const { return std::ranges::binary_search(entries, number); }
};

Result<LogFiles> ListLog(LogStore& store) {
  LogFiles found;
  PENSTOCK_TRY(found.entries, store.List());
  PENSTOCK_TRY(found.runs, store.ListRuns());
  return found;
}

Status Missing(const std::string& path) {
  return MakeError(ErrorKind::kCorruptData, "An entry of a job's ledger is missing; got: " + path);
}

Result<Commit> ReadNumbered(const std::string& text, int64_t number, const std::string& path) {
  PENSTOCK_TRY(Commit commit, ReadCommit(text, path));
  if (commit.number == number) return commit;
  return MakeError(ErrorKind::kCorruptData,
                   fmt::format("An entry of a job's ledger is not the one of its name, but number "
                               "{}; got: {}",
                               commit.number, path));
}

Result<Commit> ReadOwnFile(LogStore& store, int64_t number) {
  PENSTOCK_TRY(const std::string text, store.Read(number));
  return ReadNumbered(text, number, store.PathOf(number));
}

/// Takes the next entry of a run, which has two lines.
std::string_view TakeEntry(std::string_view& rest) {
  const size_t first = rest.find('\n');
  const size_t second = first == std::string_view::npos ? first : rest.find('\n', first + 1);
  const std::string_view entry =
      rest.substr(0, second == std::string_view::npos ? second : second + 1);
  rest.remove_prefix(entry.size());
  return entry;
}

/// Adds a run's entries from `first` on.
Status AddRun(LogStore& store, EntryRun run, int64_t first, std::vector<Commit>& entries) {
  PENSTOCK_TRY(const std::string text, store.ReadRun(run));
  const std::string path = store.PathOfRun(run);
  std::string_view rest = text;
  for (int64_t number = run.first; number <= run.last; ++number) {
    const std::string_view entry = TakeEntry(rest);
    if (number < first) continue;
    PENSTOCK_TRY(entries.emplace_back(), ReadNumbered(std::string(entry), number, path));
  }
  if (rest.empty()) return Status::OK();
  return MakeError(ErrorKind::kCorruptData,
                   "There is more in a job's ledger than its name says; got: " + path);
}

Result<std::vector<Commit>> ReadListed(LogStore& store, const LogFiles& files, int64_t first) {
  std::vector<Commit> entries;
  int64_t next = first;
  while (next <= files.last()) {
    if (const auto run = files.RunWith(next)) {
      PENSTOCK_RETURN_NOT_OK(AddRun(store, *run, next, entries));
    } else if (files.Has(next)) {
      PENSTOCK_TRY(entries.emplace_back(), ReadOwnFile(store, next));
    } else {
      return Missing(store.PathOf(next));
    }
    next = entries.back().number + 1;
  }
  return entries;
}

/// Reads what was listed; where that fails because another has compacted the log, again.
template <typename Read>
auto ReadWhileCompacted(LogStore& store, Read read) -> decltype(read(LogFiles{})) {
  PENSTOCK_TRY(LogFiles files, ListLog(store));
  for (int look = 1;; ++look) {
    auto found = read(files);
    if (found.ok() || look == kLooksMax) return found;
    PENSTOCK_TRY(LogFiles now, ListLog(store));
    if (now == files) return found;
    files = std::move(now);
  }
}

}  // namespace

Result<std::optional<int64_t>> LastEntry(LogStore& store) {
  PENSTOCK_TRY(const LogFiles files, ListLog(store));
  return files.last() < 0 ? std::nullopt : std::optional(files.last());
}

Result<Commit> ReadEntry(LogStore& store, int64_t number) {
  return ReadWhileCompacted(store, [&](const LogFiles& files) -> Result<Commit> {
    const auto run = files.RunWith(number);
    if (files.Has(number) || !run) return ReadOwnFile(store, number);
    std::vector<Commit> entries;
    PENSTOCK_RETURN_NOT_OK(AddRun(store, *run, number, entries));
    return std::move(entries.front());
  });
}

Result<std::vector<Commit>> ReadEntries(LogStore& store, int64_t first) {
  return ReadWhileCompacted(store,
                            [&](const LogFiles& files) { return ReadListed(store, files, first); });
}

}  // namespace penstock
