#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "penstock/base/part_file.h"
#include "penstock/base/status.h"
#include "penstock/ledger/chunk_set.h"

namespace penstock {

/// What makes a job the same job: named digests of its parts, such as "input", "the code of Model".
using JobIdentity = std::map<std::string, std::string>;

/// Names of parts of an identity.
using IdentityParts = std::set<std::string>;

/// What has become of input rows. `dead` were left out, as functions fail for them, and are still;
/// `filtered` were by filters: `in = out + dead + filtered`. Where a function may make several rows
/// or none of one nobody can tell, and that is nullopt.
struct RowCounts {
  int64_t in = 0;
  int64_t out = 0;
  int64_t dead = 0;
  std::optional<int64_t> filtered = 0;

  /// Returns whether the rows add up, as far as that can be told.
  bool AddUp() const { return !filtered || in == out + dead + *filtered; }

  bool operator==(const RowCounts&) const = default;
};

enum class CommitKind : uint8_t {
  kBegin,   // A process takes the job over, as its only writer.
  kChunks,  // Chunks are done.
  kEnd,     // All are; nothing follows but retries.
  kRetry,   // A process takes over a job that is done, to run rows again that were left out.
};

/// Returns whether all chunks of a job are done whose last entry is of this kind.
inline bool IsFinished(CommitKind kind) {
  return kind == CommitKind::kEnd || kind == CommitKind::kRetry;
}

/// One entry of the log. It tells what is new, and how far the job is with it, so that the last one
/// is all that a job needs to go on.
struct Commit {
  CommitKind kind = CommitKind::kBegin;
  int64_t number = 0;
  int64_t epoch = 0;     // Of its writer: how many have begun.
  std::string writer;    // For people: host and process.
  JobIdentity identity;  // kBegin.
  std::string write;     // kBegin: how the output is written, as JSON; "": an older version's.

  std::vector<ChunkRange> chunks;
  std::vector<PartFile> files;
  std::vector<PartFile> letters;  // Of rows that were left out, as functions fail for them.
  std::vector<PartFile> taken;    // Letters of earlier entries: their rows were run again.

  ChunkSet done;
  RowCounts rows;
  int64_t files_done = 0;
  IdentityParts ignored;   // Parts of the identity that the job itself changes as it runs.
  int64_t last_begin = 0;  // The number of the latest kBegin.
  int64_t published = 0;   // The files of all commits before this number have their names.

  bool operator==(const Commit&) const = default;
};

/// Returns the bytes of the commit's file: JSON, and a line with its checksum. Invalid for names
/// that are not UTF-8.
Result<std::string> CommitText(const Commit& commit);

/// Reads them. kCorruptData naming `path` for bytes that CommitText did not make; NotImplemented
/// for a newer version's.
Result<Commit> ReadCommit(const std::string& text, const std::string& path);

}  // namespace penstock
