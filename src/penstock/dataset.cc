#include "penstock/dataset.h"

#include <nlohmann/json.hpp>
#include <random>

#include "penstock/exec/plan_facts.h"
#include "penstock/memory/machine.h"
#include "penstock/plan/logical.h"
#include "penstock/plan/physical.h"
#include "penstock/plan/split_order.h"

namespace penstock {
namespace {

using Json = nlohmann::json;

Json Tree(const Expression& expression) {
  return Json::parse(expression.json(), nullptr, /*allow_exceptions=*/false);
}

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

int64_t DrawnSeed() {
  std::random_device device;
  constexpr int64_t kSeedMax = int64_t{1} << 62;
  return std::uniform_int_distribution<int64_t>(0, kSeedMax - 1)(device);
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

}  // namespace

// ---- Columns -----------------------------------------------------------------------------------

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

Dataset Dataset::WithColumns(const std::vector<std::pair<std::string, Expression>>& columns) const {
  AssignOp assign;
  for (const auto& [name, expression] : columns)
    assign.columns.emplace_back(name, Tree(expression));
  return With(*this, std::move(assign));
}

// ---- Rows --------------------------------------------------------------------------------------

Dataset Dataset::Filter(const Expression& condition) const {
  return With(*this, FilterOp{Tree(condition)});
}

Dataset Dataset::Limit(int64_t rows) const { return With(*this, LimitOp{rows}); }

Dataset Dataset::RandomSample(double fraction, std::optional<int64_t> seed) const {
  return With(*this, SampleOp{.seed = seed ? *seed : DrawnSeed(), .end = fraction});
}

std::pair<Dataset, Dataset> Dataset::TrainTestSplit(double test_share,
                                                    const SplitOptions& options) const {
  const int64_t drawn = options.by_column ? 0 : DrawnSeed();
  const double border = 1.0 - test_share;
  SampleOp train{.seed = options.seed.value_or(drawn), .end = border, .column = options.by_column};
  SampleOp test = train;
  test.begin = border;
  test.end = 1;
  return {With(*this, std::move(train)), With(*this, std::move(test))};
}

Result<Dataset> Dataset::RandomizeBlockOrder(std::optional<int64_t> seed) const {
  std::optional<LogicalPlan> plan = WithSplitOrder(*plan_, seed ? *seed : DrawnSeed());
  if (!plan) {
    return Status::NotImplemented(
        "RandomizeBlockOrder shuffles what is read; call it before Limit, Repartition, "
        "RandomSample, TrainTestSplit, Union and Zip");
  }
  return Dataset(std::make_shared<LogicalPlan>(*std::move(plan)));
}

Dataset Dataset::Repartition(int64_t blocks) const {
  return With(*this, RepartitionOp{.blocks = blocks});
}

Dataset Dataset::RepartitionToRows(int64_t rows_per_block) const {
  return With(*this, RepartitionOp{.rows_per_block = rows_per_block});
}

Dataset Dataset::Union(const std::vector<Dataset>& others) const {
  return Combined(*this, CombineKind::kUnion, others);
}

Dataset Dataset::Zip(const std::vector<Dataset>& others) const {
  return Combined(*this, CombineKind::kZip, others);
}

// ---- Functions ---------------------------------------------------------------------------------

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

// ---- Facts that need no run --------------------------------------------------------------------

Result<std::shared_ptr<arrow::Schema>> Dataset::Schema() const {
  PENSTOCK_RETURN_NOT_OK(ValidatePlan(*plan_));
  return KnownSchema(*plan_);
}

Result<std::string> Dataset::Explain() const {
  return ExplainPlan(*plan_, ReaderTraitsOf, {.processors = MachineProcessors()});
}

}  // namespace penstock
