#include "penstock/exec/retry_checks.h"

#include <arrow/type.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <memory>

#include "penstock/base/error.h"
#include "penstock/block/unify.h"
#include "penstock/exec/plan_facts.h"

namespace penstock {
namespace {

Status Changed(const std::string& stage, const std::string& what) {
  return MakeError(ErrorKind::kJobChanged,
                   fmt::format("Stage '{}' has left out rows of this output, but {}; give the data "
                               "set that the job wrote, with its functions mended",
                               stage, what));
}

/// Some readers know the columns of their first rows alone; others may come.
bool KnowsAllColumns(const Stage& stage) {
  constexpr std::array kByFirstRows{"csv", "json", "tfrecord", "webdataset"};
  return !stage.read || std::ranges::find(kByFirstRows, stage.read->kind) == kByFirstRows.end();
}

/// Returns whether rows of the schema `had` may be what a stage is given.
bool MayBeGiven(const arrow::Schema& given, const arrow::Schema& had, bool all_columns) {
  if (all_columns) return given.field_names() == had.field_names();
  return std::ranges::all_of(given.field_names(), [&had](const std::string& name) {
    return had.GetFieldIndex(name) >= 0;
  });
}

/// Returns the schema of what a stage is given, or null where functions or nobody can tell.
std::shared_ptr<arrow::Schema> SchemaGivenTo(int stage, const PhysicalPlan& plan,
                                             const ReadLimits& limits) {
  PhysicalPlan before;
  std::vector<std::unique_ptr<Source>> sources;
  std::vector<Source*> inputs;
  std::vector<TransformChain> transforms;
  for (int number = 0; number < stage; ++number) {
    const Stage& one = before.stages.emplace_back(plan.stages[static_cast<size_t>(number)]);
    Result<TransformChain> chain = TransformChain::Make(one.transforms);
    if (!chain.ok()) return nullptr;
    transforms.push_back(chain.MoveValueUnsafe());
    std::unique_ptr<Source>& source = sources.emplace_back();
    if (one.read) source = MakeSource(*one.read, limits, /*parallelism=*/1).ValueOr(nullptr);
    if (one.read && source == nullptr) return nullptr;
    inputs.push_back(source.get());
  }
  return SchemaWithoutRows(before, inputs, transforms).ValueOr(nullptr);
}

}  // namespace

Status CheckStages(const PhysicalPlan& plan, const std::vector<std::string>& job_stages,
                   const FailedStage& failed) {
  const auto first = static_cast<size_t>(failed.index);
  if (first >= plan.stages.size() || plan.stages[first].name != failed.name) {
    return Changed(failed.name,
                   fmt::format("the plan has no such stage {}; got there: {}", first,
                               first < plan.stages.size() ? plan.stages[first].name : "nothing"));
  }
  for (size_t number = first; number < job_stages.size(); ++number) {
    const std::string& wanted = job_stages[number];
    if (number < plan.stages.size() && plan.stages[number].name == wanted) continue;
    return Changed(failed.name,
                   fmt::format("stage {} after it is another; wanted: {}", number, wanted));
  }
  if (plan.stages.size() == job_stages.size()) return Status::OK();
  return Changed(failed.name, fmt::format("the plan has {} stages where the job had {}",
                                          plan.stages.size(), job_stages.size()));
}

Status CheckColumns(const PhysicalPlan& plan, const FailedStage& failed, Source& letters,
                    const ReadLimits& limits) {
  const std::shared_ptr<arrow::Schema> given = SchemaGivenTo(failed.index, plan, limits);
  if (given == nullptr) return Status::OK();
  PENSTOCK_TRY(const std::shared_ptr<arrow::Schema> had, letters.ReadSchema());
  const bool all_columns =
      std::all_of(plan.stages.begin(), plan.stages.begin() + failed.index, KnowsAllColumns);
  if (MayBeGiven(*given, *had, all_columns) && UnifySchemas(given, had).ok()) return Status::OK();
  return Changed(failed.name, fmt::format("was given other columns; now: {}; then: {}",
                                          given->ToString(), had->ToString()));
}

}  // namespace penstock
