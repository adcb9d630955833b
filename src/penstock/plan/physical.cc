#include "penstock/plan/physical.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "penstock/base/error.h"
#include "penstock/plan/overloaded.h"

namespace penstock {
namespace {

/// Returns how many workers fit when each needs `each` of `available`; 0 when not even one does.
double WorkersThatFit(double each, double available) {
  return each > 0 ? std::floor(available / each) : HUGE_VAL;
}

Status Unplaceable(const std::string& stage, const char* resource, const char* option, double asked,
                   double available) {
  return MakeError(ErrorKind::kUnplaceable,
                   fmt::format("Stage {}: a worker asks for more {} than this machine has; lower "
                               "{} to at most {}, it is {}",
                               stage, resource, option, available, asked));
}

Result<int> CountWorkers(const std::string& stage, const WorkerOptions& options,
                         const MachineResources& machine) {
  const double processors_each = options.processors.value_or(0);
  const double by_processors = WorkersThatFit(processors_each, machine.processors);
  const double by_gpus = WorkersThatFit(options.gpus, machine.gpus);
  if (by_processors < 1) {
    return Unplaceable(stage, "processors", "num_cpus", processors_each, machine.processors);
  }
  if (by_gpus < 1) return Unplaceable(stage, "GPUs", "num_gpus", options.gpus, machine.gpus);
  const int wanted =
      options.workers_max > 0 ? options.workers_max : std::max(machine.processors, 1);
  return static_cast<int>(std::min({static_cast<double>(wanted), by_processors, by_gpus}));
}

/// Gathers stages, operator by operator.
class StageBuilder {
 public:
  explicit StageBuilder(const MachineResources& machine) : machine_(machine) {}

  Status AddAll(const LogicalPlan& plan) {
    for (const LogicalOp& op : plan.ops) PENSTOCK_RETURN_NOT_OK(Add(op));
    return Status::OK();
  }

  PhysicalPlan Finish() && {
    if (stages_.back().kind != StageKind::kWrite) Begin(StageKind::kCollect, "Collect");
    return PhysicalPlan{std::move(stages_)};
  }

 private:
  Status Add(const LogicalOp& op) {
    return std::visit(
        Overloaded{
            [&](const ReadOp& read) {
              Begin(StageKind::kRead, OpName(op)).read = read;
              return Status::OK();
            },
            [&](const FunctionsOp& functions) { return AddWork(OpName(op), functions); },
            [&](const NativeOp& native) {
              Begin(StageKind::kNative, OpName(op)).native = native;
              return Status::OK();
            },
            [&](const RepartitionOp& repartition) {
              Begin(StageKind::kRegroup, OpName(op)).repartition = repartition;
              return Status::OK();
            },
            [&](const WriteOp& write) {
              Begin(StageKind::kWrite, OpName(op)).write = write;
              return Status::OK();
            },
            [&](const LimitOp& limit) {
              std::optional<int64_t>& row_limit = stages_.back().row_limit;
              row_limit = std::min(row_limit.value_or(limit.rows), limit.rows);
              return Status::OK();
            },
            [&](const AssignOp&) { return AddChoosing(op); },
            [&](const CombineOp& combine) { return AddCombine(combine); },
            [&](const FilterOp&) { return AddChoosing(op); },
            [&](const SampleOp&) { return AddChoosing(op); },
            [&](const auto&) {
              stages_.back().transforms.push_back(op);
              return Status::OK();
            },
        },
        op);
  }

  int last_index() const { return static_cast<int>(stages_.size()) - 1; }

  /// Begins a stage whose input is the stage before; a reading one has none.
  Stage& Begin(StageKind kind, std::string name) {
    const int before = last_index();
    Stage& stage = stages_.emplace_back();
    stage.kind = kind;
    stage.name = std::move(name);
    if (kind != StageKind::kRead) stage.inputs = {before};
    return stage;
  }

  Status AddCombine(const CombineOp& op) {
    std::vector<int> inputs = {last_index()};
    for (const std::shared_ptr<const LogicalPlan>& other : op.others) {
      PENSTOCK_RETURN_NOT_OK(AddAll(*other));
      inputs.push_back(last_index());
    }
    const bool zips = op.kind == CombineKind::kZip;
    Stage& stage = Begin(zips ? StageKind::kZip : StageKind::kRegroup, OpName(op));
    if (!zips) stage.repartition = RepartitionOp{};
    stage.inputs = std::move(inputs);
    return Status::OK();
  }

  /// Adds a transform that drops rows, or that can fail for one: it must not see those beyond a
  /// limit below it.
  Status AddChoosing(const LogicalOp& op) {
    if (stages_.back().row_limit) {
      Begin(StageKind::kRegroup, "PassThrough").repartition = RepartitionOp{};
    }
    stages_.back().transforms.push_back(op);
    return Status::OK();
  }

  Status AddWork(const std::string& name, const FunctionsOp& functions) {
    PENSTOCK_TRY(const int workers, CountWorkers(name, functions.options, machine_));
    Stage& stage = Begin(StageKind::kWork, name);
    stage.functions = functions;
    stage.workers = workers;
    return Status::OK();
  }

  const MachineResources machine_;
  std::vector<Stage> stages_;
};

}  // namespace

Result<PhysicalPlan> MakePhysicalPlan(const LogicalPlan& plan, const MachineResources& machine) {
  PENSTOCK_RETURN_NOT_OK(ValidatePlan(plan));
  StageBuilder builder(machine);
  PENSTOCK_RETURN_NOT_OK(builder.AddAll(plan));
  return std::move(builder).Finish();
}

}  // namespace penstock
