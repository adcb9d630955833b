#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "penstock/base/status.h"
#include "penstock/ledger/commit.h"
#include "penstock/ledger/log_store.h"

namespace penstock {

/// What a commit adds.
struct Progress {
  std::vector<ChunkRange> chunks;
  std::vector<PartFile> files;
  std::vector<PartFile> letters;  // Of rows that were left out.
  std::vector<PartFile> taken;    // Letters of earlier commits that are none any more.
  RowCounts rows;
};

/// The record of one job's output: which chunks of its input are done, and in which files their
/// rows lie. A log of commits, each a file that is created only where none of its number is; what
/// is in the log is true, and nothing else.
///
/// Order of a commit: its files are durable under temporary names; the entry is put; the files get
/// their names (Published). A process that dies in between leaves files that the next one gives
/// their names (Unpublished), or that nobody knows of. So a reader of the output's folder sees
/// whole files of chunks that are done, and nothing twice.
///
/// Writers: a job has one. Begin takes it over with an entry of its own, by the next number; where
/// the one before it still lives, its next entry has that number too, is refused, and it must stop
/// (kOutputTaken): it has published nothing that is not in the log.
///
/// Cost: opening it lists the log and reads two entries, its last and the latest kBegin, however
/// many chunks the job has. The log has fewer than 16 files of each length (log_compaction.h): of
/// 100,000 entries some 40.
///
/// Threads: one at a time.
class Ledger {
 public:
  enum class Found : uint8_t {
    kNothing,     // No job has written here.
    kUnfinished,  // One has, and can go on.
    kFinished,    // All of its chunks are done; rows that were left out may be run again.
  };

  /// Reads how far the job has come. kCorruptData naming the entry that is damaged; IOError.
  static Result<std::unique_ptr<Ledger>> Open(std::unique_ptr<LogStore> store, std::string writer);

  Found found() const;

  /// Returns what of the job that wrote here is not as in `identity`; "", where nothing has, or all
  /// is the same but for what is ignored. As the end of a sentence: "the code of Model has
  /// changed".
  /// A part of `new_parts` that the job did not have is none.
  std::string DifferenceFrom(const JobIdentity& identity,
                             const IdentityParts& new_parts = {}) const;

  /// Returns the files of finished commits, those of dead letters too, that may still have their
  /// temporary names.
  Result<std::vector<PartFile>> Unpublished();

  /// Returns all files, those of dead letters too, in the order of the commits.
  Result<std::vector<PartFile>> Files();

  /// Of a finished job: removes what runs that were cut off have left in the log, and ends a retry
  /// that was cut off. Returns false, and does nothing, where a writer lives.
  Result<bool> TidyUp();

  /// Takes the job over, as its only writer. kOutputTaken where another process that lives has it.
  /// `write`: see Commit.
  Status Begin(const JobIdentity& identity, std::string write = "");

  /// Forgets the job. Call after Begin, when its output is removed; Begin again then.
  Status Clear();

  /// Removes the ledger's folder, where nothing is done. Nothing may be called after it.
  void RemoveIfNothingIsDone();

  /// Has later runs, from the next commit on, pass over these parts of the identity.
  void Ignore(const IdentityParts& parts) { last_.ignored.insert(parts.begin(), parts.end()); }

  /// Adds what is done. kOutputTaken when another writer has begun; nothing was added then.
  Status Add(Progress progress);

  /// Adds what is done last; the job is finished with it.
  Status End(Progress progress);

  // ---- Rows that were left out, once more ------------------------------------------------------
  // The job stays finished meanwhile. BeginRetry, then End with the letters of the rows as `taken`:
  // from that entry on the rows are in its files and letters alone, whatever files are there.

  /// What retries have to know of all commits.
  struct Dead {
    std::vector<PartFile> letters;  // Those that no commit has taken, in the order of the commits.
    int64_t retries = 0;            // Commits that have taken some.
  };
  Result<Dead> FindDead();

  /// Returns letters that a commit has taken and whose files may be there still.
  Result<std::vector<PartFile>> TakenAway();

  /// Takes over a finished job, which TidyUp has found alone. kOutputTaken where it no longer is.
  Status BeginRetry();

  /// Returns how the job's output is written, and what its identity was when it began last.
  const std::string& write() const { return write_; }
  const JobIdentity& identity() const { return identity_; }

  /// All files of the commits so far have their names, for good.
  void Published();

  const ChunkSet& done() const { return last_.done; }
  const RowCounts& rows() const { return last_.rows; }
  int64_t files_done() const { return last_.files_done; }

 private:
  Ledger(std::unique_ptr<LogStore> store, std::string writer)
      : store_(std::move(store)), writer_(std::move(writer)) {}

  Result<std::vector<Commit>> EntriesFrom(int64_t first);
  Result<std::vector<PartFile>> FilesOf(int64_t first);
  Status Put(Commit commit);
  void Compact();
  Status Take();
  Commit Next(CommitKind kind, Progress progress) const;

  const std::unique_ptr<LogStore> store_;
  const std::string writer_;
  bool has_entries_ = false;
  bool has_lock_ = false;
  Commit last_;
  JobIdentity identity_;  // Of the job that wrote here,
  std::string write_;     // as this is.
};

}  // namespace penstock
