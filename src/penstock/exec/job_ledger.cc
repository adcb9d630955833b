#include "penstock/exec/job_ledger.h"

#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>
#include <utility>

#include "penstock/base/error.h"
#include "penstock/ledger/folder_record.h"

namespace penstock {
namespace {

std::string DescribeProcess() {
  char host[256] = "";
  gethostname(host, sizeof host - 1);
  return fmt::format("process {} on {}", getpid(), host);
}

int64_t RowsOf(const std::vector<PartFile>& files) {
  int64_t rows = 0;
  for (const PartFile& file : files) rows += file.rows;
  return rows;
}

/// Returns the folder that the ledger lies in.
std::string FolderOfOutput(const Sink& sink) {
  return std::filesystem::path(sink.ledger_folder()).parent_path();
}

}  // namespace

Result<std::unique_ptr<JobLedger>> JobLedger::Open(Sink& sink, IdentifiedJob job,
                                                   OnMismatch on_mismatch) {
  const std::string folder = sink.ledger_folder();
  PENSTOCK_TRY(auto ledger, OpenLedger(folder));
  IdentityParts may_be_new;  // Files that the job has made itself.
  for (const ArgumentFile& file : job.files) may_be_new.insert(file.part);
  const std::string difference = ledger->DifferenceFrom(job.identity, may_be_new);
  std::unique_ptr<JobLedger> opened(new JobLedger(sink, std::move(job), std::move(ledger)));
  if (difference.empty()) {
    opened->finished_ = opened->ledger_->found() == Ledger::Found::kFinished;
    return opened;
  }
  const bool loses_nothing =
      opened->ledger_->found() == Ledger::Found::kUnfinished && opened->ledger_->done().empty();
  if (on_mismatch == OnMismatch::kRestart || loses_nothing) {
    opened->replaces_ = true;
    return opened;
  }
  return MakeError(
      ErrorKind::kJobChanged,
      fmt::format("Another job has written this output: {}; write elsewhere, remove the output and "
                  "begin anew (on_mismatch=\"restart\"), or say what is to become of it "
                  "(mode=\"append\" or \"overwrite\"); got: {}",
                  difference, folder));
}

Result<std::unique_ptr<Ledger>> JobLedger::OpenLedger(const std::string& folder) {
  return Ledger::Open(MakeLocalLogStore(folder, DescribeProcess()), DescribeProcess());
}

Result<std::unique_ptr<JobLedger>> JobLedger::OpenRetry(Sink& sink,
                                                        std::unique_ptr<Ledger> ledger) {
  std::unique_ptr<JobLedger> opened(new JobLedger(sink, IdentifiedJob{}, std::move(ledger)));
  opened->is_retry_ = true;
  PENSTOCK_RETURN_NOT_OK(opened->ShowAll());
  PENSTOCK_RETURN_NOT_OK(sink.RemoveTemporaries());
  return opened;
}

Status JobLedger::BeginRetry(std::vector<PartFile> letters) {
  retried_ = std::move(letters);
  return ledger_->BeginRetry();
}

Status JobLedger::Begin() {
  if (finished_) return TidyUp();
  PENSTOCK_RETURN_NOT_OK(ledger_->Begin(job_.identity, job_.write));
  if (replaces_) PENSTOCK_RETURN_NOT_OK(RemoveOther());
  if (done().empty()) PENSTOCK_RETURN_NOT_OK(RecordFoundFiles(FolderOfOutput(sink_)));
  fatal_rows_.Load(ledger_->done());
  PENSTOCK_RETURN_NOT_OK(ShowAll());
  return sink_.RemoveTemporaries();
}

Status JobLedger::TidyUp() {
  PENSTOCK_TRY(const bool is_alone, ledger_->TidyUp());
  if (!is_alone || ledger_->found() != Ledger::Found::kFinished) return Status::OK();
  fatal_rows_.Clear();
  PENSTOCK_RETURN_NOT_OK(ShowAll());
  PENSTOCK_RETURN_NOT_OK(sink_.RemoveTemporaries());
  return sink_.MarkComplete();
}

/// Does what commits of earlier runs have left to do.
Status JobLedger::ShowAll() {
  shows_all_ = false;
  PENSTOCK_TRY(const std::vector<PartFile> hidden, ledger_->Unpublished());
  PENSTOCK_TRY(const std::vector<PartFile> taken, ledger_->TakenAway());
  return Publish(hidden, {}, taken);
}

/// Removes another job's output, and forgets it.
Status JobLedger::RemoveOther() {
  PENSTOCK_TRY(const std::vector<PartFile> files, ledger_->Files());
  std::vector<std::string> names;
  for (const PartFile& file : files) names.push_back(file.name);
  PENSTOCK_RETURN_NOT_OK(sink_.RemoveFiles(names));
  PENSTOCK_RETURN_NOT_OK(ledger_->Clear());
  return ledger_->Begin(job_.identity, job_.write);
}

Status JobLedger::Commit(const CommitOutput& action, const std::vector<PartFile>& files,
                         const std::vector<PartFile>& letters) {
  if (!files.empty() || !letters.empty()) PENSTOCK_RETURN_NOT_OK(sink_.SyncTemporaries());
  Progress progress{.files = files,
                    .letters = letters,
                    .rows = {.in = action.rows_read,
                             .out = action.rows_written,
                             .dead = action.rows_failed,
                             .filtered = action.rows_filtered}};
  ChunkSet chunks;
  for (const int64_t chunk : action.chunks) chunks.Add({chunk, chunk});
  progress.chunks = chunks.Ranges();
  if (is_retry_) Account(progress);
  IgnoreChangedFiles();
  shows_all_ = false;
  PENSTOCK_RETURN_NOT_OK(action.last ? ledger_->End(std::move(progress))
                                     : ledger_->Add(std::move(progress)));
  if (action.last) {
    fatal_rows_.Clear();
  } else {
    fatal_rows_.Forget(chunks.Ranges());
  }
  PENSTOCK_RETURN_NOT_OK(Publish(files, letters, retried_));
  return action.last ? sink_.MarkComplete() : Status::OK();
}

/// The rows were read before, and counted as dead.
void JobLedger::Account(Progress& progress) const {
  progress.taken = retried_;
  progress.rows.in = 0;
  progress.rows.dead -= RowsOf(retried_);
  if (!ledger_->done().empty()) progress.rows.out = RowsOf(progress.files);
}

void JobLedger::IgnoreChangedFiles() {
  IdentityParts changed;
  for (const ArgumentFile& file : job_.files) {
    if (VersionOfFile(file.path) != job_.identity.at(file.part)) changed.insert(file.part);
  }
  ledger_->Ignore(changed);
}

Status JobLedger::Publish(const std::vector<PartFile>& files, const std::vector<PartFile>& letters,
                          const std::vector<PartFile>& taken) {
  PENSTOCK_RETURN_NOT_OK(sink_.Publish(letters));
  PENSTOCK_RETURN_NOT_OK(sink_.Publish(files));
  if (!taken.empty()) PENSTOCK_RETURN_NOT_OK(sink_.RemoveDeadLetters(taken));
  ledger_->Published();
  shows_all_ = true;
  return Status::OK();
}

void JobLedger::Abort() {
  if (finished_) return;
  if (shows_all_) static_cast<void>(sink_.RemoveTemporaries());
  if (shows_all_ && is_retry_) static_cast<void>(sink_.MarkComplete());  // As it was before.
  if (!fatal_rows_.has_some()) ledger_->RemoveIfNothingIsDone();
}

std::string JobLedger::JobDigest() const {
  JobIdentity identity = job_.identity;
  for (const ArgumentFile& file : job_.files) identity[file.part].clear();
  return WriteNameOf(identity);
}

std::string JobLedger::Summary() const {
  if (ledger_->found() == Ledger::Found::kNothing || replaces_) return "";
  std::string text = fmt::format("{} rows in {} files", rows().out, files_done());
  if (rows().dead > 0) text += fmt::format(", {} rows that failed", rows().dead);
  return text;
}

}  // namespace penstock
