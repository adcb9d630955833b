#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "penstock/base/status.h"
#include "penstock/ledger/commit.h"

namespace penstock {

/// Consecutive entries that lie in one file together, both ends included.
struct EntryRun {
  int64_t first = 0;
  int64_t last = 0;

  bool operator==(const EntryRun&) const = default;
};

/// Where the entries of one log lie, each a small file by its number, and older ones in runs (see
/// log_compaction.h). Threads: one at a time.
class LogStore {
 public:
  virtual ~LogStore() = default;

  /// Makes the place, where it is not there.
  virtual Status Create() = 0;

  /// Takes the place for this process, until it ends, and removes what others that are gone have
  /// left half done; false: another one that lives has it.
  virtual Result<bool> Lock() = 0;

  /// Returns who has it, or had it last, as that one described itself; "" where nobody did.
  virtual std::string Holder() = 0;

  /// Returns the numbers of the entries that have a file of their own, from the lowest on; none
  /// where the place is not there.
  virtual Result<std::vector<int64_t>> List() = 0;

  virtual Result<std::string> Read(int64_t number) = 0;

  /// Adds an entry, which survives a power cut from then on; false: there is one of this number,
  /// which is another's.
  virtual Result<bool> PutIfAbsent(int64_t number, const std::string& text) = 0;

  /// Returns the runs in order, of those that begin with one entry the longest first. Whoever wants
  /// all entries calls it after List.
  virtual Result<std::vector<EntryRun>> ListRuns() = 0;

  virtual Result<std::string> ReadRun(EntryRun run) = 0;

  /// Adds a run, which survives a power cut from then on; does nothing where it is there.
  virtual Status PutRun(EntryRun run, const std::string& text) = 0;

  /// Removes files whose entries lie in a run too; those that are not there are no error.
  virtual Status Drop(const std::vector<int64_t>& entries, const std::vector<EntryRun>& runs) = 0;

  /// Removes all entries, the latest last.
  virtual Status Clear() = 0;

  /// Removes the place with all that is in it. This process keeps the lock.
  virtual void Remove() = 0;

  /// Returns how errors name an entry.
  virtual std::string PathOf(int64_t number) = 0;
  virtual std::string PathOfRun(EntryRun run) = 0;
};

/// Returns the number of the last entry; nullopt where there is none.
Result<std::optional<int64_t>> LastEntry(LogStore& store);

/// Returns an entry, from its own file or a run. kCorruptData naming one that is damaged, or is not
/// the one of its name.
Result<Commit> ReadEntry(LogStore& store, int64_t number);

/// Returns the entries from `first` on, in order, while another may add some and compact the log.
/// kCorruptData naming one that is damaged or missing.
Result<std::vector<Commit>> ReadEntries(LogStore& store, int64_t first = 0);

/// Returns the log in a folder of this machine's file systems: `<folder>/log/<20 digits>.json`, of
/// runs `<20 digits>-<20 digits>.jsonl`, and `<folder>/lock`, which is locked (flock) while a
/// process has the place. `holder` is how this process describes itself to others. A file system
/// without locks lets everybody in: then the numbers of entries alone decide (see ledger.h).
std::unique_ptr<LogStore> MakeLocalLogStore(const std::string& folder, std::string holder);

}  // namespace penstock
