#include "penstock/plan/physical.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "penstock/base/error.h"
#include "penstock/plan/overloaded.h"

namespace penstock {
namespace {

constexpr int64_t kWindowBatches = 32;     // So many batches a window, unless the user says so,
constexpr int64_t kWindowRowsMin = 2'048;  // but at least so many rows.

/// Something of which a worker asks for a part.
struct Asked {
  const char* what;
  std::string option;
  double each = 0;
  double available = 0;
  bool is_device = false;
};

std::vector<Asked> AskedFor(const WorkerOptions& options, const MachineResources& machine) {
  std::vector<Asked> asked = {
      {"processors", "num_cpus", options.processors.value_or(0), 1.0 * machine.processors},
      {"GPUs", "num_gpus", options.gpus, machine.gpus, /*is_device=*/true}};
  if (machine.memory_bytes > 0) {
    asked.push_back({"memory", "memory", 1.0 * options.memory_bytes, 1.0 * machine.memory_bytes});
  }
  for (const auto& [name, amount] : options.resources.items()) {
    const auto found =
        std::ranges::find(machine.others, name, &std::pair<std::string, double>::first);
    const double available = found == machine.others.end() ? 0 : found->second;
    asked.push_back({"of a resource", fmt::format("resources={{'{}': ...}}", name),
                     amount.get<double>(), available});
  }
  std::erase_if(asked, [](const Asked& one) { return one.each <= 0; });
  return asked;
}

/// Shares of a GPU do not reach from one to the next.
double HowManyFit(const Asked& asked) {
  constexpr double kTolerance = 1e-9;
  if (asked.is_device && asked.each < 1) {
    return std::floor(asked.available + kTolerance) * std::floor(1 / asked.each + kTolerance);
  }
  return std::floor(asked.available / asked.each + kTolerance);
}

Status CannotBePlaced(const std::string& stage, const Asked& asked) {
  if (asked.available <= 0) {
    return MakeError(
        ErrorKind::kUnplaceable,
        fmt::format("Stage {}: a worker asks for {}, and this machine has none; leave "
                    "out {}, it is {}",
                    stage, asked.is_device ? "a GPU" : "a resource", asked.option, asked.each));
  }
  return MakeError(ErrorKind::kUnplaceable,
                   fmt::format("Stage {}: a worker asks for more {} than this machine has; lower "
                               "{} to at most {}, it is {}",
                               stage, asked.what, asked.option, asked.available, asked.each));
}

/// Returns how many workers of the stage fit the machine: at least one, else kUnplaceable.
Result<double> WorkersThatFit(const std::string& stage, const WorkerOptions& options,
                              const MachineResources& machine) {
  double fit = HUGE_VAL;
  for (const Asked& asked : AskedFor(options, machine)) {
    const double workers = HowManyFit(asked);
    fit = std::min(fit, workers);
    if (workers < 1) return CannotBePlaced(stage, asked);
  }
  return options.threads && std::isfinite(fit) ? HUGE_VAL : fit;  // One process holds them all.
}

/// Sets how many workers the stage has.
Status SetWorkers(const WorkerOptions& options, const MachineResources& machine, Stage& stage) {
  PENSTOCK_TRY(const double fit, WorkersThatFit(stage.name, options, machine));
  const int processors = std::max(machine.processors, 1);
  const int unbounded = std::max({processors, options.workers_min, options.workers_initial});
  const int wanted = options.workers_max > 0 ? options.workers_max : unbounded;
  stage.workers = static_cast<int>(std::min<double>(wanted, fit));
  stage.workers_min = stage.workers_initial = stage.workers;
  if (options.workers_min == 0 || options.workers_min == wanted) return Status::OK();
  stage.workers_min = std::min(options.workers_min, stage.workers);
  const int first = options.workers_initial > 0 ? options.workers_initial
                                                : std::max(stage.workers_min, processors);
  stage.workers_initial = std::min(first, stage.workers);
  return Status::OK();
}

int64_t WindowRows(const WorkerOptions& options) {
  if (options.by_length->window_rows > 0) return options.by_length->window_rows;
  return std::max(kWindowRowsMin, kWindowBatches * options.batch_rows.value_or(0));
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
    const WorkerOptions& options = functions.options;
    if (options.by_length) {
      Begin(StageKind::kWindow, fmt::format("SortByLength({})", options.by_length->column)).window =
          WindowPlan{.grouping = *options.by_length,
                     .rows = WindowRows(options),
                     .batch_rows = options.batch_rows.value_or(0)};
    }
    Stage& stage = Begin(StageKind::kWork, name);
    stage.functions = functions;
    PENSTOCK_RETURN_NOT_OK(SetWorkers(options, machine_, stage));
    if (options.by_length) Begin(StageKind::kRestore, "RestoreOrder");
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
