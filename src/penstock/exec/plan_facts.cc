#include "penstock/exec/plan_facts.h"

#include <algorithm>

#include "penstock/block/unify.h"
#include "penstock/block/zip.h"
#include "penstock/exec/open_input.h"
#include "penstock/memory/machine.h"

namespace penstock {
namespace {

using Schemas = std::vector<std::shared_ptr<arrow::Schema>>;

Result<std::unique_ptr<Source>> SourceOf(const LogicalPlan& plan) {
  return OpenInput(std::get<ReadOp>(plan.ops.front()), ReadLimits{}, MachineProcessors());
}

Result<std::shared_ptr<arrow::Schema>> CombinedSchema(bool zips, const Schemas& inputs) {
  if (zips) return ZipSchemas(inputs);
  std::shared_ptr<arrow::Schema> schema = inputs.front();
  for (size_t i = 1; i < inputs.size(); ++i) {
    PENSTOCK_TRY(schema, UnifySchemas(schema, inputs[i]));
  }
  return schema;
}

/// Returns null where functions decide the columns of an input.
Result<std::shared_ptr<arrow::Schema>> SchemaOf(const CombineOp& op,
                                                std::shared_ptr<arrow::Schema> first) {
  Schemas inputs = {std::move(first)};
  for (const std::shared_ptr<const LogicalPlan>& other : op.others) {
    PENSTOCK_TRY(inputs.emplace_back(), KnownSchema(*other));
    if (inputs.back() == nullptr) return nullptr;
  }
  return CombinedSchema(op.kind == CombineKind::kZip, inputs);
}

bool KeepsColumns(const LogicalOp& op) {
  return std::holds_alternative<LimitOp>(op) || std::holds_alternative<RepartitionOp>(op) ||
         std::holds_alternative<WriteOp>(op);
}

bool KeepsRowCount(const LogicalOp& op) {
  if (const auto* native = std::get_if<NativeOp>(&op)) return native->keeps_each_row();
  if (const auto* functions = std::get_if<FunctionsOp>(&op)) {
    return functions->keeps_each_row();
  }
  return !std::holds_alternative<FilterOp>(op) && !std::holds_alternative<SampleOp>(op);
}

Result<std::optional<int64_t>> RowsOf(const CombineOp& op, std::optional<int64_t> rows) {
  for (const std::shared_ptr<const LogicalPlan>& other : op.others) {
    PENSTOCK_TRY(const std::optional<int64_t> more, KnownRows(*other));
    const bool zips = op.kind == CombineKind::kZip;
    // Inputs of a zip that differ are for the job to complain about.
    if (!rows || !more || (zips && *rows != *more)) return std::nullopt;
    if (!zips) *rows += *more;
  }
  return rows;
}

/// A physical plan whose readers and transforms are there.
struct RunningPlan {
  const PhysicalPlan& plan;
  std::span<Source* const> sources;
  std::span<const TransformChain> transforms;

  /// Returns the columns that a stage yields; null where functions decide them.
  Result<std::shared_ptr<arrow::Schema>> SchemaOf(size_t index) const {
    const Stage& stage = plan.stages[index];
    if (stage.kind == StageKind::kWork || stage.kind == StageKind::kNative) return nullptr;
    std::shared_ptr<arrow::Schema> schema;
    if (sources[index] != nullptr) {
      PENSTOCK_TRY(schema, sources[index]->ReadSchema());
    } else {
      PENSTOCK_TRY(const Schemas inputs, InputsOf(index));
      if (inputs.empty()) return nullptr;
      PENSTOCK_TRY(schema, CombinedSchema(stage.kind == StageKind::kZip, inputs));
    }
    if (schema == nullptr) return nullptr;
    return transforms[index].OutputSchema(std::move(schema));
  }

  /// Returns the columns of a stage's inputs; none where functions decide those of one.
  Result<Schemas> InputsOf(size_t index) const {
    Schemas inputs;
    for (const int input : plan.stages[index].inputs) {
      PENSTOCK_TRY(inputs.emplace_back(), SchemaOf(static_cast<size_t>(input)));
      if (inputs.back() == nullptr) return Schemas{};
    }
    return inputs;
  }
};

}  // namespace

Result<std::shared_ptr<arrow::Schema>> KnownSchema(const LogicalPlan& plan) {
  PENSTOCK_TRY(const std::unique_ptr<Source> source, SourceOf(plan));
  PENSTOCK_TRY(std::shared_ptr<arrow::Schema> schema, source->ReadSchema());
  for (size_t i = 1; i < plan.ops.size() && schema != nullptr; ++i) {
    const LogicalOp& op = plan.ops[i];
    if (std::holds_alternative<FunctionsOp>(op) || std::holds_alternative<NativeOp>(op)) {
      return nullptr;
    }
    if (KeepsColumns(op)) continue;
    if (const auto* combine = std::get_if<CombineOp>(&op)) {
      PENSTOCK_TRY(schema, SchemaOf(*combine, std::move(schema)));
      continue;
    }
    PENSTOCK_TRY(const std::unique_ptr<Transform> transform, MakeTransform(op));
    PENSTOCK_TRY(schema, transform->OutputSchema(schema));
  }
  return schema;
}

Result<std::optional<int64_t>> KnownRows(const LogicalPlan& plan) {
  const bool may_be_known = std::all_of(plan.ops.begin() + 1, plan.ops.end(), [](const auto& op) {
    return std::holds_alternative<LimitOp>(op) || std::holds_alternative<CombineOp>(op) ||
           KeepsRowCount(op);
  });
  if (!may_be_known) return std::nullopt;  // Files that a filter rules out are not opened.
  PENSTOCK_TRY(const std::unique_ptr<Source> source, SourceOf(plan));
  PENSTOCK_TRY(std::optional<int64_t> rows, source->CountRows());
  for (size_t i = 1; rows && i < plan.ops.size(); ++i) {
    const LogicalOp& op = plan.ops[i];
    if (const auto* limit = std::get_if<LimitOp>(&op)) {
      rows = std::min(*rows, limit->rows);
    } else if (const auto* combine = std::get_if<CombineOp>(&op)) {
      PENSTOCK_TRY(rows, RowsOf(*combine, rows));
    } else if (!KeepsRowCount(op)) {
      rows.reset();
    }
  }
  return rows;
}

Result<std::optional<int64_t>> KnownBlocks(const LogicalPlan& plan) {
  for (const LogicalOp& op : plan.ops) {
    if (std::holds_alternative<CombineOp>(op)) return std::nullopt;
    if (const auto* repartition = std::get_if<RepartitionOp>(&op)) return repartition->blocks;
  }
  PENSTOCK_TRY(const std::unique_ptr<Source> source, SourceOf(plan));
  int64_t blocks = 0;
  while (true) {
    PENSTOCK_TRY(const std::vector<Split> splits, source->NextSplits(1024));
    if (splits.empty()) return blocks;
    blocks += static_cast<int64_t>(splits.size());
  }
}

Result<std::vector<std::string>> FilesOf(const LogicalPlan& plan) {
  PENSTOCK_TRY(const std::unique_ptr<Source> source, SourceOf(plan));
  PENSTOCK_TRY(std::vector<std::string> files, source->Files());
  for (const LogicalOp& op : plan.ops) {
    const auto* combine = std::get_if<CombineOp>(&op);
    if (combine == nullptr) continue;
    for (const std::shared_ptr<const LogicalPlan>& other : combine->others) {
      PENSTOCK_TRY(const std::vector<std::string> more, FilesOf(*other));
      files.insert(files.end(), more.begin(), more.end());
    }
  }
  return files;
}

Result<std::shared_ptr<arrow::Schema>> SchemaWithoutRows(
    const PhysicalPlan& plan, std::span<Source* const> sources,
    std::span<const TransformChain> transforms) {
  return RunningPlan{plan, sources, transforms}.SchemaOf(plan.stages.size() - 1);
}

Result<std::shared_ptr<arrow::Schema>> SchemaOfUnion(const PhysicalPlan& plan, size_t stage,
                                                     std::span<Source* const> sources,
                                                     std::span<const TransformChain> transforms) {
  if (plan.stages[stage].kind == StageKind::kZip || plan.stages[stage].inputs.size() < 2) {
    return nullptr;
  }
  PENSTOCK_TRY(const Schemas inputs, (RunningPlan{plan, sources, transforms}.InputsOf(stage)));
  const auto differs = [&](const auto& schema) {
    return !schema->Equals(*inputs.front(), /*check_metadata=*/false);
  };
  if (inputs.empty() || std::ranges::none_of(inputs, differs)) return nullptr;
  return CombinedSchema(/*zips=*/false, inputs).ValueOr(nullptr);
}

}  // namespace penstock
