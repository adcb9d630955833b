#pragma once

#include <memory>
#include <string>
#include <vector>

#include "penstock/base/status.h"
#include "penstock/exec/dispatcher.h"
#include "penstock/exec/job_identity.h"
#include "penstock/ledger/fatal_rows.h"
#include "penstock/ledger/ledger.h"
#include "penstock/sink/sink.h"

namespace penstock {

/// What becomes of an output that another job has written.
enum class OnMismatch : uint8_t {
  kError,    // It is left alone, and the job is refused.
  kRestart,  // It is removed, and the job begins anew.
};

/// Keeps the ledger of a job's output, and has the sink show what is in it.
///
/// Threads: one at a time.
class JobLedger {
 public:
  /// Opens the ledger that lies at the sink's place. kJobChanged naming what has changed, where
  /// another job has written there and is to be left alone; nothing has been changed then.
  ///
  /// Where nothing of another job is done yet, its output is no loss, and it is begun anew. Files
  /// that arguments name and that change while the job runs, such as one that its functions write
  /// to, are none of its identity.
  static Result<std::unique_ptr<JobLedger>> Open(Sink& sink, IdentifiedJob job,
                                                 OnMismatch on_mismatch);

  /// Opens the ledger at a place, as this process.
  static Result<std::unique_ptr<Ledger>> OpenLedger(const std::string& folder);

  /// Takes the ledger of a finished job, which TidyUp has found alone, for another try with rows
  /// that the job left out. The job stays finished. Shows what the ledger has of the output and
  /// removes what it has not, and so does Abort. Call it after Sink::Start.
  static Result<std::unique_ptr<JobLedger>> OpenRetry(Sink& sink, std::unique_ptr<Ledger> ledger);

  /// Takes the output over for a retry of the rows in these letters: Commit takes them away.
  Status BeginRetry(std::vector<PartFile> letters);

  /// Returns whether the job has been done by an earlier run, and there is nothing to do.
  bool is_finished() const { return finished_; }

  /// Takes the output over: shows what the ledger has of it, removes what it has not. Call it after
  /// Sink::Start. kOutputTaken, but not for a job that is finished: then it does what is left to do
  /// of that unless a writer lives, who does it himself.
  Status Begin();

  /// Commits what a step of the dispatcher's asks for; `files` are those of its parts, `letters`
  /// those of the rows that were left out. The last one marks the output as complete.
  Status Commit(const CommitOutput& action, const std::vector<PartFile>& files,
                const std::vector<PartFile>& letters);

  /// Removes what no commit knows of; everything, where nothing has been committed, and nothing is
  /// remembered for the next run.
  void Abort();

  /// Returns a digest of what the job is; of files that arguments name, the names alone.
  std::string JobDigest() const;

  /// Rows of the job that ended their workers, as runs that were cut off have found.
  FatalRows& fatal_rows() { return fatal_rows_; }

  const ChunkSet& done() const { return ledger_->done(); }
  const RowCounts& rows() const { return ledger_->rows(); }
  int64_t files_done() const { return ledger_->files_done(); }

  /// Returns one line for people on what was found; "" where that was nothing.
  std::string Summary() const;

 private:
  JobLedger(Sink& sink, IdentifiedJob job, std::unique_ptr<Ledger> ledger)
      : sink_(sink),
        job_(std::move(job)),
        ledger_(std::move(ledger)),
        fatal_rows_(sink.ledger_folder()) {}

  Status TidyUp();
  Status ShowAll();
  Status Publish(const std::vector<PartFile>& files, const std::vector<PartFile>& letters,
                 const std::vector<PartFile>& taken);
  Status RemoveOther();
  void IgnoreChangedFiles();
  void Account(Progress& progress) const;

  Sink& sink_;  // The write runner's, which outlives this.
  const IdentifiedJob job_;
  const std::unique_ptr<Ledger> ledger_;
  FatalRows fatal_rows_;
  std::vector<PartFile> retried_;  // Letters whose rows are run again.
  bool is_retry_ = false;
  bool finished_ = false;
  bool replaces_ = false;  // Another job's output.
  bool shows_all_ = true;  // Every file that the ledger has, under its name.
};

}  // namespace penstock
