#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "penstock/base/mutex.h"
#include "penstock/base/status.h"
#include "penstock/block/packed.h"
#include "penstock/exec/dead_letters.h"
#include "penstock/exec/dispatcher.h"
#include "penstock/ledger/fatal_rows.h"
#include "penstock/plan/physical.h"

namespace penstock {

/// Returns what must be as it was for a row that ended its worker to be taken for one that would
/// again: `job` says what the job is, and the stage's options what a worker of it has and may take.
std::string FatalRowConditions(const std::string& job, const Stage& stage, int64_t memory_bytes);

/// What a stage knows of rows that ended their workers: those of earlier runs, which it can tell
/// from others again, and those that this run finds, which it hands on to the next.
///
/// A row of an earlier run is told by where it came from and by what is in it: it must be the same
/// row of the same input, and so the same code must have made it.
///
/// Threads: any. Find and Write take time, the others do not.
class FatalRowMemory {
 public:
  /// `rows` outlives it, and has been loaded.
  FatalRowMemory(FatalRows& rows, StageIndex stage, std::string conditions);

  /// Returns whether Find may find a row there.
  bool MayHold(const std::vector<Piece>& pieces) const;

  struct Found {
    int64_t place = 0;  // Among the rows of the pieces.
    FatalRow row;
  };

  /// Returns the first row that ended its worker in an earlier run.
  Result<std::optional<Found>> Find(const std::vector<Piece>& pieces) const;

  /// Takes a row that this run has found.
  void Note(DeadLetter letter);

  /// Has what was noted survive this process. What the disk refuses is forgotten.
  void Write();

 private:
  FatalRows& rows_;
  const StageIndex stage_;
  const std::string conditions_;
  std::vector<FatalRow> known_;  // Constant after construction.

  Mutex mutex_;
  std::vector<DeadLetter> noted_ PENSTOCK_GUARDED_BY(mutex_);
};

}  // namespace penstock
