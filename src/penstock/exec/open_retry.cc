#include "penstock/exec/open_retry.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "penstock/base/error.h"
#include "penstock/base/ledger_folder.h"
#include "penstock/exec/open_output.h"
#include "penstock/exec/retry_checks.h"
#include "penstock/exec/write_record.h"
#include "penstock/plan/rest_of_plan.h"
#include "penstock/plan/rules.h"
#include "penstock/source/letter_files.h"

namespace penstock {
namespace {

Status CheckIsDone(const Ledger& ledger, const std::string& folder) {
  if (ledger.found() == Ledger::Found::kFinished) return Status::OK();
  if (ledger.found() == Ledger::Found::kUnfinished) {
    return Status::Invalid(
        "The job that writes here is not done; run it again, which goes on with it, and then its "
        "dead rows; got: ",
        folder);
  }
  return MakeError(ErrorKind::kMissingPath,
                   "There is no ledger of a job here; name the folder that the job wrote to, "
                   "without a mode; got: " +
                       folder);
}

/// Returns the plan as it was written, up to the last operator.
LogicalPlan Written(const LogicalPlan& plan, const WriteRecord& record) {
  LogicalPlan written = plan;
  const auto* last = std::get_if<ProjectOp>(&written.ops.back());
  const bool has_columns = last != nullptr && last->columns == record.columns;
  if (!record.columns.empty() && !has_columns) written.ops.emplace_back(ProjectOp{record.columns});
  written.ops.emplace_back(record.write);
  return written;
}

class RetryOpener {
 public:
  RetryOpener(const RowsToRetry& retry, const ReadLimits& limits, const MachineResources& machine)
      : retry_(retry), limits_(limits), machine_(machine) {}

  Result<std::optional<RetryJob>> Open(const LogicalPlan& plan) {
    PENSTOCK_TRY(auto ledger, JobLedger::OpenLedger(retry_.folder + "/" + kLedgerFolder));
    PENSTOCK_RETURN_NOT_OK(CheckIsDone(*ledger, retry_.folder));
    PENSTOCK_TRY(const bool is_alone, ledger->TidyUp());
    if (!is_alone) {
      return MakeError(
          ErrorKind::kOutputTaken,
          "Another run writes this output; wait for it, or end it; got: " + retry_.folder);
    }
    PENSTOCK_RETURN_NOT_OK(CheckIsDone(*ledger, retry_.folder));
    PENSTOCK_TRY(record_, ReadWriteRecord(ledger->write(), retry_.folder));
    PENSTOCK_TRY(const Ledger::Dead dead, ledger->FindDead());
    PENSTOCK_RETURN_NOT_OK(OpenSink(dead.retries + 1));
    PENSTOCK_TRY(output_.ledger, JobLedger::OpenRetry(*output_.sink, std::move(ledger)));
    Result<std::optional<RetryJob>> opened = Begin(plan, dead.letters);
    if (!opened.ok() || !*opened) {
      output_.ledger->Abort();
      output_.sink->Abort();
    }
    return opened;
  }

 private:
  /// The parts' names sort after those of the job, and of earlier retries.
  Status OpenSink(int64_t number) {
    nlohmann::json& options = record_.write.options;
    options["write_name"] =
        fmt::format("{}_retry{:06}", options.value("write_name", std::string()), number);
    options["path"] = retry_.folder;
    options["mode"] = "resume";
    PENSTOCK_TRY(output_.sink, MakeSink(record_.write));
    return output_.sink->Start().status();
  }

  Result<std::optional<RetryJob>> Begin(const LogicalPlan& plan, std::vector<PartFile> letters) {
    // By chunk, in whatever order the chunks were committed.
    std::ranges::sort(letters, {}, &PartFile::name);
    const LogicalPlan written = Written(plan, record_);
    PENSTOCK_RETURN_NOT_OK(ValidatePlan(written));
    PENSTOCK_TRY(const PhysicalPlan whole,
                 MakePhysicalPlan(Rewrite(written, ReaderTraitsOf).plan, machine_));
    FailedStage failed;
    std::vector<PartFile> retried;
    std::vector<std::string> paths;
    for (const PartFile& file : letters) {
      const std::string path = retry_.folder + "/" + file.name;
      PENSTOCK_TRY(const FailedStage stage, FailedStageOf(path, limits_));
      PENSTOCK_RETURN_NOT_OK(CheckStages(whole, record_.stages, stage));
      if (stage.index != retry_.stage) continue;
      failed = stage;
      retried.push_back(file);
      paths.push_back(path);
    }
    if (letters.empty()) Tell("no rows that were left out are on record; see " + retry_.folder);
    if (retried.empty()) return std::nullopt;
    PENSTOCK_TRY(auto source, MakeLetterSource(paths, limits_, machine_.processors));
    PENSTOCK_RETURN_NOT_OK(CheckColumns(whole, failed, *source, limits_));
    ReadOp read{.kind = "dead_letters", .options = {{"paths", paths}}};
    PENSTOCK_TRY(RestOfPlan rest, RestFrom(whole, failed.index, std::move(read)));
    PENSTOCK_TRY(RetriedRows rows,
                 RetriedRows::Read(paths, limits_, {rest.numbers.begin(), rest.numbers.end()}));
    PENSTOCK_RETURN_NOT_OK(output_.ledger->BeginRetry(std::move(retried)));
    Tell(fmt::format("running {} rows again that '{}' has left out", rows.rows(), failed.name));
    RetryJob job{
        .plan = std::move(rest.plan), .output = std::move(output_), .rows = std::move(rows)};
    job.sources.resize(job.plan.stages.size());
    job.sources.front() = std::move(source);
    return job;
  }

  const RowsToRetry& retry_;
  const ReadLimits& limits_;
  const MachineResources& machine_;
  WriteRecord record_;
  JobOutput output_;
};

}  // namespace

Result<std::optional<RetryJob>> OpenRetry(const LogicalPlan& plan, const RowsToRetry& retry,
                                          const ReadLimits& limits,
                                          const MachineResources& machine) {
  return RetryOpener(retry, limits, machine).Open(plan);
}

}  // namespace penstock
