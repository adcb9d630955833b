#include "runtime/simulated_cluster.h"

#include <algorithm>
#include <utility>
#include <variant>

namespace penstock::runtime {
namespace {

constexpr int64_t kStepsMax = 200'000;

}  // namespace

SimulatedCluster::SimulatedCluster(uint64_t seed) : random_(seed) {
  options_.resources = {static_cast<double>(1 + Random(3)), static_cast<double>(Random(2)), 8};
  options_.starting_max = static_cast<int>(1 + Random(3));
  options_.idle_kept = static_cast<int>(Random(2));
  scheduler_ = Scheduler::Make(options_);
  const int64_t kinds = 1 + Random(4);
  for (int64_t i = 0; i < kinds; ++i) {
    const double processors = OneIn(4) ? 0 : OneIn(3) ? 0.5 : 1.0 + Random(1);
    std::vector<double> needs{std::min(processors, options_.resources[0]),
                              OneIn(4) ? std::min(1.0, options_.resources[1]) : 0.0,
                              static_cast<double>(OneIn(3) ? Random(8) : 0)};
    shapes_.push_back(scheduler_->ShapeOf(needs, static_cast<int>(Random(1))));
    needs_.push_back(std::move(needs));
  }
  to_submit_ = 10 + Random(90);
  short_tasks_ = OneIn(2);
  danger_ = OneIn(4) ? 0 : 5 + Random(60);
}

SimulationOutcome SimulatedCluster::Run() {
  Later(0, [this] { SubmitSomething(); });
  if (danger_ > 0) Later(Random(1'000'000), [this] { Disturb(); });
  while (outcome_.violation.empty()) {
    if (due_.empty() && !scheduler_->WantsTicks()) break;
    const int64_t next_tick_ns = now_ns_ + kTickNs;
    std::shared_ptr<Happening> happening;
    if (!due_.empty() && (!scheduler_->WantsTicks() || due_.top().at_ns <= next_tick_ns)) {
      now_ns_ = std::max(now_ns_, due_.top().at_ns);
      happening = due_.top().happening;
      due_.pop();
    } else {
      now_ns_ = next_tick_ns;
    }
    scheduler_->Tick(now_ns_);
    if (happening != nullptr) (*happening)();
    Settle();
    CheckResources();
    Require(++outcome_.steps < kStepsMax, "it comes to an end");
  }
  if (outcome_.violation.empty()) CheckEnd();
  return outcome_;
}

void SimulatedCluster::Later(int64_t delay_ns, Happening happening) {
  due_.push({now_ns_ + delay_ns, ++posted_, std::make_shared<Happening>(std::move(happening))});
}

// ---- What goes on in the world ------------------------------------------------------------------

void SimulatedCluster::SubmitSomething() {
  const int64_t burst = OneIn(3) ? 1 + Random(30) : 1;
  for (int64_t i = 0; i < burst && to_submit_ > 0; ++i, --to_submit_) {
    std::vector<uint64_t> live;
    for (const auto& [number, actor] : actors_) {
      if (actor.referenced) live.push_back(number);
    }
    if (groups_.size() < 8 && OneIn(10)) {
      SubmitGroup();
    } else if (live.size() < 3 && OneIn(12)) {
      SubmitActor();
    } else if (!live.empty() && OneIn(2)) {
      SubmitCall(live[static_cast<size_t>(Random(static_cast<int64_t>(live.size()) - 1))]);
    } else {
      SubmitFunction();
    }
  }
  if (to_submit_ > 0) return Later(Random(30'000'000), [this] { SubmitSomething(); });
  for (const auto& [number, actor] : actors_) {  // The program ends.
    Later(Random(100'000'000), [this, one = number] { Forget(one); });
  }
  for (const auto& [number, group] : groups_) {
    Later(Random(300'000'000), [this, one = number] { RemoveGroup(one); });
  }
}

/// Submits a placement group, and has it removed at some time.
void SimulatedCluster::SubmitGroup() {
  const GroupNumber number = ++last_id_;
  const int64_t bundles = 1 + Random(1);
  for (int64_t i = 0; i < bundles; ++i) {
    std::vector<double> bundle;
    for (const double there : options_.resources) {
      bundle.push_back(there / static_cast<double>(bundles) * (OneIn(3) ? 0.5 : 1.0));
    }
    groups_[number].bundles.push_back(std::move(bundle));
  }
  scheduler_->GroupSubmitted(number, groups_[number].bundles);
  if (OneIn(2)) Later(Random(400'000'000), [this, number] { RemoveGroup(number); });
}

void SimulatedCluster::RemoveGroup(GroupNumber number) {
  groups_.at(number).removed = true;
  scheduler_->GroupRemoved(number);
}

/// Returns a shape for a task, of the machine or of a group that is not removed.
ShapeNumber SimulatedCluster::AnyShape(SimulatedTask& task) {
  std::vector<GroupNumber> open;
  for (const auto& [number, group] : groups_) {
    if (!group.removed) open.push_back(number);
  }
  if (open.empty() || OneIn(2)) {
    const auto kind = static_cast<size_t>(Random(static_cast<int64_t>(shapes_.size()) - 1));
    task.needs = needs_[kind];
    return shapes_[kind];
  }
  task.group = open[static_cast<size_t>(Random(static_cast<int64_t>(open.size()) - 1))];
  const auto& bundles = groups_.at(task.group).bundles;
  const auto bundle = static_cast<size_t>(Random(static_cast<int64_t>(bundles.size()) - 1));
  task.needs = bundles[bundle];
  task.needs[kProcessorIndex] *= OneIn(4) ? 0 : OneIn(2) ? 0.5 : 1.0;
  if (OneIn(2)) task.needs.resize(1);
  const int chosen = OneIn(3) ? kAnyBundle : static_cast<int>(bundle);
  return scheduler_->ShapeOf(task.needs, 0, {.group = task.group, .bundle = chosen});
}

void SimulatedCluster::SubmitFunction() {
  SimulatedTask task;
  TaskSpec spec{.task = ++last_id_,
                .shape = AnyShape(task),
                .function = static_cast<uint64_t>(1 + Random(2)),
                .waits = OneIn(3),
                .max_retries = static_cast<int>(Random(3)),
                .max_calls = OneIn(6) ? 1 + static_cast<int>(Random(2)) : 0};
  if (OneIn(4)) spec.parent = AnyOpenTask();
  task.spec = spec;
  task.index = static_cast<int64_t>(last_id_);
  tasks_[spec.task] = task;
  scheduler_->TaskSubmitted(spec);
  AwaitObjects(spec);
}

void SimulatedCluster::SubmitActor() {
  const uint64_t number = ++last_id_;
  SimulatedTask task;
  TaskSpec spec{.task = ++last_id_,
                .kind = TaskKind::kConstructor,
                .shape = AnyShape(task),
                .actor = number,
                .waits = OneIn(4)};
  SimulatedActor& actor = actors_[number];
  actor.constructor = spec.task;
  actor.spec = {.max_restarts = static_cast<int>(Random(3)) - 1,
                .max_concurrency = OneIn(3) ? 3 : 1,
                .max_pending_calls = OneIn(8) ? 4 : -1};
  actor.spec.in_order = actor.spec.max_concurrency == 1;
  task.spec = spec;
  task.index = static_cast<int64_t>(last_id_);
  tasks_[spec.task] = task;
  scheduler_->ActorSubmitted(spec, actor.spec);
  AwaitObjects(spec);
}

void SimulatedCluster::SubmitCall(uint64_t actor) {
  const TaskSpec spec{.task = ++last_id_,
                      .kind = TaskKind::kMethod,
                      .actor = actor,
                      .caller = static_cast<uint32_t>(1 + Random(1)),
                      .waits = OneIn(4),
                      .max_retries = static_cast<int>(Random(2))};
  tasks_[spec.task] = {.spec = spec, .index = static_cast<int64_t>(last_id_)};
  scheduler_->TaskSubmitted(spec);
  AwaitObjects(spec);
}

void SimulatedCluster::AwaitObjects(const TaskSpec& spec) {
  if (!spec.waits) return;
  Later(Random(200'000'000), [this, task = spec.task] { scheduler_->TaskReady(task); });
}

uint64_t SimulatedCluster::AnyOpenTask() {
  std::vector<uint64_t> open;
  for (const auto& [id, task] : tasks_) {
    if (!task.ended && task.spec.kind != TaskKind::kConstructor) open.push_back(id);
  }
  if (open.empty()) return 0;
  return open[static_cast<size_t>(Random(static_cast<int64_t>(open.size()) - 1))];
}

/// Does something that nobody expects.
void SimulatedCluster::Disturb() {
  if (OneIn(3)) {
    if (const uint64_t task = AnyOpenTask()) {
      const auto flags = static_cast<uint32_t>(Random(3));
      for (auto& [id, other] : tasks_) {
        const bool is_meant = id == task || ((flags & kRecursive) != 0);
        if (is_meant && !other.ended) other.cancelled = true;
      }
      scheduler_->CancelTask(task, flags);
    }
  } else if (OneIn(3) && !actors_.empty()) {
    auto actor = actors_.begin();
    std::advance(actor, Random(static_cast<int64_t>(actors_.size()) - 1));
    if (OneIn(2)) {
      Forget(actor->first);
    } else {
      scheduler_->KillActor(actor->first, OneIn(2));
    }
  } else if (OneIn(4)) {
    scheduler_->StartAhead();
  } else if (!workers_.empty()) {
    auto worker = workers_.begin();
    std::advance(worker, Random(static_cast<int64_t>(workers_.size()) - 1));
    Die(worker->first, OneIn(4));
  }
  if (to_submit_ > 0) Later(danger_ * (1 + Random(2'000'000)), [this] { Disturb(); });
}

void SimulatedCluster::Forget(uint64_t number) {
  SimulatedActor& actor = actors_.at(number);
  if (std::exchange(actor.referenced, false)) scheduler_->ActorUnreferenced(number);
}

void SimulatedCluster::BeginNext(WorkerNumber number) {
  SimulatedWorker& worker = workers_.at(number);
  while (!worker.queue.empty() && static_cast<int>(worker.running.size()) < worker.concurrency) {
    const uint64_t task = worker.queue.front();
    worker.queue.pop_front();
    worker.running.insert(task);
    Work(number, task);
  }
}

/// Runs a task, which may wait for others for a while.
void SimulatedCluster::Work(WorkerNumber number, uint64_t task) {
  const int64_t ns = short_tasks_ && !OneIn(20) ? Random(900'000) : Random(80'000'000);
  const auto is_at_it = [this, number, task] {
    const auto found = workers_.find(number);
    return found != workers_.end() && found->second.running.contains(task);
  };
  if (OneIn(4)) {
    Later(ns / 3, [this, number, is_at_it] {
      if (!is_at_it()) return;
      SimulatedWorker& worker = workers_.at(number);
      worker.blocked = true;
      scheduler_->Blocked(number);
      if (worker.actor != 0) return;
      for (const uint64_t ahead : std::exchange(worker.queue, {})) {
        tasks_.at(ahead).worker = 0;
        scheduler_->TaskGivenBack(number, ahead);
      }
    });
    Later(ns / 2, [this, number, is_at_it] {
      if (!is_at_it() || !workers_.at(number).blocked) return;
      workers_.at(number).blocked = false;
      workers_.at(number).was_blocked = true;
      scheduler_->Unblocked(number);
    });
  }
  Later(ns, [this, number, task, is_at_it] {
    if (is_at_it()) Finish(number, task);
  });
}

void SimulatedCluster::Finish(WorkerNumber number, uint64_t id) {
  SimulatedWorker& worker = workers_.at(number);
  SimulatedTask& task = tasks_.at(id);
  if (danger_ > 0 && OneIn(danger_)) return Die(number, OneIn(3));
  worker.running.erase(id);
  if (std::exchange(worker.blocked, false)) {
    worker.was_blocked = true;
    scheduler_->Unblocked(number);
  }
  uint32_t flags = 0;
  if (danger_ > 0 && OneIn(danger_)) flags = kFailed;
  if (task.spec.kind != TaskKind::kConstructor && danger_ > 0 && OneIn(danger_)) {
    flags = kFailed | kRetryWanted;
  }
  if (task.spec.kind == TaskKind::kMethod && danger_ > 0 && OneIn(2 * danger_)) flags = kLeaving;
  if (task.cancelled && OneIn(2)) flags = kFailed | kWasCancelled;
  task.worker = 0;
  const bool was_ended = task.ended;
  const Answered answered = scheduler_->TaskDone(number, id, flags);
  Require(was_ended == (answered == Answered::kUnknown), "what is open is known, and no other");
  if (answered == Answered::kOver) {
    ++outcome_.returned;
    End(task);
  } else if (answered == Answered::kOpen && (flags & kRetryWanted) != 0) {
    ++task.charged;
  }
  BeginNext(number);
}

void SimulatedCluster::Die(WorkerNumber number, bool out_of_memory) {
  const auto found = workers_.find(number);
  if (found == workers_.end()) return;
  const SimulatedWorker worker = std::move(found->second);
  workers_.erase(found);
  if (!worker.up) --starting_;
  for (const uint64_t id : worker.running) {
    SimulatedTask& task = tasks_.at(id);
    task.worker = 0;
    if (task.ended) continue;
    if (out_of_memory && task.spec.kind == TaskKind::kFunction) {
      ++task.memory_kills;
    } else {
      ++task.charged;
    }
  }
  for (const uint64_t id : worker.queue) {
    tasks_.at(id).worker = 0;
    if (worker.actor != 0) ++tasks_.at(id).charged;
  }
  scheduler_->WorkerGone(number, {.text = "died", .out_of_memory = out_of_memory});
}

// ---- Actions ------------------------------------------------------------------------------------

void SimulatedCluster::Settle() {
  while (outcome_.violation.empty()) {
    const std::vector<Action> actions = scheduler_->TakeActions();
    if (actions.empty()) return;
    for (const Action& action : actions) {
      std::visit([this](const auto& one) { Do(one); }, action);
    }
  }
}

void SimulatedCluster::Do(const StartWorker& action) {
  Require(!workers_.contains(action.worker), "workers' numbers are new");
  Require(++starting_ <= options_.starting_max + 1, "few workers start at once");
  workers_[action.worker].environment = action.environment;
  Later(Random(50'000'000), [this, number = action.worker] {
    const auto found = workers_.find(number);
    if (found == workers_.end()) return;
    if (danger_ > 0 && OneIn(danger_)) return Die(number, false);
    found->second.up = true;
    --starting_;
    scheduler_->WorkerUp(number);
  });
}

void SimulatedCluster::Do(const RunTask& action) {
  const auto found = workers_.find(action.worker);
  Require(found != workers_.end() && found->second.up, "tasks run on workers that are up");
  if (!outcome_.violation.empty()) return;
  SimulatedWorker& worker = found->second;
  SimulatedTask& task = tasks_.at(action.task);
  Require(!worker.stopping, "workers that stop get nothing more");
  Require(!task.ended && task.worker == 0, "only what is open and runs nowhere else is run");
  Require(task.charged <= task.spec.max_retries || task.spec.kind == TaskKind::kConstructor,
          "nothing is repeated more often than it may be");
  Require(task.memory_kills <= kMemoryRetriesMax, "not even for want of memory");
  if (task.spec.kind == TaskKind::kMethod) {
    Require(worker.actor == task.spec.actor, "calls run on their actor's worker");
    CheckOrder(task, action.attempt);
  } else {
    Require(worker.leased != action.takes, "a lease begins with its first task");
    Require(!action.takes || worker.queue.size() + worker.running.size() == 0, "of none");
    if (action.takes) {
      worker.shape = task.spec.shape;
      worker.needs = task.needs;
      worker.group = task.group;
    }
    Require(task.group == 0 || groups_.at(task.group).ready,
            "groups run nothing before their turn");
    Require(task.group == 0 || !groups_.at(task.group).removed, "nor when they are removed");
    Require(worker.shape == task.spec.shape, "tasks share a lease with those of their shape");
    if (action.takes) worker.was_blocked = false;
    worker.leased = true;
  }
  if (task.spec.kind == TaskKind::kConstructor) {
    worker.actor = task.spec.actor;
    worker.concurrency = actors_.at(worker.actor).spec.max_concurrency;
  }
  task.worker = action.worker;
  worker.queue.push_back(action.task);
  Later(Random(100'000), [this, number = action.worker] {
    if (workers_.contains(number)) BeginNext(number);
  });
}

void SimulatedCluster::Do(const EndLease& action) {
  const auto found = workers_.find(action.worker);
  if (found == workers_.end()) return;  // It has ended.
  Require(found->second.leased, "a lease ends once");
  Require(found->second.running.empty(), "and not while something runs");
  found->second.leased = false;
}

void SimulatedCluster::Do(const StopWorker& action) {
  const auto found = workers_.find(action.worker);
  Require(found != workers_.end() && !found->second.stopping, "workers are stopped once");
  if (!outcome_.violation.empty()) return;
  found->second.stopping = true;
  const int64_t patience_ns = OneIn(6) ? 2 * kStopTimeNs : Random(50'000'000);
  Later(patience_ns, [this, number = action.worker] { Die(number, false); });
}

void SimulatedCluster::Do(const KillWorker& action) {
  const auto found = workers_.find(action.worker);
  Require(found != workers_.end() && !std::exchange(found->second.killed, true),
          "workers are killed once");
  Later(Random(5'000'000), [this, number = action.worker] { Die(number, false); });
}

void SimulatedCluster::Do(const InterruptTask& action) {
  Require(tasks_.at(action.task).worker == action.worker, "who has a task is told of its end");
}

void SimulatedCluster::Do(const TakeBack& action) {
  Later(Random(1'000'000), [this, action] {
    const auto found = workers_.find(action.worker);
    if (found == workers_.end()) return;
    for (const uint64_t task : action.tasks) {
      if (std::erase(found->second.queue, task) == 0) continue;
      tasks_.at(task).worker = 0;
      scheduler_->TaskGivenBack(action.worker, task);
    }
  });
}

void SimulatedCluster::Do(const EndTask& action) {
  SimulatedTask& task = tasks_.at(action.task);
  ++outcome_.failed;
  Require(action.error != SystemError::kCancelled || task.cancelled,
          "only what is cancelled ends so");
  Require(action.error != SystemError::kGroupRemoved || groups_.at(task.group).removed,
          "only with its group a task ends so");
  End(task);
}

void SimulatedCluster::Do(const EndActor& action) {
  Require(!std::exchange(actors_.at(action.actor).ended, true), "an actor ends once");
}

void SimulatedCluster::Do(const GroupReady& action) {
  SimulatedGroup& group = groups_.at(action.group);
  Require(!group.removed && !std::exchange(group.ready, true), "a group has its turn once");
}

void SimulatedCluster::End(SimulatedTask& task) {
  Require(!std::exchange(task.ended, true), "a task ends once");
}

}  // namespace penstock::runtime
