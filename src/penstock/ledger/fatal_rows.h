#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "penstock/base/mutex.h"
#include "penstock/base/status.h"
#include "penstock/block/lineage.h"
#include "penstock/ledger/chunk_set.h"

namespace penstock {

/// A row that ended its worker, as a run of the job has found.
struct FatalRow {
  std::string conditions;  // A digest of the job, and of how the stage is run.
  int32_t stage = 0;
  int64_t chunk = 0;
  std::vector<RowRange> origin;  // Of the input; the row is one of what came of these.
  std::string content;           // A digest of the row.
  int attempts = 0;
  std::string cause;  // As the dead letters tell these three.
  std::string message;
  std::string traceback;

  bool operator==(const FatalRow&) const = default;
};

/// Remembers such rows for the next run, in case this one is cut off before it has committed their
/// chunks: to find one costs workers their lives. Each is a file of its own in
/// `<folder>/fatal_rows/`, made where there is none of its name, whole and durable, and removed
/// when its chunk is committed.
///
/// What lies there is a hint and no part of the job's record: what is damaged is passed over and
/// removed, and one that is lacking is found again.
///
/// Threads: any. Put, Load, Forget and Clear wait for the disk.
class FatalRows {
 public:
  static constexpr size_t kRowsMax = 1000;  // Further ones are not remembered.

  /// `folder` is the ledger's.
  explicit FatalRows(const std::string& folder) : folder_(folder + "/fatal_rows") {}

  /// Reads what earlier runs have left, and removes of it what is of chunks that are `done`, is
  /// damaged, or is not whole. Call as the job's only writer, before the others.
  void Load(const ChunkSet& done);

  /// Returns what Load has read, in no order.
  const std::vector<FatalRow>& of_earlier_runs() const { return of_earlier_runs_; }

  /// Has a row survive this process; does nothing where its chunk is committed already.
  Status Put(const FatalRow& row);

  /// These chunks are committed.
  void Forget(const std::vector<ChunkRange>& chunks);

  /// All are.
  void Clear();

  /// Returns whether some rows are remembered.
  bool has_some() const;

 private:
  struct Entry {
    std::string name;
    int64_t chunk = 0;
  };

  void Remove(const std::string& name);

  const std::string folder_;
  std::vector<FatalRow> of_earlier_runs_;  // Constant after Load.

  mutable Mutex mutex_;
  std::vector<Entry> entries_ PENSTOCK_GUARDED_BY(mutex_);
  ChunkSet committed_ PENSTOCK_GUARDED_BY(mutex_);
  bool is_over_ PENSTOCK_GUARDED_BY(mutex_) = false;  // All chunks are committed.
  std::random_device random_ PENSTOCK_GUARDED_BY(mutex_);
};

}  // namespace penstock
