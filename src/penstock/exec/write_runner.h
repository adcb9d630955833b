#pragma once

#include <functional>
#include <memory>
#include <string>

#include "penstock/exec/dead_letters.h"
#include "penstock/exec/job_ledger.h"
#include "penstock/exec/stage_runner.h"
#include "penstock/sink/sink.h"

namespace penstock {

/// What a write stage writes to.
struct JobOutput {
  std::unique_ptr<Sink> sink;
  std::unique_ptr<JobLedger> ledger;  // Null: parts become visible at the end, together.
  bool commits_chunks = false;        // On the way, as the dispatcher says.
  std::string local_folder;           // Where the parts go to on this machine; "": elsewhere.
};

/// Runs a write stage: appends blocks to part files on the native pool.
class WriteRunner : public OneStepRunner {
 public:
  /// `empty_schema` returns the columns that no rows would have, or null where only rows tell; it
  /// is called on the pool, and only where a job without a row commits.
  using EmptySchema = std::function<Result<std::shared_ptr<arrow::Schema>>()>;
  static std::unique_ptr<WriteRunner> Make(RunnerContext context, JobOutput output,
                                           EmptySchema empty_schema);

  /// Commits on the native pool; posts OutputCommitted or JobFailed. The last commit of a job
  /// without a row first writes one part that holds the columns alone, so that the output can be
  /// read.
  virtual void Commit(const CommitOutput& action) = 0;

  /// Takes a row that was left out, to be put on record beside the output.
  virtual void AddLetter(DeadLetter letter) = 0;

  /// Removes what was written and has not been committed. Call when the pool is closed.
  virtual void AbortUnlessCommitted() = 0;
};

}  // namespace penstock
