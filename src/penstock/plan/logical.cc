#include "penstock/plan/logical.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <span>
#include <string_view>

#include "penstock/plan/at_least.h"
#include "penstock/plan/expression.h"
#include "penstock/plan/expression_positions.h"
#include "penstock/plan/overloaded.h"

namespace penstock {
namespace {

Status CheckUnique(std::string_view field, const std::vector<std::string>& names) {
  std::set<std::string_view> seen;
  for (const std::string& name : names) {
    if (!seen.insert(name).second) {
      return Status::Invalid(field, " must name each column once; named twice: '", name, "'");
    }
  }
  return Status::OK();
}

template <typename Second>
std::vector<std::string> FirstNames(const std::vector<std::pair<std::string, Second>>& pairs) {
  std::vector<std::string> names;
  for (const auto& pair : pairs) names.push_back(pair.first);
  return names;
}

std::vector<std::string> SecondNames(
    const std::vector<std::pair<std::string, std::string>>& pairs) {
  std::vector<std::string> names;
  for (const auto& pair : pairs) names.push_back(pair.second);
  return names;
}

Status CheckRead(const ReadOp& read) {
  if (read.kind.empty()) return Status::Invalid("kind must name a reader");
  if (!read.options.is_object()) return Status::Invalid("options must be an object");
  if (!read.batches.empty() && read.kind != "memory") {
    return Status::Invalid("batches are for the reader 'memory' only, not '", read.kind, "'");
  }
  if (read.columns) PENSTOCK_RETURN_NOT_OK(CheckUnique("columns", *read.columns));
  if (read.filter) PENSTOCK_RETURN_NOT_OK(ExpressionFromJson(*read.filter).status());
  PENSTOCK_RETURN_NOT_OK(AtLeast<int64_t>("row_limit", 0, read.row_limit));
  PENSTOCK_RETURN_NOT_OK(AtLeast<int64_t>("splits_at_once", 1, read.splits_at_once));
  return AtLeast<int64_t>("splits", 1, read.splits);
}

/// Returns whether a row may be missing for its functions' failing; other operators than functions
/// do not matter here.
bool LeavesRowsOut(std::span<const LogicalOp> ops) {
  return std::ranges::any_of(ops, [](const LogicalOp& op) {
    const auto* functions = std::get_if<FunctionsOp>(&op);
    if (functions != nullptr) return functions->options.errors.leave_rows_out();
    const auto* native = std::get_if<NativeOp>(&op);
    if (native != nullptr) return native->errors.leave_rows_out();
    const auto* combine = std::get_if<CombineOp>(&op);
    return combine != nullptr && std::ranges::any_of(combine->others, [](const auto& other) {
             return LeavesRowsOut(other->ops);
           });
  });
}

Status CheckFunctions(const FunctionsOp& op) {
  if (op.functions.empty()) return Status::Invalid("functions must hold at least one function");
  PENSTOCK_RETURN_NOT_OK(CheckWorkerOptions(op.options));
  const bool changes_rows = std::ranges::any_of(
      op.functions, [](const FunctionSpec& function) { return !function.keeps_rows; });
  if (op.options.by_length && changes_rows) {
    return Status::Invalid("by_length needs functions that keep the number of rows");
  }
  return Status::OK();
}

Status CheckSample(const SampleOp& sample) {
  if (sample.begin >= 0 && sample.begin <= sample.end && sample.end <= 1) return Status::OK();
  return Status::Invalid(
      fmt::format("begin and end must rise from 0 to 1, not {} and {}", sample.begin, sample.end));
}

Status CheckAssign(const AssignOp& assign) {
  PENSTOCK_RETURN_NOT_OK(CheckUnique("columns", FirstNames(assign.columns)));
  for (const auto& [name, expression] : assign.columns) {
    const Status status = ExpressionFromJson(expression).status();
    if (!status.ok()) return status.WithMessage("column '", name, "': ", status.message());
  }
  return Status::OK();
}

Status CheckNative(const NativeOp& op) {
  if (op.make == nullptr) return Status::Invalid("make must be a function");
  PENSTOCK_RETURN_NOT_OK(AtLeast<int64_t>("batch_rows", 1, op.batch_rows));
  PENSTOCK_RETURN_NOT_OK(CheckErrorOptions(op.errors));
  return AtLeast("threads", 0, op.threads);
}

Status CheckRepartition(const RepartitionOp& op) {
  if (op.blocks.has_value() == op.rows_per_block.has_value()) {
    return Status::Invalid("set either blocks or rows_per_block, not ",
                           op.blocks ? "both" : "neither");
  }
  PENSTOCK_RETURN_NOT_OK(AtLeast<int64_t>("blocks", 1, op.blocks));
  return AtLeast<int64_t>("rows_per_block", 1, op.rows_per_block);
}

Status CheckCombine(const CombineOp& op) {
  if (op.others.empty()) return Status::Invalid("others must hold at least one plan");
  for (const std::shared_ptr<const LogicalPlan>& other : op.others) {
    PENSTOCK_RETURN_NOT_OK(ValidatePlan(*other));
    if (std::holds_alternative<WriteOp>(other->ops.back())) {
      return Status::Invalid("others must not write");
    }
  }
  return AtLeast<int64_t>("row_limit", 0, op.row_limit);
}

Status CheckWrite(const WriteOp& write) {
  if (write.kind.empty()) return Status::Invalid("kind must name a writer");
  if (!write.options.is_object()) return Status::Invalid("options must be an object");
  return Status::OK();
}

Status CheckFields(const LogicalOp& op) {
  return std::visit(
      Overloaded{
          [](const ReadOp& read) { return CheckRead(read); },
          [](const FunctionsOp& functions) { return CheckFunctions(functions); },
          [](const NativeOp& native) { return CheckNative(native); },
          [](const ProjectOp& project) {
            return CheckUnique("columns", SecondNames(project.columns));
          },
          [](const DropOp&) { return Status::OK(); },
          [](const RenameOp& rename) {
            PENSTOCK_RETURN_NOT_OK(CheckUnique("columns", FirstNames(rename.columns)));
            return CheckUnique("new names", SecondNames(rename.columns));
          },
          [](const AssignOp& assign) { return CheckAssign(assign); },
          [](const FilterOp& filter) { return ExpressionFromJson(filter.expression).status(); },
          [](const SampleOp& sample) { return CheckSample(sample); },
          [](const LimitOp& limit) { return AtLeast<int64_t>("rows", 0, limit.rows); },
          [](const RepartitionOp& repartition) { return CheckRepartition(repartition); },
          [](const CombineOp& combine) { return CheckCombine(combine); },
          [](const WriteOp& write) { return CheckWrite(write); },
      },
      op);
}

Status CheckPlace(const LogicalPlan& plan, size_t index) {
  const LogicalOp& op = plan.ops[index];
  const auto end = plan.ops.begin() + static_cast<ptrdiff_t>(index);
  if (ReadsPositionsIn(op) && std::any_of(plan.ops.begin(), end, [](const LogicalOp& below) {
        return std::holds_alternative<CombineOp>(below);
      })) {
    return Status::Invalid(
        "rows of several data sets have no position together; put random() and "
        "monotonically_increasing_id() before union() and zip(), or call materialize() before "
        "them");
  }
  const auto* combine = std::get_if<CombineOp>(&op);
  if (combine != nullptr && combine->kind == CombineKind::kZip &&
      LeavesRowsOut(std::span(plan.ops).first(index + 1))) {
    return Status::Invalid(
        "rows would stand beside others than their own where one before them failed; put zip() "
        "before the function with on_error, or call materialize() and see to it yourself");
  }
  if (index == 0 && !std::holds_alternative<ReadOp>(op)) {
    return Status::Invalid("a plan must begin with a read");
  }
  if (index > 0 && std::holds_alternative<ReadOp>(op)) {
    return Status::Invalid("a read must be the first operator");
  }
  if (index + 1 < plan.ops.size() && std::holds_alternative<WriteOp>(op)) {
    return Status::Invalid("a write must be the last operator");
  }
  return Status::OK();
}

}  // namespace

bool FunctionsOp::keeps_each_row() const {
  return !options.errors.leave_rows_out() &&
         std::ranges::all_of(functions, &FunctionSpec::keeps_rows);
}

Status ValidatePlan(const LogicalPlan& plan) {
  if (plan.ops.empty()) return Status::Invalid("A plan must begin with a read; it is empty");
  for (size_t i = 0; i < plan.ops.size(); ++i) {
    Status status = CheckPlace(plan, i);
    if (status.ok()) status = CheckFields(plan.ops[i]);
    if (!status.ok()) {
      return status.WithMessage("Operator ", i, " of the plan, ", OpName(plan.ops[i]), ": ",
                                status.message());
    }
  }
  return Status::OK();
}

}  // namespace penstock
