#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "penstock/plan/expression.h"
#include "penstock/plan/logical.h"
#include "penstock/plan/overloaded.h"
#include "penstock/plan/physical.h"

namespace penstock {
namespace {

constexpr size_t kNamesShown = 12;

std::string ListText(const std::vector<std::string>& names) {
  const auto shown = static_cast<ptrdiff_t>(std::min(names.size(), kNamesShown));
  std::string text = fmt::format("{}", fmt::join(names.begin(), names.begin() + shown, ", "));
  if (names.size() > kNamesShown) {
    text += fmt::format(", and {} more", names.size() - kNamesShown);
  }
  return text;
}

std::string PairsText(const std::vector<std::pair<std::string, std::string>>& pairs) {
  std::vector<std::string> texts;
  for (const auto& [from, to] : pairs) {
    texts.push_back(from == to ? from : fmt::format("{} as {}", from, to));
  }
  return ListText(texts);
}

/// A name such as Read(Rows) says already what the function does: it is shown as it is.
std::string FunctionText(const FunctionSpec& function) {
  if (function.name.ends_with(')')) return function.name;
  switch (function.kind) {
    case FunctionKind::kBatches:
      return fmt::format("MapBatches({})", function.name);
    case FunctionKind::kRow:
      return fmt::format("Map({})", function.name);
    case FunctionKind::kFlatRow:
      return fmt::format("FlatMap({})", function.name);
    case FunctionKind::kFilterRow:
      return fmt::format("Filter({})", function.name);
  }
  return function.name;
}

std::string FunctionsText(const FunctionsOp& op) {
  std::vector<std::string> texts;
  for (const FunctionSpec& function : op.functions) texts.push_back(FunctionText(function));
  return fmt::format("{}", fmt::join(texts, "->"));
}

std::string AssignText(const AssignOp& assign) {
  std::vector<std::string> texts;
  for (const auto& [name, expression] : assign.columns) {
    texts.push_back(fmt::format("{} = {}", name, ExpressionText(expression)));
  }
  return fmt::format("Assign({})", ListText(texts));
}

std::string FilterText(const FilterOp& filter) {
  const std::string text = ExpressionText(filter.expression);
  return text.starts_with('(') ? "Filter" + text : fmt::format("Filter({})", text);
}

std::string SampleText(const SampleOp& op) {
  std::string text = fmt::format("Sample({} to {}, seed={}", op.begin, op.end, op.seed);
  if (op.column) text += fmt::format(", by {}", *op.column);
  return text + ")";
}

std::string RepartitionText(const RepartitionOp& op) {
  if (op.blocks) return fmt::format("Repartition(blocks={})", *op.blocks);
  if (op.rows_per_block) return fmt::format("Repartition(rows_per_block={})", *op.rows_per_block);
  return "Repartition()";
}

std::string ReadText(const ReadOp& read) {
  std::string text = "Read(" + read.kind;
  if (read.columns) text += fmt::format(", columns=[{}]", ListText(*read.columns));
  if (read.filter) text += fmt::format(", filter={}", ExpressionText(*read.filter));
  if (read.row_limit) text += fmt::format(", row_limit={}", *read.row_limit);
  if (read.splits) text += fmt::format(", splits={}", *read.splits);
  if (read.splits_at_once) text += fmt::format(", splits_at_once={}", *read.splits_at_once);
  if (read.order_seed) text += fmt::format(", order_seed={}", *read.order_seed);
  return text + ")";
}

std::string WorkText(const Stage& stage) {
  const WorkerOptions& options = stage.functions->options;
  const char* what = options.threads ? "thread" : "worker";
  std::string text = stage.workers_min == stage.workers
                         ? fmt::format(", {} {}", stage.workers, what)
                         : fmt::format(", {} to {} {}", stage.workers_min, stage.workers, what);
  if (stage.workers != 1) text += "s";
  if (options.by_length) return text + ", batches of like length";
  if (options.grows_batches) return text + ", batches that grow";
  return options.batch_rows ? text + fmt::format(", batches of {} rows", *options.batch_rows)
                            : text + ", whole blocks";
}

std::string WindowText(const WindowPlan& window) {
  std::string text = fmt::format(", windows of {} rows", window.rows);
  if (window.batch_rows > 0) text += fmt::format(", batches of {} rows", window.batch_rows);
  if (window.grouping.padded_length_max > 0) {
    text += fmt::format(", padded length at most {}", window.grouping.padded_length_max);
  }
  return text;
}

std::string StageText(const Stage& stage) {
  std::string text = stage.read ? ReadText(*stage.read) : stage.name;
  if (stage.kind == StageKind::kWork) {
    text += WorkText(stage);
  }
  if (stage.window) text += WindowText(*stage.window);
  for (const LogicalOp& transform : stage.transforms) text += ", then " + OpName(transform);
  if (stage.row_limit) text += fmt::format(", then the first {} rows", *stage.row_limit);
  if (stage.inputs.size() > 1) text += fmt::format(", of stages {}", fmt::join(stage.inputs, ", "));
  return text;
}

/// Writes the first `count` operators of the plan, the last of them first.
std::string TextOfFirst(const LogicalPlan& plan, size_t count, size_t depth) {
  if (count == 0) return "";
  const LogicalOp& op = plan.ops[count - 1];
  const auto* read = std::get_if<ReadOp>(&op);
  std::string text = read != nullptr ? ReadText(*read) : OpName(op);
  const std::string branch = fmt::format("\n{:{}}+- ", "", 3 * depth);
  if (count > 1) text += branch + TextOfFirst(plan, count - 1, depth + 1);
  if (const auto* combine = std::get_if<CombineOp>(&op)) {
    for (const std::shared_ptr<const LogicalPlan>& other : combine->others) {
      text += branch + TextOfFirst(*other, other->ops.size(), depth + 1);
    }
  }
  return text;
}

std::string Indented(const std::string& text) {
  std::string indented = "  ";
  for (const char character : text) {
    indented += character;
    if (character == '\n') indented += "  ";
  }
  return indented;
}

}  // namespace

std::string OpName(const LogicalOp& op) {
  return std::visit(
      Overloaded{
          [](const ReadOp& read) { return fmt::format("Read({})", read.kind); },
          [](const FunctionsOp& functions) { return FunctionsText(functions); },
          [](const NativeOp& native) { return fmt::format("MapBatches({})", native.name); },
          [](const ProjectOp& project) {
            return fmt::format("Project({})", PairsText(project.columns));
          },
          [](const DropOp& drop) { return fmt::format("Drop({})", ListText(drop.columns)); },
          [](const RenameOp& rename) {
            return fmt::format("Rename({})", PairsText(rename.columns));
          },
          [](const AssignOp& assign) { return AssignText(assign); },
          [](const FilterOp& filter) { return FilterText(filter); },
          [](const SampleOp& sample) { return SampleText(sample); },
          [](const LimitOp& limit) { return fmt::format("Limit({})", limit.rows); },
          [](const RepartitionOp& repartition) { return RepartitionText(repartition); },
          [](const CombineOp& combine) {
            return std::string(combine.kind == CombineKind::kZip ? "Zip" : "Union");
          },
          [](const WriteOp& write) { return fmt::format("Write({})", write.kind); },
      },
      op);
}

std::string PlanText(const LogicalPlan& plan) { return TextOfFirst(plan, plan.ops.size(), 0); }

Result<std::string> ExplainPlan(const LogicalPlan& plan, const TraitsOf& traits,
                                const MachineResources& machine) {
  PENSTOCK_RETURN_NOT_OK(ValidatePlan(plan));
  const RewrittenPlan rewritten = Rewrite(plan, traits);
  PENSTOCK_TRY(const PhysicalPlan physical, MakePhysicalPlan(rewritten.plan, machine));
  std::string text = fmt::format("Plan\n{}\n\nRules\n", Indented(PlanText(plan)));
  for (const std::string& rule : rewritten.applied) text += fmt::format("  {}\n", rule);
  if (rewritten.applied.empty()) text += "  none changed the plan\n";
  text += "\nStages\n";
  for (size_t i = 0; i < physical.stages.size(); ++i) {
    text += fmt::format("  {} {}\n", i, StageText(physical.stages[i]));
  }
  return text;
}

}  // namespace penstock
