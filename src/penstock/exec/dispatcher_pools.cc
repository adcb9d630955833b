#include <algorithm>
#include <cmath>

#include "penstock/exec/dispatcher_machine.h"

namespace penstock::dispatch {

/// Lets workers come and go once the steps that can start have started: who is idle now has
/// nothing to do.
void StateMachine::ManageWorkers() {
  bool any = false;
  for (const auto& stage : stages_) {
    if (stage->native() || stage->done) continue;
    any = true;
    RenewWorkers(*stage);
    StopLeaving(*stage);
  }
  if (any && !finished_) FillPools();
}

/// Whether a worker of the stage must go before its successor can come.
bool StateMachine::MakesWay(const StageState& stage) const {
  return !stage.limits.overlaps_successor || !resources_.Fits(stage.limits.needs) ||
         stage.FreePlace() < 0;
}

/// Returns how many batches last as long as a successor takes to come up.
int64_t StateMachine::Lead(const StageState& stage) const {
  if (MakesWay(stage) || stage.starts_seen == 0 || stage.tasks_done == 0) return 0;
  const double start_ns = static_cast<double>(stage.starts_ns) / stage.starts_seen;
  const double batch_ns =
      static_cast<double>(stage.steps_busy_ns) / static_cast<double>(stage.tasks_done);
  const double wanted = std::min(std::ceil(start_ns / std::max(batch_ns, 1.0)), 1e9);
  return std::clamp<int64_t>(static_cast<int64_t>(wanted), 0,
                             stage.limits.max_batches_per_worker - 1);
}

bool StateMachine::IsDue(const StageState& stage, const Worker& worker) const {
  if (worker.is_large) return true;
  const int64_t batches_max = stage.limits.max_batches_per_worker;
  return batches_max > 0 && worker.batches + Lead(stage) >= batches_max;
}

/// Sees to it that workers which are due to go get a successor, and go at once where that would not
/// fit beside them.
void StateMachine::RenewWorkers(StageState& stage) {
  if (stage.starts_no_more()) return;
  for (size_t index = 0; index < stage.workers.size(); ++index) {
    const Worker& worker = stage.workers[index];
    if (worker.state != WorkerState::kUp) continue;
    const bool is_due = !worker.outgoing() && IsDue(stage, worker);
    const bool is_used_up = stage.limits.max_batches_per_worker > 0 && worker.tasks == 0 &&
                            worker.batches >= stage.limits.max_batches_per_worker;
    if (!is_due && !(is_used_up && !worker.leaves)) continue;
    if (is_due) ++stage.recycled;
    SetOutgoing(stage, static_cast<WorkerIndex>(index), MakesWay(stage) || is_used_up);
  }
}

void StateMachine::StopLeaving(StageState& stage) {
  if (stage.workers_outgoing == 0) return;
  for (size_t index = 0; index < stage.workers.size(); ++index) {
    const Worker& worker = stage.workers[index];
    if (worker.leaves && worker.tasks == 0) StopOne(stage, static_cast<WorkerIndex>(index));
  }
}

bool StateMachine::MayStart(const StageState& stage) const {
  return !stage.done && stage.wants_workers() && stage.pool() < stage.target &&
         stage.FreePlace() >= 0 && resources_.Fits(stage.limits.needs);
}

bool StateMachine::LacksWorker(const StageState& stage) const {
  const bool has_work = stage.has_gathered() || !stage.again.empty();
  return !stage.native() && !stage.done && has_work && stage.pool() == 0 && stage.target > 0;
}

/// Whether the stage has something that may run, and nobody who could.
bool StateMachine::Starves(const StageState& stage) const {
  if (!LacksWorker(stage)) return false;
  return Admits(stage, stage.again.empty() ? stage.next_start : *stage.again.begin());
}

/// Starts a worker or, where it does not fit, sees to it that it will.
void StateMachine::StartOrMakeRoom(StageState& stage) {
  if (MayStart(stage)) {
    StartOne(stage);
  } else {
    MakeRoomFor(stage);
  }
}

/// Starts workers: for stages that starve first, then for those that will once there is room, the
/// last stage before the others, as ForceStep goes; then one a stage before any gets its second.
/// Nobody takes what a stage before it in this order still waits for.
void StateMachine::FillPools() {
  std::vector<const StageState*> waiting;
  const auto start = [&](StageState& stage) {
    const bool takes_away = std::ranges::any_of(waiting, [&](const StageState* other) {
      return resources_.Compete(other->limits.needs, stage.limits.needs);
    });
    if (takes_away || !MayStart(stage)) return false;
    StartOne(stage);
    return true;
  };
  for (size_t index = stages_.size(); index-- > 0;) {
    StageState& stage = *stages_[index];
    if (!Starves(stage) || start(stage)) continue;
    MakeRoomFor(stage);
    waiting.push_back(&stage);
  }
  for (size_t index = stages_.size(); index-- > 0;) {
    StageState& stage = *stages_[index];
    if (LacksWorker(stage) && IsWanted(stage) && !start(stage)) waiting.push_back(&stage);
  }
  int target_most = 0;
  for (const auto& stage : stages_) target_most = std::max(target_most, stage->target);
  for (int round = 1; round <= target_most; ++round) {
    for (const auto& stage : stages_) {
      if (!stage->native() && stage->pool() < round) start(*stage);
    }
  }
}

/// Has another stage give up what this one starves for: a worker of it that is idle, or one of
/// several once it is.
void StateMachine::MakeRoomFor(const StageState& stage) {
  std::vector<StageState*> holders;
  for (const auto& other : stages_) {
    const bool holds = other.get() != &stage && !other->native() &&
                       resources_.Contend(stage.limits.needs, other->limits.needs);
    if (!holds) continue;
    for (const Worker& worker : other->workers) {
      if (worker.state == WorkerState::kStopping || worker.leaves) return;  // Room is on its way.
    }
    holders.push_back(other.get());
  }
  for (StageState* holder : holders) {
    for (size_t index = 0; index < holder->workers.size(); ++index) {
      const Worker& worker = holder->workers[index];
      if (worker.state != WorkerState::kUp || worker.tasks > 0) continue;
      return StopOne(*holder, static_cast<WorkerIndex>(index));
    }
  }
  for (StageState* holder : holders) {
    if (holder->pool() > 1) return LetOneGo(*holder);
  }
}

/// Has the worker leave that has the fewest tasks.
void StateMachine::LetOneGo(StageState& stage) {
  WorkerIndex least = -1;
  for (size_t index = 0; index < stage.workers.size(); ++index) {
    const Worker& worker = stage.workers[index];
    if (worker.state != WorkerState::kUp || worker.leaves) continue;
    if (least < 0 || worker.tasks < stage.workers[least].tasks) {
      least = static_cast<WorkerIndex>(index);
    }
  }
  if (least >= 0) SetOutgoing(stage, least, /*leaves=*/true);
}

/// Lets an elastic pool grow or shrink.
void StateMachine::Resize(StageState& stage) {
  if (!stage.pool_size.elastic() || stage.starts_no_more()) return;
  int changing = stage.workers_starting + stage.workers_outgoing;
  for (const Worker& worker : stage.workers) {
    if (worker.state == WorkerState::kStopping) ++changing;
  }
  const PoolSize::Wish wish =
      stage.pool_size.Decide({.now_ns = now_ns_,
                              .up = stage.workers_up,
                              .changing = changing,
                              .ready = stage.at_hand(),
                              .in_flight = stage.limits.in_flight_per_worker,
                              .idle_ns = stage.time.idle_ns,
                              .rows_done = stage.rows_done});
  if (wish == PoolSize::Wish::kGrow && stage.pool() == stage.target) ++stage.target;
  if (wish != PoolSize::Wish::kShrink) return;
  stage.target = std::max(1, stage.target - 1);
  if (stage.pool() > stage.target) LetOneGo(stage);
}

}  // namespace penstock::dispatch
