#include "penstock/runtime/scheduler_machine.h"

namespace penstock::runtime {
namespace {

constexpr double kTolerance = 1e-9;

}  // namespace

std::vector<Shortage> SchedulerMachine::ShortagesOf(uint64_t id) const {
  const auto found = tasks_.find(id);
  if (found == tasks_.end() || found->second.state != TaskState::kQueued) return {};
  const TaskSpec& spec = found->second.spec;
  if (spec.kind == TaskKind::kMethod) return {};
  const TaskShape& shape = shapes_[spec.shape];
  const std::vector<int> bundles = BundlesFor(shape);
  if (bundles.size() != 1) return {};  // Its group waits itself, or there are several ways.
  const ResourceBook& book = BookOf(shape, bundles.front());
  std::vector<Shortage> shortages;
  for (size_t i = kProcessorIndex + 1; i < shape.needs.size(); ++i) {
    if (shape.needs[i] <= book.left()[i] + kTolerance) continue;
    Shortage shortage{.resource = i, .lacking = shape.needs[i] - book.total()[i]};
    for (const auto& [number, worker] : workers_) {
      const double held = worker.lease < 0 ? 0 : shapes_[worker.lease].needs[i];
      const uint64_t holder = held > 0 ? HolderOf(worker) : 0;
      if (holder == 0 || &BookOf(shapes_[worker.lease], worker.bundle) != &book) continue;
      shortage.holders.push_back({holder, held});
      shortage.lacking += held;
    }
    if (shortage.lacking > kTolerance) shortages.push_back(std::move(shortage));
  }
  return shortages;
}

/// Returns the task, or the actor, whose end frees what a worker has; 0: it is about to be free.
uint64_t SchedulerMachine::HolderOf(const ScheduledWorker& worker) const {
  if (worker.killed || worker.state != WorkerState::kBusy) return 0;
  if (worker.actor != 0) return worker.actor;
  if (worker.sent.empty() || tasks_.at(worker.sent.front()).cancelled) return 0;
  return worker.sent.front();
}

}  // namespace penstock::runtime
