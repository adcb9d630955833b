#include <cmath>

#include "runtime/simulated_cluster.h"

namespace penstock::runtime {
namespace {

constexpr double kTolerance = 1e-6;

}  // namespace

void SimulatedCluster::Require(bool holds, const std::string& rule) {
  if (!holds && outcome_.violation.empty()) {
    outcome_.violation = rule + " (step " + std::to_string(outcome_.steps) + ")";
  }
}

void SimulatedCluster::CheckOrder(const SimulatedTask& task, int attempt) {
  SimulatedActor& actor = actors_.at(task.spec.actor);
  if (!actor.spec.in_order || attempt > 0) return;
  int64_t& last = actor.last_sent[task.spec.caller];
  Require(task.index > last, "calls of one caller are sent in order");
  last = task.index;
}

void SimulatedCluster::CheckResources() {
  const std::vector<double> available = scheduler_->available();
  std::vector<double> held(available.size(), 0.0);
  double debt = 0;
  for (const auto& [number, worker] : workers_) {
    if (!worker.leased) continue;
    if (worker.was_blocked) debt += worker.needs[kProcessorIndex];
    if (worker.group != 0 && !groups_.at(worker.group).removed) continue;
    for (size_t i = 0; i < worker.needs.size(); ++i) {
      if (i != kProcessorIndex || !worker.blocked) held[i] += worker.needs[i];
    }
  }
  for (const auto& [number, group] : groups_) {
    if (!group.ready || group.removed) continue;
    for (const std::vector<double>& bundle : group.bundles) {
      for (size_t i = 0; i < bundle.size(); ++i) held[i] += bundle[i];
    }
  }
  for (size_t i = 0; i < available.size(); ++i) {
    const double least = i == kProcessorIndex ? -debt : 0.0;
    Require(available[i] >= least - kTolerance, "nothing is oversold but for debt");
    Require(available[i] + held[i] <= options_.resources[i] + kTolerance,
            "what workers and groups have is not free");
  }
  CheckGroups();
}

void SimulatedCluster::CheckGroups() {
  for (const auto& [number, group] : groups_) {
    if (!group.ready || group.removed) continue;
    std::vector<double> free(options_.resources.size(), 0.0);
    std::vector<double> total(options_.resources.size(), 0.0);
    for (const auto& [other, worker] : workers_) {
      if (!worker.leased || worker.group != number) continue;
      for (size_t i = 0; i < worker.needs.size(); ++i) {
        if (i != kProcessorIndex || !worker.blocked) free[i] += worker.needs[i];
      }
    }
    for (size_t bundle = 0; bundle < group.bundles.size(); ++bundle) {
      const std::vector<double> left = scheduler_->AvailableIn(number, static_cast<int>(bundle));
      for (size_t i = 0; i < left.size(); ++i) {
        Require(i == kProcessorIndex || left[i] >= -kTolerance, "bundles are not oversold");
        free[i] += left[i];
        total[i] += group.bundles[bundle][i];
      }
    }
    for (size_t i = 0; i < total.size(); ++i) {
      Require(free[i] <= total[i] + kTolerance, "what workers have of a group is not free");
    }
  }
}

void SimulatedCluster::CheckEnd() {
  for (const auto& [id, task] : tasks_) {
    Require(task.ended, "task " + std::to_string(id) + " ends");
  }
  for (const auto& [number, actor] : actors_) {
    Require(actor.ended, "actor " + std::to_string(number) + " ends");
  }
  for (const auto& [number, group] : groups_) {
    Require(group.removed, "groups end with the program");
  }
  const std::vector<double> available = scheduler_->available();
  for (size_t i = 0; i < available.size(); ++i) {
    Require(std::abs(available[i] - options_.resources[i]) < kTolerance, "all is free at the end");
  }
  Require(static_cast<int64_t>(workers_.size()) <= options_.idle_kept, "few workers stay");
}

}  // namespace penstock::runtime
