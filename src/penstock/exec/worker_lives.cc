#include "penstock/exec/worker_lives.h"

#include <utility>

namespace penstock {

void WorkerLives::Begin(WorkerIndex place, WorkerId life) {
  MutexLock lock(mutex_);
  places_[place] = {.life = life};
}

WorkerId WorkerLives::LifeIn(WorkerIndex place) const {
  MutexLock lock(mutex_);
  const auto found = places_.find(place);
  return found == places_.end() || found->second.is_over ? -1 : found->second.life;
}

bool WorkerLives::MarkReady(WorkerIndex place, WorkerId life) {
  MutexLock lock(mutex_);
  Place& one = places_[place];
  if (one.life != life || one.is_over) return false;
  one.is_ready = true;
  return true;
}

std::optional<WorkerLives::Stopped> WorkerLives::Stop(WorkerIndex place, bool awaits_exit) {
  MutexLock lock(mutex_);
  Place& one = places_[place];
  if (one.is_over) return std::nullopt;
  one.is_stopping = true;
  one.is_over = !awaits_exit;
  return Stopped{.life = one.life, .is_ready = one.is_ready};
}

bool WorkerLives::IsStopping(WorkerIndex place) const {
  MutexLock lock(mutex_);
  const auto found = places_.find(place);
  return found != places_.end() && found->second.is_stopping;
}

void WorkerLives::Foretell(WorkerId life, WorkerDied death) {
  MutexLock lock(mutex_);
  Place& one = places_[death.worker];
  if (one.life == life) one.foretold = std::move(death);
}

void WorkerLives::BeginAnswer(WorkerIndex place) {
  MutexLock lock(mutex_);
  ++places_[place].answers;
}

std::optional<Event> WorkerLives::EndAnswer(WorkerIndex place, WorkerId life) {
  MutexLock lock(mutex_);
  Place& one = places_[place];
  if (one.life != life) return std::nullopt;
  --one.answers;
  return one.answers > 0 ? std::nullopt : std::exchange(one.end, std::nullopt);
}

std::optional<Event> WorkerLives::Die(WorkerId life, WorkerDied death) {
  MutexLock lock(mutex_);
  Place& one = places_[death.worker];
  if (one.life != life || std::exchange(one.is_over, true)) return std::nullopt;
  if (one.foretold) {
    one.foretold->process = death.process;
    death = *std::exchange(one.foretold, std::nullopt);
  }
  Event end = one.is_stopping ? Event(WorkerStopped{death.stage, death.worker}) : Event(death);
  if (one.answers == 0) return end;
  one.end = std::move(end);
  return std::nullopt;
}

}  // namespace penstock
