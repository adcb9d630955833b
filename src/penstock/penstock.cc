#include "penstock/penstock.h"

#include <nlohmann/json.hpp>

#include "penstock/exec/pipeline.h"
#include "penstock/exec/plan_facts.h"
#include "penstock/memory/machine.h"
#include "penstock/plan/logical.h"
#include "penstock/plan/physical.h"

namespace penstock {
namespace {

using Json = nlohmann::json;
using std::chrono_literals::operator""h;

Json Tree(const Expression& expression) { return Json::parse(expression.json()); }

Expression Literal(const Json& value) { return Expression(Json{{"literal", value}}.dump()); }

Dataset With(const Dataset& dataset, LogicalOp op) {
  auto longer = std::make_shared<LogicalPlan>(*dataset.plan());
  longer->ops.push_back(std::move(op));
  return Dataset(std::move(longer));
}

Dataset Combined(const Dataset& dataset, CombineKind kind, const std::vector<Dataset>& others) {
  CombineOp combine{.kind = kind};
  for (const Dataset& other : others) combine.others.push_back(other.plan());
  return With(dataset, std::move(combine));
}

/// Text that is no JSON object becomes options that every reader and writer refuses by name.
Json OptionsFrom(const std::string& text) {
  Json parsed = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  return parsed.is_object() ? parsed : Json{{"not a JSON object", text}};
}

Dataset ReadFiles(const std::string& kind, const std::vector<std::string>& paths) {
  return Read(kind, Json{{"paths", paths}}.dump());
}

ErrorPolicy PolicyOf(OnError on_error) {
  switch (on_error) {
    case OnError::kRaise:
      return ErrorPolicy::kRaise;
    case OnError::kDeadLetter:
      return ErrorPolicy::kDeadLetter;
    case OnError::kDrop:
      return ErrorPolicy::kDrop;
  }
  return ErrorPolicy::kRaise;
}

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

// ---- Expressions -------------------------------------------------------------------------------

Expression Col(const std::string& name) { return Expression(Json{{"column", name}}.dump()); }

Expression Lit(bool value) { return Literal(value); }
Expression Lit(int value) { return Literal(value); }
Expression Lit(int64_t value) { return Literal(value); }
Expression Lit(double value) { return Literal(value); }
Expression Lit(const char* value) { return Literal(value); }
Expression Lit(const std::string& value) { return Literal(value); }

Expression Call(const std::string& function, const std::vector<Expression>& arguments) {
  Json call = {{"call", function}, {"arguments", Json::array()}};
  for (const Expression& argument : arguments) call["arguments"].push_back(Tree(argument));
  return Expression(call.dump());
}

Expression operator==(const Expression& left, const Expression& right) {
  return Call("equal", {left, right});
}
Expression operator!=(const Expression& left, const Expression& right) {
  return Call("not_equal", {left, right});
}
Expression operator<(const Expression& left, const Expression& right) {
  return Call("less", {left, right});
}
Expression operator<=(const Expression& left, const Expression& right) {
  return Call("less_equal", {left, right});
}
Expression operator>(const Expression& left, const Expression& right) {
  return Call("greater", {left, right});
}
Expression operator>=(const Expression& left, const Expression& right) {
  return Call("greater_equal", {left, right});
}
Expression operator+(const Expression& left, const Expression& right) {
  return Call("add", {left, right});
}
Expression operator-(const Expression& left, const Expression& right) {
  return Call("subtract", {left, right});
}
Expression operator*(const Expression& left, const Expression& right) {
  return Call("multiply", {left, right});
}
Expression operator/(const Expression& left, const Expression& right) {
  return Call("divide", {left, right});
}
Expression operator&(const Expression& left, const Expression& right) {
  return Call("and_kleene", {left, right});
}
Expression operator|(const Expression& left, const Expression& right) {
  return Call("or_kleene", {left, right});
}
Expression operator!(const Expression& operand) { return Call("invert", {operand}); }

// ---- Recipes -----------------------------------------------------------------------------------

Dataset Dataset::Select(const std::vector<std::string>& columns) const {
  ProjectOp project;
  for (const std::string& name : columns) project.columns.emplace_back(name, name);
  return With(*this, std::move(project));
}

Dataset Dataset::Drop(const std::vector<std::string>& columns) const {
  return With(*this, DropOp{columns});
}

Dataset Dataset::Rename(const std::vector<std::pair<std::string, std::string>>& columns) const {
  return With(*this, RenameOp{columns});
}

Dataset Dataset::Filter(const Expression& condition) const {
  return With(*this, FilterOp{Tree(condition)});
}

Dataset Dataset::Limit(int64_t rows) const { return With(*this, LimitOp{rows}); }

Dataset Dataset::Repartition(int64_t blocks) const {
  return With(*this, RepartitionOp{.blocks = blocks});
}

Dataset Dataset::Union(const std::vector<Dataset>& others) const {
  return Combined(*this, CombineKind::kUnion, others);
}

Dataset Dataset::Zip(const std::vector<Dataset>& others) const {
  return Combined(*this, CombineKind::kZip, others);
}

Dataset Dataset::MapBatches(BatchFunction function, MapOptions options) const {
  return MapBatchesWith(
      [function = std::move(function)]() -> Result<BatchFunction> { return function; },
      std::move(options));
}

Dataset Dataset::MapBatchesWith(std::function<Result<BatchFunction>()> make,
                                MapOptions options) const {
  return With(*this, NativeOp{.name = std::move(options.name),
                              .make = std::move(make),
                              .batch_rows = options.batch_rows,
                              .threads = options.threads,
                              .keeps_rows = options.keeps_rows,
                              .version = std::move(options.version),
                              .errors = {.on_error = PolicyOf(options.on_error),
                                         .max_errors = options.max_errors}});
}

// ---- Runs --------------------------------------------------------------------------------------

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

Result<std::shared_ptr<arrow::Schema>> Dataset::Schema() const {
  PENSTOCK_RETURN_NOT_OK(ValidatePlan(*plan_));
  return KnownSchema(*plan_);
}

Status Dataset::Write(const std::string& kind, const std::string& folder,
                      const WriteOptions& options, const RunOptions& run,
                      const std::string& options_json) const {
  Json all = OptionsFrom(options_json);
  all["path"] = folder;
  all["mode"] = NameOf(options.mode);
  if (options.rows_per_file_min > 0) all["rows_per_part_min"] = options.rows_per_file_min;
  if (options.rows_per_file_max > 0) all["rows_per_part_max"] = options.rows_per_file_max;
  if (options.bytes_per_file_min > 0) all["bytes_per_part_min"] = options.bytes_per_file_min;
  if (options.files_at_once > 0) all["steps_max"] = options.files_at_once;
  const Dataset writing = With(*this, WriteOp{kind, std::move(all)});
  return Run(*writing.plan(), run, [](const auto&) { return Status::OK(); });
}

Status Dataset::WriteParquet(const std::string& folder, const WriteOptions& options,
                             const RunOptions& run) const {
  return Write("parquet", folder, options, run);
}

Result<std::string> Dataset::Explain() const {
  return ExplainPlan(*plan_, ReaderTraitsOf, {.processors = MachineProcessors()});
}

// ---- Readers -----------------------------------------------------------------------------------

Dataset Read(const std::string& kind, const std::string& options_json) {
  ReadOp read{.kind = kind, .options = OptionsFrom(options_json)};
  return Dataset(std::make_shared<LogicalPlan>(LogicalPlan{{std::move(read)}}));
}

Dataset ReadParquet(const std::vector<std::string>& paths) { return ReadFiles("parquet", paths); }
Dataset ReadCsv(const std::vector<std::string>& paths) { return ReadFiles("csv", paths); }
Dataset ReadJson(const std::vector<std::string>& paths) { return ReadFiles("json", paths); }

Dataset Range(int64_t count) { return Read("range", Json{{"count", count}}.dump()); }

Dataset FromBatches(std::vector<std::shared_ptr<arrow::RecordBatch>> batches) {
  ReadOp read{.kind = "memory"};
  read.batches = std::move(batches);
  return Dataset(std::make_shared<LogicalPlan>(LogicalPlan{{std::move(read)}}));
}

}  // namespace penstock
