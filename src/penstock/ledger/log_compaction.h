#pragma once

#include <cstdint>
#include <vector>

#include "penstock/base/status.h"
#include "penstock/ledger/log_store.h"

namespace penstock {

/// So many entries become a run, and so many runs a longer one.
inline constexpr int64_t kEntriesOfRun = 16;

/// Returns the runs that all entries before `end` are to lie in, but for the last few: as long as
/// they can be, so that there are fewer than 16 of each length.
std::vector<EntryRun> RunsBefore(int64_t end);

/// Makes these runs of a log that has entry `end`, so that it has few files, however many entries:
/// each run is put, then the files go whose entries it has. Only `kept`, the latest kBegin, keeps
/// its own too: Open looks it up.
///
/// A process that dies in between leaves files whose entries lie in a run too, which readers pass
/// over and the next call removes. Entries never change; so whoever does it, and however often,
/// makes the same runs. kCorruptData where an entry is damaged: then all stays as it is.
Status CompactLog(LogStore& store, int64_t end, int64_t kept);

/// Returns whether an entry lies in a run: then whoever has just put it under its own name has come
/// too late, as the one of this number was there, and is gone from under that name alone.
Result<bool> IsInRun(LogStore& store, int64_t number);

}  // namespace penstock
