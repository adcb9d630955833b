#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "penstock/base/status.h"
#include "penstock/block/lineage.h"
#include "penstock/exec/dispatcher.h"
#include "penstock/source/source.h"

namespace penstock {

/// Which stage has left out the rows of a file of dead letters.
struct FailedStage {
  StageIndex index = 0;
  std::string name;
};

/// Returns it, by the file's first row. kCorruptData for a file that holds none.
Result<FailedStage> FailedStageOf(const std::string& path, const ReadLimits& limits);

/// What became before of rows that are run again from dead letters, for those that fail again.
/// Immutable once read; threads: any.
class RetriedRows {
 public:
  /// Where a row was read from, as in DeadLetter, and how often it was run.
  struct Origin {
    std::string source;
    std::optional<int64_t> source_row;
    int attempts = 0;
  };

  /// Reads the files, in the order of MakeLetterSource with the same limits. `stages` are the
  /// whole plan's numbers of the retry's stages, the second of which is the one that failed.
  static Result<RetriedRows> Read(const std::vector<std::string>& paths, const ReadLimits& limits,
                                  std::vector<StageIndex> stages);

  /// Returns the origin of a row that has failed again in a stage of the retry: of the first row
  /// that it may be made of. Of another stage than the one that failed before it has no attempts.
  Origin OriginOf(const Lineage& row, StageIndex stage) const;

  /// Returns the number that a stage of the retry has in the whole plan.
  StageIndex NumberOf(StageIndex stage) const { return stages_[static_cast<size_t>(stage)]; }

  int64_t rows() const { return static_cast<int64_t>(letters_.size()); }

 private:
  struct Letter {
    int32_t source = 0;  // In sources_.
    int32_t attempts = 0;
    int64_t source_row = -1;  // -1: not known.
  };

  Status Add(const arrow::RecordBatch& batch, std::map<std::string, int32_t>& known);

  std::vector<StageIndex> stages_;
  std::vector<std::string> sources_;
  std::vector<Letter> letters_;
  std::vector<int64_t> splits_;  // Which of letters_ is the first of a split.
};

}  // namespace penstock
