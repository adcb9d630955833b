// What happens in the simulated world, before the dispatcher hears of it.
#include <algorithm>
#include <utility>

#include "exec/simulated_world.h"

namespace penstock {

bool SimulatedWorld::Happens(Event& event, int64_t life) {
  if (auto* up = std::get_if<WorkerUp>(&event)) {
    SimulatedWorker& worker = workers_[up->stage][up->worker];
    if (worker.life != life || worker.state == SimulatedWorker::State::kGone) return false;
    if (worker.state == SimulatedWorker::State::kStarting) {
      worker.state = SimulatedWorker::State::kUp;
      failed_builds_[up->stage] = killed_builds_[up->stage] = 0;
    }
  } else if (auto* stopped = std::get_if<WorkerStopped>(&event)) {
    SimulatedWorker& worker = workers_[stopped->stage][stopped->worker];
    if (worker.life != life) return false;
    worker.state = SimulatedWorker::State::kGone;
    for (const TaskId id : std::exchange(worker.tasks, {})) TaskEnds(stopped->stage, id);
  } else if (auto* died = std::get_if<WorkerDied>(&event)) {
    return DeathHappens(*died, life);
  } else if (auto* large = std::get_if<WorkerTooLarge>(&event)) {
    return workers_[large->stage][large->worker].life == life;
  } else if (auto* taken = std::get_if<BlockTaken>(&event)) {
    live_bytes_ -= blocks_.at(taken->block).size.bytes;
    blocks_.erase(taken->block);
  } else if (auto* step = std::get_if<StepDone>(&event)) {
    std::optional<Event> failure = FailureInsteadOf(*step, life);
    if (!failure) return StepHappens(*step, life);
    event = *std::move(failure);
    const auto* death = std::get_if<WorkerDied>(&event);
    return death == nullptr || DeathHappens(*death, life);
  } else if (auto* listed = std::get_if<SplitsListed>(&event)) {
    listing_out_[listed->stage] = false;
  } else if (std::holds_alternative<Tick>(event)) {
    ticked_ns_ = now_ns_;
  } else if (std::holds_alternative<OutputCommitted>(event)) {
    commit_out_ = false;
  }
  return true;
}

bool SimulatedWorld::StepHappens(StepDone& event, int64_t life) {
  const auto found = tasks_[event.stage].find(event.task);
  if (found == tasks_[event.stage].end()) return false;  // It went with its killed worker.
  SimulatedTask& task = found->second;
  if (task.lost) return false;
  if (task.worker >= 0) {
    const SimulatedWorker& worker = workers_[event.stage][task.worker];
    if (worker.killed || worker.life != life) return false;
  }
  task.step_out = false;
  --steps_;
  if (task.worker < 0) --native_steps_;
  reserved_bytes_ -= task.reserved;
  if (!task.outputs.empty()) {
    BlockAppears(event, task);
  } else {
    task.empty_step_left = false;
  }
  event.finished = task.outputs.empty() && !task.empty_step_left;
  if (job_.stages[event.stage].limits.role == StageRole::kRead && event.block) {
    event.rows_read = event.block->rows;
  }
  event.busy_ns = Random(job_.stages[event.stage].step_ns_max);
  if (task.part >= 0) {
    SimulatedPart& part = parts_[task.part];
    part.step_out = false;
    part.closed = task.closes_part;
  }
  const WorkerIndex worker = task.worker;
  if (task.abandoned) ReleasePieces(task);
  if (event.finished && !task.abandoned && Limits(event.stage).isolates_failures) {
    EndRange(event.stage, event.task, task);
  } else if (event.finished || (task.abandoned && worker < 0))
    TaskEnds(event.stage, event.task);
  if (worker >= 0) {
    SimulatedWorker& one = workers_[event.stage][worker];
    one.stepping = false;
    if (event.finished) one.tasks.pop_front();
    RunWorker(event.stage, worker);
  }
  return true;
}

void SimulatedWorld::BlockAppears(StepDone& event, SimulatedTask& task) {
  const SimulatedStage& stage = job_.stages[event.stage];
  SimulatedBlock block{.stage = event.stage, .rows = std::move(task.outputs.front())};
  task.outputs.pop_front();
  const int64_t rows = static_cast<int64_t>(block.rows.size());
  block.size = {next_block_++, rows, rows * stage.bytes_per_row + stage.bytes_per_block,
                stage.limits.role == StageRole::kRead ? task.chunk : -5};
  block.used.resize(block.rows.size());
  event.block = block.size;
  block.size.chunk = task.chunk;
  live_bytes_ += block.size.bytes;
  surprise_bytes_ += std::max<int64_t>(0, block.size.bytes - task.reserved);
  if (!task.abandoned) {
    int64_t& largest = largest_[event.stage];
    largest = learned_[event.stage] ? std::max(largest, block.size.bytes) : block.size.bytes;
    learned_[event.stage] = true;
    rows_yielded_[event.stage] += rows;
  }
  blocks_.emplace(block.size.block, std::move(block));
}

void SimulatedWorld::TaskEnds(StageIndex stage, TaskId id) {
  const auto found = tasks_[stage].find(id);
  if (found == tasks_[stage].end()) return;
  if (found->second.step_out) {
    --steps_;
    reserved_bytes_ -= found->second.reserved;
  }
  ReleasePieces(found->second);
  tasks_[stage].erase(found);
  ended_together_.insert({stage, id});
}

void SimulatedWorld::ReleasePieces(SimulatedTask& task) {
  for (const PieceRef& piece : std::exchange(task.pieces, {})) --blocks_.at(piece.block).readers;
}

void SimulatedWorld::RunWorker(StageIndex stage, WorkerIndex index) {
  SimulatedWorker& worker = workers_[stage][index];
  if (worker.stepping) return;
  if (worker.state == SimulatedWorker::State::kStopping) {
    const bool waits = !worker.tasks.empty() && tasks_[stage].at(worker.tasks.front()).step_out;
    if (worker.tasks.empty() || worker.killed || !waits) {
      if (!worker.killed) Post(Random(100), WorkerStopped{stage, index}, worker.life);
      worker.killed = true;
      return;
    }
  }
  if (worker.tasks.empty()) return;
  const TaskId front = worker.tasks.front();
  if (!tasks_[stage].at(front).step_out) return;
  worker.stepping = true;
  Post(Random(job_.stages[stage].step_ns_max), StepDone{stage, front, std::nullopt, false},
       worker.life);
}

}  // namespace penstock
