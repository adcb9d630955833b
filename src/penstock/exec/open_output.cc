#include "penstock/exec/open_output.h"

#include <algorithm>
#include <cstdio>
#include <string>
#include <utility>

#include "penstock/exec/job_identity.h"
#include "penstock/exec/write_record.h"
#include "penstock/files/path_placer.h"

namespace penstock {
namespace {

Result<OnMismatch> TakeOnMismatch(WriteOp& write) {
  const nlohmann::json wanted = write.options.value("on_mismatch", nlohmann::json("error"));
  write.options.erase("on_mismatch");
  if (wanted == "error") return OnMismatch::kError;
  if (wanted == "restart") return OnMismatch::kRestart;
  return Status::Invalid("on_mismatch must be \"error\" or \"restart\"; got: ", wanted.dump());
}

bool Resumes(const WriteOp& write) { return write.options.value("mode", "") == "resume"; }

/// Returns the folder of this machine that is written to; "" for others.
Result<std::string> LocalFolderOf(const WriteOp& write) {
  const std::string path = write.options.value("path", "");
  const bool is_remote = path.find("://") != std::string::npos && !path.starts_with("file:");
  if (write.file_system == nullptr && is_remote) return "";  // Which need not be opened for this.
  PathPlacer placer(FileAccess{.file_system = write.file_system});
  PENSTOCK_TRY(const PlacedPath placed, placer.Place(path));
  return placed.file_system->type_name() == "local" ? placed.location : "";
}

}  // namespace

void Tell(const std::string& what) { std::fprintf(stderr, "penstock: %s\n", what.c_str()); }

ReadLimits ReadLimitsFor(const PhysicalPlan& plan, const ReadLimits& limits,
                         int64_t rows_per_chunk) {
  ReadLimits own = limits;
  const std::optional<WriteOp>& write = plan.stages.back().write;
  if (!write || !Resumes(*write)) return own;
  const auto lower = [&own](int64_t rows) {
    if (rows > 0) own.chunk_rows = std::min(own.chunk_rows, rows);
  };
  const auto& file_rows = write->options.find("rows_per_part_max");
  if (file_rows != write->options.end() && file_rows->is_number_integer()) {
    lower(file_rows->get<int64_t>());
  }
  const bool may_be_slow = std::ranges::any_of(
      plan.stages, [](const Stage& stage) { return stage.kind == StageKind::kWork; });
  if (may_be_slow) {
    lower(kSlowChunkRows);
    own.chunk_bytes = std::min(own.chunk_bytes, kSlowChunkBytes);
  }
  if (rows_per_chunk > 0) own.chunk_rows = rows_per_chunk;
  return own;
}

Result<std::optional<JobOutput>> OpenOutput(const LogicalPlan& plan, const PhysicalPlan& physical,
                                            std::span<const std::unique_ptr<Source>> sources,
                                            const ReadLimits& limits, bool preserve_order) {
  WriteOp own = *physical.stages.back().write;
  PENSTOCK_TRY(const OnMismatch on_mismatch, TakeOnMismatch(own));
  IdentifiedJob job;
  if (Resumes(own)) {
    PENSTOCK_TRY(job, Identify(plan, sources, limits, preserve_order));
    if (job.is_known) {
      own.options["write_name"] = WriteNameOf(job.identity);
      job.write = WriteRecordOf(plan, own, physical);
    } else {
      own.options["mode"] = "append";
    }
  }
  JobOutput output;
  PENSTOCK_TRY(output.sink, MakeSink(own));
  PENSTOCK_TRY(output.local_folder, LocalFolderOf(own));
  const std::string folder = output.sink->ledger_folder();
  if (!folder.empty()) {
    PENSTOCK_TRY(output.ledger, JobLedger::Open(*output.sink, std::move(job), on_mismatch));
  }
  PENSTOCK_TRY(const SinkStart start, output.sink->Start());
  if (start == SinkStart::kSkip) return std::nullopt;
  if (output.ledger == nullptr) return output;
  const std::string before = output.ledger->Summary();
  const Status begun = output.ledger->Begin();
  if (!begun.ok()) {
    output.sink->Abort();
    return begun;
  }
  if (output.ledger->is_finished()) {
    Tell("the output is there already (" + before + "), nothing is left to do; see " + folder);
    return std::nullopt;
  }
  if (!before.empty()) Tell("going on where an earlier run ended (" + before + " are there)");
  return output;
}

}  // namespace penstock
