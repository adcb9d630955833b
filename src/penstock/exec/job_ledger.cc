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

/// Returns the folder that the ledger lies in.
std::string FolderOfOutput(const Sink& sink) {
  return std::filesystem::path(sink.ledger_folder()).parent_path();
}

}  // namespace

Result<std::unique_ptr<JobLedger>> JobLedger::Open(Sink& sink, IdentifiedJob job,
                                                   OnMismatch on_mismatch) {
  const std::string folder = sink.ledger_folder();
  PENSTOCK_TRY(auto ledger,
               Ledger::Open(MakeLocalLogStore(folder, DescribeProcess()), DescribeProcess()));
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

Status JobLedger::Begin() {
  if (finished_) {
    ledger_->TidyUp();
  } else {
    PENSTOCK_RETURN_NOT_OK(ledger_->Begin(job_.identity));
    if (replaces_) PENSTOCK_RETURN_NOT_OK(RemoveOther());
    if (done().empty()) PENSTOCK_RETURN_NOT_OK(RecordFoundFiles(FolderOfOutput(sink_)));
  }
  shows_all_ = false;
  PENSTOCK_TRY(const std::vector<PartFile> hidden, ledger_->Unpublished());
  PENSTOCK_RETURN_NOT_OK(Publish(hidden, {}));
  return finished_ ? sink_.MarkComplete() : sink_.RemoveTemporaries();
}

/// Removes another job's output, and forgets it.
Status JobLedger::RemoveOther() {
  PENSTOCK_TRY(const std::vector<PartFile> files, ledger_->Files());
  std::vector<std::string> names;
  for (const PartFile& file : files) names.push_back(file.name);
  PENSTOCK_RETURN_NOT_OK(sink_.RemoveFiles(names));
  PENSTOCK_RETURN_NOT_OK(ledger_->Clear());
  return ledger_->Begin(job_.identity);
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
  IgnoreChangedFiles();
  shows_all_ = false;
  PENSTOCK_RETURN_NOT_OK(action.last ? ledger_->End(std::move(progress))
                                     : ledger_->Add(std::move(progress)));
  PENSTOCK_RETURN_NOT_OK(Publish(files, letters));
  return action.last ? sink_.MarkComplete() : Status::OK();
}

void JobLedger::IgnoreChangedFiles() {
  IdentityParts changed;
  for (const ArgumentFile& file : job_.files) {
    if (VersionOfFile(file.path) != job_.identity.at(file.part)) changed.insert(file.part);
  }
  ledger_->Ignore(changed);
}

Status JobLedger::Publish(const std::vector<PartFile>& files,
                          const std::vector<PartFile>& letters) {
  PENSTOCK_RETURN_NOT_OK(sink_.Publish(letters));
  PENSTOCK_RETURN_NOT_OK(sink_.Publish(files));
  ledger_->Published();
  shows_all_ = true;
  return Status::OK();
}

void JobLedger::Abort() {
  if (finished_) return;
  if (shows_all_) static_cast<void>(sink_.RemoveTemporaries());
  ledger_->RemoveIfNothingIsDone();
}

std::string JobLedger::Summary() const {
  if (ledger_->found() == Ledger::Found::kNothing || replaces_) return "";
  std::string text = fmt::format("{} rows in {} files", rows().out, files_done());
  if (rows().dead > 0) text += fmt::format(", {} rows that failed", rows().dead);
  return text;
}

}  // namespace penstock
