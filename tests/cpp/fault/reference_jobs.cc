#include "fault/reference_jobs.h"

#include <arrow/api.h>
#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "penstock/base/ledger_folder.h"
#include "penstock/exec/job_ledger.h"

namespace penstock {
namespace {

namespace files = std::filesystem;
using Json = nlohmann::json;

constexpr int kFiles = 6;
constexpr int kRowsOfFile = 40;

ReadOp Read(const std::string& kind, const std::string& path) {
  return {.kind = kind, .options = {{"paths", {path}}}};
}

WriteOp Write(const std::string& kind, const std::string& path) {
  return {.kind = kind, .options = {{"path", path}, {"mode", "resume"}}};
}

Json Compare(const char* operation, const std::string& column, int64_t value) {
  return {{"call", operation}, {"arguments", {{{"column", column}}, {{"literal", value}}}}};
}

/// Gives each row as often as its number modulo 3 says.
Result<std::shared_ptr<arrow::RecordBatch>> Repeat(
    const std::shared_ptr<arrow::RecordBatch>& batch) {
  const auto& ids = static_cast<const arrow::Int64Array&>(*batch->GetColumnByName("id"));
  arrow::Int64Builder repeated;
  for (int64_t row = 0; row < ids.length(); ++row) {
    for (int64_t copy = 0; copy < ids.Value(row) % 3; ++copy) {
      ARROW_RETURN_NOT_OK(repeated.Append(ids.Value(row)));
    }
  }
  ARROW_ASSIGN_OR_RAISE(auto column, repeated.Finish());
  return arrow::RecordBatch::Make(arrow::schema({arrow::field("id", arrow::int64())}),
                                  column->length(), {column});
}

LogicalPlan ParquetToParquet(const std::string& input, const std::string& output) {
  return {{Read("parquet", input + "/parquet"), Write("parquet", output)}};
}

LogicalPlan CsvToJson(const std::string& input, const std::string& output) {
  return {{Read("csv", input + "/csv"), Write("json", output)}};
}

LogicalPlan RepeatRows(const std::string& input, const std::string& output) {
  NativeOp repeat{.name = "Repeat",
                  .make = [] { return Result<BatchFunction>(Repeat); },
                  .batch_rows = 7,
                  .version = "1"};
  return {{Read("csv", input + "/csv"), repeat, Write("csv", output)}};
}

/// Fails for rows whose number is a multiple of `divisor`.
NativeOp Refuse(int64_t divisor) {
  const BatchFunction refuse = [divisor](const std::shared_ptr<arrow::RecordBatch>& batch)
      -> Result<std::shared_ptr<arrow::RecordBatch>> {
    const auto& ids = static_cast<const arrow::Int64Array&>(*batch->GetColumnByName("id"));
    for (int64_t row = 0; row < ids.length(); ++row) {
      if (ids.Value(row) % divisor == 0) return Status::Invalid("a multiple of ", divisor);
    }
    return batch;
  };
  return {.name = "Refuse",
          .make = [refuse] { return Result<BatchFunction>(refuse); },
          .batch_rows = 16,
          .version = fmt::format("{}", divisor),
          .errors = {.on_error = ErrorPolicy::kDeadLetter}};
}

LogicalPlan LeaveRowsOut(const std::string& input, const std::string& output) {
  return {{Read("csv", input + "/csv"), Refuse(17), Write("csv", output)}};
}

LogicalPlan LeaveFewerOut(const std::string& input) {
  return {{Read("csv", input + "/csv"), Refuse(34)}};
}

LogicalPlan FilterRows(const std::string& input, const std::string& output) {
  return {{Read("parquet", input + "/parquet"), FilterOp{Compare("less", "id", 130)},
           Write("parquet", output)}};
}

LogicalPlan CutFiles(const std::string& input, const std::string& output) {
  WriteOp write = Write("csv", output);
  write.options["rows_per_part_max"] = 15;
  return {{Read("csv", input + "/csv"), write}};
}

LogicalPlan GatherFiles(const std::string& input, const std::string& output) {
  WriteOp write = Write("parquet", output);
  write.options["rows_per_part_min"] = 70;
  return {{Read("parquet", input + "/parquet"), write}};
}

LogicalPlan PartFolders(const std::string& input, const std::string& output) {
  WriteOp write = Write("parquet", output);
  write.options["partition_columns"] = {"group"};
  return {{Read("csv", input + "/csv"), write}};
}

}  // namespace

const std::vector<ReferenceJob>& ReferenceJobs() {
  static const std::vector<ReferenceJob> jobs{
      {"parquet to parquet", ParquetToParquet}, {"csv to json", CsvToJson},
      {"more and fewer rows", RepeatRows},      {"a filter", FilterRows},
      {"files of most rows", CutFiles},         {"files of least rows", GatherFiles},
      {"files in folders", PartFolders},        {"dead letters", LeaveRowsOut},
      {"a retry", LeaveRowsOut, LeaveFewerOut},
  };
  return jobs;
}

void WriteReferenceInput(const std::string& folder) {
  files::create_directories(folder + "/csv");
  for (int number = 0; number < kFiles; ++number) {
    std::ofstream csv(fmt::format("{}/csv/{}.csv", folder, number));
    csv << "id,group\n";
    for (int row = 0; row < kRowsOfFile; ++row) {
      csv << number * kRowsOfFile + row << "," << (row < kRowsOfFile / 2 ? "a" : "b") << "\n";
    }
  }
  WriteOp write = Write("parquet", folder + "/parquet");
  write.options["mode"] = "append";
  write.options["rows_per_part_max"] = kRowsOfFile;
  static_cast<void>(RunJob({{Read("csv", folder + "/csv"), write}}));
}

namespace {

PipelineOptions Options() {
  PipelineOptions options;
  options.processors = 2;
  options.budget_bytes = int64_t{64} << 20;
  options.read.chunk_bytes = 1;  // Each file is a chunk.
  options.commit_interval_ms = 0;
  return options;
}

Status RunToItsEnd(const LogicalPlan& plan, const PipelineOptions& options) {
  PENSTOCK_TRY(const auto pipeline, Pipeline::Start(plan, options));
  while (true) {
    PENSTOCK_TRY(const Pipeline::NextResult next, pipeline->Next(std::chrono::seconds(1)));
    if (next.state == Pipeline::NextState::kEnd) return Status::OK();
  }
}

}  // namespace

Status RunJob(const LogicalPlan& plan) { return RunToItsEnd(plan, Options()); }

Status RetryOnce(const LogicalPlan& plan, const std::string& output) {
  PENSTOCK_TRY(const auto ledger, JobLedger::OpenLedger(output + "/" + kLedgerFolder));
  PENSTOCK_TRY(const Ledger::Dead dead, ledger->FindDead());
  if (dead.retries > 0) return Status::OK();
  PipelineOptions options = Options();
  options.retry = RowsToRetry{.folder = output, .stage = 1};
  return RunToItsEnd(plan, options);
}

std::map<std::string, std::string> VisibleFiles(const std::string& folder) {
  std::map<std::string, std::string> found;
  if (!files::exists(folder)) return found;
  files::recursive_directory_iterator entry(folder);
  for (; entry != files::recursive_directory_iterator(); ++entry) {
    const std::string name = entry->path().filename();
    const bool leads_to_letters = name == "_penstock" || name == "dead_letters";
    if ((name.starts_with('_') || name.starts_with('.')) && !leads_to_letters) {
      entry.disable_recursion_pending();
      continue;
    }
    if (!entry->is_regular_file()) continue;
    const bool is_letter = entry->path().parent_path().filename() == "dead_letters";
    const bool is_in_ledger = entry->path().lexically_relative(folder).string().starts_with('_');
    if (is_in_ledger && !is_letter) continue;
    std::ifstream file(entry->path(), std::ios::binary);
    found[entry->path().lexically_relative(folder)] =
        std::string(std::istreambuf_iterator<char>(file), {});
  }
  return found;
}

}  // namespace penstock
