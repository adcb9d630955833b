#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "penstock/base/status.h"
#include "penstock/plan/logical.h"
#include "penstock/plan/rules.h"

namespace penstock {

enum class StageKind : uint8_t {
  kRead,     // Splits to blocks; the first stage, and only that.
  kRegroup,  // Cuts rows into blocks anew, on the native pool; or lets them pass, of several
             // inputs.
  kWindow,   // Sorts the rows of a window by length and cuts them into batches, on the native pool.
  kRestore,  // Puts the rows of a window back into their order, on the native pool.
  kZip,      // Puts the rows of several inputs side by side, on the native pool.
  kNative,   // Batches through C++ functions, on the native pool.
  kWork,     // Batches through worker processes.
  kWrite,    // Blocks to part files; the last stage.
  kCollect,  // Blocks to the caller; the last stage.
};

/// A stage: one kind of task with one queue before it. The stages are a tree, each behind those
/// that lead to it and each but the last the input of one. Row-wise native operators never make a
/// stage of their own: they run on each block that the stage before them yields ("transforms").
///
/// A stage's row limit comes after its transforms. So a filter that follows a limit begins a new
/// kRegroup stage whose `repartition` asks for neither blocks nor rows: each block passes through
/// as it is, and the filter is that stage's transform. So does an assignment, which could fail for
/// rows that lie beyond the limit.
/// How windows of rows are cut into batches of like length.
struct WindowPlan {
  LengthGrouping grouping;
  int64_t rows = 0;        // Of a window.
  int64_t batch_rows = 0;  // Of a batch, at most; 0: its padded length alone decides.
};

struct Stage {
  std::string name;
  StageKind kind = StageKind::kRead;
  std::vector<int> inputs;                   // Stages by index; empty for kRead.
  std::optional<ReadOp> read;                // kRead
  std::optional<FunctionsOp> functions;      // kWork
  std::optional<NativeOp> native;            // kNative
  std::optional<RepartitionOp> repartition;  // kRegroup
  std::optional<WindowPlan> window;          // kWindow
  std::optional<WriteOp> write;              // kWrite
  std::vector<LogicalOp> transforms;         // Row-wise operators, applied to output.
  std::optional<int64_t> row_limit;          // On the output, in order, after transforms.
  int workers = 0;                           // kWork: at most.
  int workers_min = 0;                       // kWork
  int workers_initial = 0;                   // kWork

  /// Returns what becomes of rows for which its functions fail; the default, where it has none.
  ErrorOptions errors() const {
    if (functions) return functions->options.errors;
    return native ? native->errors : ErrorOptions{};
  }
};

struct PhysicalPlan {
  std::vector<Stage> stages;
};

/// What the machine offers, as the planner sees it.
struct MachineResources {
  int processors = 1;
  double gpus = 0;
  int64_t memory_bytes = 0;                            // 0: not known, so that nothing is refused.
  std::vector<std::pair<std::string, double>> others;  // The job's own kinds, by name.
};

/// Turns a rewritten logical plan into stages. A plan without WriteOp ends in kCollect.
///
/// Workers of a stage: `workers_max`, or as many as the machine has processors; fewer, but at
/// least one, where that many do not fit by what each asks for. Where `workers_min` is less, the
/// stage begins with `workers_initial`, or with as many as the machine has processors.
/// A function with `by_length` makes three stages: one that sorts windows, its own, and one that
/// restores the order; what follows is done there.
/// Invalid as ValidatePlan says. kUnplaceable when one worker asks for more than the machine has,
/// naming stage and resource.
Result<PhysicalPlan> MakePhysicalPlan(const LogicalPlan& plan, const MachineResources& machine);

/// Returns the three parts that explain() shows: the plan as written, the rules that changed it in
/// the order in which they first did, the stages that will run. Fails as MakePhysicalPlan does.
///
///   Plan
///     MapBatches(Model)
///     +- Limit(10)
///        +- Project(a)
///           +- Read(parquet)
///
///   Rules
///     push_limit
///     prune_columns
///
///   Stages
///     0 Read(parquet, columns=[a], row_limit=10), then Project(a), then the first 10 rows
///     1 MapBatches(Model), 2 workers, batches of 32 rows
///     2 Collect
Result<std::string> ExplainPlan(const LogicalPlan& plan, const TraitsOf& traits,
                                const MachineResources& machine);

}  // namespace penstock
