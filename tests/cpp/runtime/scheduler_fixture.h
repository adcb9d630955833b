#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <memory>
#include <utility>
#include <variant>
#include <vector>

#include "penstock/runtime/scheduler.h"

namespace penstock::runtime {

/// A scheduler whose actions are kept by their kinds.
class SchedulerTest : public ::testing::Test {
 protected:
  void SetUp() override { Use({.resources = {2, 1, 8}, .starting_max = 4, .idle_kept = 2}); }

  void Use(SchedulerOptions options) {
    scheduler_ = Scheduler::Make(std::move(options));
    one_ = scheduler_->ShapeOf({1}, 0);
  }

  uint64_t Submit(TaskSpec spec) {
    spec.task = ++last_task_;
    scheduler_->TaskSubmitted(spec);
    return spec.task;
  }
  uint64_t Submit(ShapeNumber shape) { return Submit({.shape = shape, .function = 1}); }

  /// Carries actions out as far as workers go: each is up at once.
  void Settle() {
    while (true) {
      const std::vector<Action> actions = scheduler_->TakeActions();
      if (actions.empty()) return;
      for (const Action& action : actions) {
        Keep(action);
        const auto* start = std::get_if<StartWorker>(&action);
        if (start != nullptr && workers_start_) scheduler_->WorkerUp(start->worker);
      }
    }
  }
  void Keep(const Action& action) {
    if (const auto* one = std::get_if<StartWorker>(&action)) started_.push_back(*one);
    if (const auto* one = std::get_if<RunTask>(&action)) run_.push_back(*one);
    if (const auto* one = std::get_if<EndTask>(&action)) ended_.push_back(*one);
    if (const auto* one = std::get_if<StopWorker>(&action)) stopped_.push_back(one->worker);
    if (const auto* one = std::get_if<KillWorker>(&action)) killed_.push_back(one->worker);
    if (const auto* one = std::get_if<TakeBack>(&action)) taken_back_.push_back(*one);
    if (const auto* one = std::get_if<GroupReady>(&action)) groups_.push_back(one->group);
  }

  /// Returns the tasks that were run since the last call.
  std::vector<uint64_t> Run() {
    Settle();
    std::vector<uint64_t> tasks;
    for (const RunTask& run : run_) {
      tasks.push_back(run.task);
      worker_of_[run.task] = run.worker;
    }
    run_.clear();
    return tasks;
  }
  void Done(uint64_t task, uint32_t flags = 0) {
    scheduler_->TaskDone(worker_of_.at(task), task, flags);
  }
  void PassTime(int64_t ns) { scheduler_->Tick(now_ns_ += ns); }

  std::unique_ptr<Scheduler> scheduler_;
  ShapeNumber one_ = 0;  // A processor.
  uint64_t last_task_ = 0;
  bool workers_start_ = true;
  int64_t now_ns_ = 0;
  std::map<uint64_t, WorkerNumber> worker_of_;
  std::vector<StartWorker> started_;
  std::vector<RunTask> run_;
  std::vector<EndTask> ended_;
  std::vector<WorkerNumber> stopped_;
  std::vector<WorkerNumber> killed_;
  std::vector<TakeBack> taken_back_;
  std::vector<GroupNumber> groups_;  // That were ready, in order.
};

}  // namespace penstock::runtime
