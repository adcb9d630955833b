#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "penstock/base/mutex.h"
#include "penstock/base/part_file.h"
#include "penstock/base/status.h"
#include "penstock/block/block.h"
#include "penstock/exec/dispatcher.h"
#include "penstock/exec/row_failure.h"
#include "penstock/sink/sink.h"

namespace penstock {

/// A row that a stage left out, as its functions fail for it.
struct DeadLetter {
  int64_t chunk = 0;
  StageIndex stage = 0;
  std::string stage_name;
  Block row;           // One row of the stage's input, in memory of its own.
  std::string source;  // What it was read from: a file, rows of a row group; "": nobody knows.
  std::optional<int64_t> source_row;  // In that; absent where a function made several rows of one.
  int attempts = 0;
  RowFailure failure;
};

/// Keeps dead letters until the chunks that they are of are committed, and writes them to Parquet
/// files beside the output then: what they hold is in dead_letters.cc. Beyond 32 MiB they go to
/// files before.
///
/// Files: with `by_chunk` each is of one chunk, else of all. Rows lie in it as they lie in the
/// input, whatever the order in which they failed; so the same failures make the same files.
///
/// Threads: any. Add does not wait for files; the others do.
class DeadLetters {
 public:
  DeadLetters(Sink& sink, bool by_chunk) : sink_(sink), by_chunk_(by_chunk) {}

  /// Returns whether so much is held now that Spill is to be called, on a thread that may wait.
  bool Add(DeadLetter letter);

  /// Writes to files what is held.
  Status Spill();

  /// Writes what is left of these chunks, or of all, if not `by_chunk`; returns their files.
  Result<std::vector<PartFile>> Write(const std::vector<int64_t>& chunks);

 private:
  using Chunks = std::optional<std::set<int64_t>>;  // Nullopt: all.

  std::vector<DeadLetter> Take(const Chunks& chunks);
  Status WriteFiles(std::vector<DeadLetter> letters) PENSTOCK_REQUIRES(files_mutex_);
  size_t AlikeFrom(const std::vector<DeadLetter>& letters, size_t first) const;

  Sink& sink_;  // Outlives this.
  const bool by_chunk_;

  Mutex files_mutex_;  // Taken first.
  std::vector<std::pair<int64_t, PartFile>> files_ PENSTOCK_GUARDED_BY(files_mutex_);  // By chunk.
  std::map<std::string, int> files_begun_ PENSTOCK_GUARDED_BY(files_mutex_);           // By label.
  Mutex mutex_;
  std::vector<DeadLetter> letters_ PENSTOCK_GUARDED_BY(mutex_);
  int64_t bytes_ PENSTOCK_GUARDED_BY(mutex_) = 0;
  bool spills_ PENSTOCK_GUARDED_BY(mutex_) = false;  // Add has asked for it.
};

}  // namespace penstock
