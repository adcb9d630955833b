#include <chrono>
#include <nlohmann/json.hpp>

#include "penstock/dataset.h"
#include "penstock/exec/pipeline.h"
#include "penstock/exec/plan_facts.h"
#include "penstock/plan/logical.h"
#include "penstock/plan/options.h"

namespace penstock {
namespace {

using Json = nlohmann::json;
using std::chrono_literals::operator""h;

const char* NameOf(WriteMode mode) {
  switch (mode) {
    case WriteMode::kAppend:
      return "append";
    case WriteMode::kResume:
      return "resume";
    case WriteMode::kOverwrite:
      return "overwrite";
    case WriteMode::kIgnore:
      return "ignore";
    case WriteMode::kError:
      return "error";
  }
  return "";
}

Json AllOptions(const std::string& folder, const WriteOptions& options) {
  Json all = OptionsFromText(options.options_json);
  all["path"] = folder;
  all["mode"] = NameOf(options.mode);
  if (options.rows_per_file_min > 0) all["rows_per_part_min"] = options.rows_per_file_min;
  if (options.rows_per_file_max > 0) all["rows_per_part_max"] = options.rows_per_file_max;
  if (options.bytes_per_file_min > 0) all["bytes_per_part_min"] = options.bytes_per_file_min;
  if (options.files_at_once > 0) all["steps_max"] = options.files_at_once;
  return all;
}

Status Run(const LogicalPlan& plan, const RunOptions& run,
           const std::function<Status(const std::shared_ptr<arrow::RecordBatch>&)>& take) {
  PipelineOptions options;
  options.budget_bytes = run.memory_bytes;
  options.processors = run.processors;
  options.preserve_order = run.preserve_order;
  PENSTOCK_TRY(const std::unique_ptr<Pipeline> pipeline, Pipeline::Start(plan, options));
  while (true) {
    PENSTOCK_TRY(const Pipeline::NextResult next, pipeline->Next(1h));
    if (next.state == Pipeline::NextState::kEnd) return Status::OK();
    if (next.state == Pipeline::NextState::kBlock) PENSTOCK_RETURN_NOT_OK(take(next.block->batch));
  }
}

}  // namespace

Status Dataset::ForEach(
    const std::function<Status(const std::shared_ptr<arrow::RecordBatch>&)>& take,
    const RunOptions& run) const {
  return Run(*plan_, run, take);
}

Result<std::vector<std::shared_ptr<arrow::RecordBatch>>> Dataset::Collect(
    const RunOptions& run) const {
  std::vector<std::shared_ptr<arrow::RecordBatch>> batches;
  PENSTOCK_RETURN_NOT_OK(ForEach(
      [&batches](const std::shared_ptr<arrow::RecordBatch>& batch) {
        batches.push_back(batch);
        return Status::OK();
      },
      run));
  return batches;
}

Result<int64_t> Dataset::Count(const RunOptions& run) const {
  PENSTOCK_RETURN_NOT_OK(ValidatePlan(*plan_));
  PENSTOCK_TRY(const std::optional<int64_t> known, KnownRows(*plan_));
  if (known) return *known;
  int64_t rows = 0;
  PENSTOCK_RETURN_NOT_OK(ForEach(
      [&rows](const std::shared_ptr<arrow::RecordBatch>& batch) {
        rows += batch->num_rows();
        return Status::OK();
      },
      run));
  return rows;
}

Status Dataset::Write(const std::string& kind, const std::string& folder,
                      const WriteOptions& options, const RunOptions& run) const {
  LogicalPlan writing = *plan_;
  writing.ops.emplace_back(WriteOp{
      .kind = kind, .options = AllOptions(folder, options), .file_system = options.file_system});
  return Run(writing, run, [](const auto&) { return Status::OK(); });
}

Status Dataset::WriteParquet(const std::string& folder, const WriteOptions& options,
                             const RunOptions& run) const {
  return Write("parquet", folder, options, run);
}

}  // namespace penstock
