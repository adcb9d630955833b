#include "penstock/plan/rest_of_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "penstock/plan/expression_positions.h"

namespace penstock {
namespace {

Status DependsOnOthers(const Stage& stage, const std::string& what) {
  return Status::Invalid(
      fmt::format("Rows that stage '{}' and those before it have left out cannot be run again by "
                  "themselves: what becomes of them depends on the other rows; run the whole job "
                  "again, or leave out: {}",
                  stage.name, what));
}

Status CheckStage(const Stage& stage) {
  if (stage.row_limit) return DependsOnOthers(stage, fmt::format("limit({})", *stage.row_limit));
  if (stage.kind == StageKind::kZip) return DependsOnOthers(stage, "zip");
  for (const LogicalOp& op : stage.transforms) {
    const auto* sample = std::get_if<SampleOp>(&op);
    const bool draws_by_position = sample != nullptr && !sample->column;
    if (draws_by_position || ReadsPositionsIn(op)) return DependsOnOthers(stage, OpName(op));
  }
  return Status::OK();
}

}  // namespace

Result<RestOfPlan> RestFrom(const PhysicalPlan& whole, int first, ReadOp read) {
  RestOfPlan rest{.numbers = {first - 1}};
  Stage reading{.name = OpName(read), .kind = StageKind::kRead};
  reading.read = std::move(read);
  rest.plan.stages.push_back(std::move(reading));
  int last = first - 1;
  for (int number = first; number < static_cast<int>(whole.stages.size()); ++number) {
    Stage stage = whole.stages[static_cast<size_t>(number)];
    if (number > first && std::ranges::find(stage.inputs, last) == stage.inputs.end()) continue;
    PENSTOCK_RETURN_NOT_OK(CheckStage(stage));
    stage.inputs = {static_cast<int>(rest.plan.stages.size()) - 1};
    rest.plan.stages.push_back(std::move(stage));
    rest.numbers.push_back(number);
    last = number;
  }
  return rest;
}

}  // namespace penstock
