#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "penstock/base/status.h"
#include "penstock/plan/logical.h"
#include "penstock/plan/rules.h"

namespace penstock {

enum class StageKind : uint8_t {
  kRead,     // Splits to blocks; the first stage, and only that.
  kRegroup,  // Cuts rows into blocks anew, on the native pool.
  kWork,     // Batches through worker processes.
  kWrite,    // Blocks to part files; the last stage.
  kCollect,  // Blocks to the caller; the last stage.
};

/// A stage: one kind of task with one queue before it. Row-wise native operators never make a
/// stage of their own: they run on each block that the stage before them yields ("transforms").
struct Stage {
  std::string name;
  StageKind kind = StageKind::kRead;
  std::optional<ReadOp> read;                  // kRead
  std::optional<FunctionsOp> functions;        // kWork
  std::optional<RepartitionOp> repartition;    // kRegroup
  std::optional<WriteOp> write;                // kWrite
  std::vector<LogicalOp> transforms;           // Project, Drop, Rename, Filter: applied to output.
  std::optional<int64_t> row_limit;            // On the output, in order, after transforms.
  int workers = 0;                             // kWork
};

struct PhysicalPlan {
  std::vector<Stage> stages;
};

/// What the machine offers, as the planner sees it.
struct MachineResources {
  int processors = 1;
  double gpus = 0;
};

/// Turns a rewritten logical plan into stages. A plan without WriteOp ends in kCollect.
/// kUnplaceable when a stage asks for what the machine does not have, naming stage and resource.
Result<PhysicalPlan> MakePhysicalPlan(const LogicalPlan& plan, const MachineResources& machine);

/// Returns the three parts that explain() shows: the plan as written, the rules that changed it,
/// the stages that will run.
Result<std::string> ExplainPlan(const LogicalPlan& plan, const TraitsOf& traits,
                                const MachineResources& machine);

}  // namespace penstock
