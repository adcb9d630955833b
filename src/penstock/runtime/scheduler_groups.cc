#include <algorithm>
#include <utility>

#include "penstock/runtime/scheduler_machine.h"

namespace penstock::runtime {
namespace {

const char* const kRemoved = "has ended, as its placement group was removed";

}  // namespace

void SchedulerMachine::GroupSubmitted(GroupNumber number,
                                      const std::vector<std::vector<double>>& bundles) {
  const auto [added, is_new] = groups_.try_emplace(number);
  if (!is_new) return;
  ScheduledGroup& group = added->second;
  std::vector<double> all(book_.total().size(), 0.0);
  for (std::vector<double> bundle : bundles) {
    bundle.resize(all.size(), 0.0);
    for (size_t i = 0; i < all.size(); ++i) all[i] += bundle[i];
    group.bundles.emplace_back(std::move(bundle));
  }
  TaskSubmitted({.task = number, .kind = TaskKind::kGroup, .shape = ShapeOf(all, 0, {})});
}

/// A group has come to its turn: it has from here on what its bundles need.
void SchedulerMachine::MakeGroup(GroupNumber number, const TaskShape& shape) {
  book_.Take(shape.needs);
  groups_.at(number).is_ready = true;
  Forget(number);
  place_wanted_ = true;  // Its tasks may run.
  actions_.emplace_back(GroupReady{.group = number});
}

void SchedulerMachine::GroupRemoved(GroupNumber number) {
  const auto found = groups_.find(number);
  if (found == groups_.end() || found->second.removed) return;
  ScheduledGroup& group = found->second;
  group.removed = true;
  ++removed_groups_;
  place_wanted_ = true;
  if (!group.is_ready) Forget(number);
  for (const ResourceBook& bundle : group.bundles) {
    if (group.is_ready) book_.Give(bundle.left());
  }
  EndInGroup(number);
}

/// Ends the tasks and actors of a group; those that run with their workers.
void SchedulerMachine::EndInGroup(GroupNumber number) {
  std::vector<uint64_t> inside;
  for (const auto& [id, task] : tasks_) {
    const bool has_place =
        task.spec.kind == TaskKind::kFunction || task.spec.kind == TaskKind::kConstructor;
    if (has_place && shapes_[task.spec.shape].place.group == number) inside.push_back(id);
  }
  std::ranges::sort(inside);
  for (const uint64_t id : inside) {
    ScheduledTask& task = tasks_.at(id);
    if (task.spec.kind == TaskKind::kConstructor) {
      const uint64_t actor = task.spec.actor;
      const WorkerNumber worker = actors_.at(actor).worker;
      if (worker == 0) Withdraw(task);
      EndActorFor(actor, actors_.at(actor), SystemError::kActorDied, kRemoved);
      if (worker != 0) Kill(worker, workers_.at(worker), kRemoved);
    } else if (task.state == TaskState::kSent) {
      Kill(task.worker, workers_.at(task.worker), kRemoved);
    } else {
      EndHomeless(task);
    }
  }
}

bool SchedulerMachine::IsHomeless(const ScheduledTask& task) const {
  if (removed_groups_ == 0 || task.spec.kind == TaskKind::kMethod) return false;
  const GroupNumber group = shapes_[task.spec.shape].place.group;
  return group != 0 && groups_.at(group).removed;
}

/// Ends a task that was not sent, or whose worker is gone.
void SchedulerMachine::EndHomeless(ScheduledTask& task) {
  Withdraw(task);
  End(task.spec.task, SystemError::kGroupRemoved, "");
}

/// Forgets the groups that nobody draws from any more, and the shapes of their tasks.
void SchedulerMachine::ForgetRemovedGroups() {
  std::erase_if(groups_, [this](const auto& entry) {
    const ScheduledGroup& group = entry.second;
    if (!group.removed || group.leases > 0) return false;
    for (const ShapeNumber number : group.shapes) {
      const TaskShape& shape = shapes_[number];
      shape_numbers_.erase({shape.needs, shape.environment, shape.place});
      shapes_[number] = {};
      free_shapes_.push_back(number);
    }
    --removed_groups_;
    return true;
  });
}

const ResourceBook& SchedulerMachine::BookOf(const TaskShape& shape, int bundle) const {
  if (shape.place.group == 0) return book_;
  const ScheduledGroup& group = groups_.at(shape.place.group);
  return group.removed ? book_ : group.bundles[static_cast<size_t>(bundle)];
}

ResourceBook& SchedulerMachine::BookOf(const TaskShape& shape, int bundle) {
  return const_cast<ResourceBook&>(std::as_const(*this).BookOf(shape, bundle));
}

/// Returns the bundles that a shape may be drawn from; of the machine one, of any number.
std::vector<int> SchedulerMachine::BundlesFor(const TaskShape& shape) const {
  if (shape.place.group == 0) return {0};
  const ScheduledGroup& group = groups_.at(shape.place.group);
  if (!group.is_ready || group.removed) return {};
  if (shape.place.bundle != kAnyBundle) return {shape.place.bundle};
  std::vector<int> bundles;
  for (size_t i = 0; i < group.bundles.size(); ++i) {
    const std::vector<double> nothing(group.bundles[i].total().size(), 0.0);
    if (group.bundles[i].WouldFit(shape.needs, nothing)) bundles.push_back(static_cast<int>(i));
  }
  return bundles;
}

/// Returns the bundle that has now what a shape needs, 0 of the machine; -1: there is none.
int SchedulerMachine::RoomFor(const TaskShape& shape) const {
  if (shape.place.group == 0) return book_.Fits(shape.needs) ? 0 : -1;
  for (const int bundle : BundlesFor(shape)) {
    if (BookOf(shape, bundle).Fits(shape.needs)) return bundle;
  }
  return -1;
}

std::vector<double> SchedulerMachine::AvailableIn(GroupNumber group, int bundle) const {
  const auto found = groups_.find(group);
  if (found == groups_.end() || !found->second.is_ready || found->second.removed) return {};
  return found->second.bundles[static_cast<size_t>(bundle)].left();
}

}  // namespace penstock::runtime
