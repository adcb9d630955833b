#include "penstock/worker/spawner.h"

#include <signal.h>

#include <utility>

namespace penstock {

Spawner::Spawner() : thread_([this] { Run(); }) {}

Spawner::~Spawner() {
  {
    MutexLock lock(mutex_);
    closed_ = true;
    wished_.NotifyAll();
  }
  thread_.join();
}

Result<std::unique_ptr<Process>> Spawner::Spawn(const WorkerCommand& command,
                                                const GivenDescriptors& given) {
  Wish wish{.command = command, .given = given, .process = Status::Cancelled("not started")};
  MutexLock lock(mutex_);
  wishes_.push_back(&wish);
  wished_.NotifyAll();
  while (!wish.fulfilled) fulfilled_.Wait(mutex_);
  return std::move(wish.process);
}

void Spawner::Run() {
  sigset_t all;
  sigfillset(&all);
  ::pthread_sigmask(SIG_BLOCK, &all, nullptr);  // The program's signals are for its own threads.
  while (true) {
    Wish* wish = nullptr;
    {
      MutexLock lock(mutex_);
      while (wishes_.empty() && !closed_) wished_.Wait(mutex_);
      if (wishes_.empty()) return;
      wish = wishes_.front();
      wishes_.pop_front();
    }
    Result<std::unique_ptr<Process>> process = SpawnedProcess::Start(wish->command, wish->given);
    MutexLock lock(mutex_);
    wish->process = std::move(process);
    wish->fulfilled = true;
    fulfilled_.NotifyAll();
  }
}

}  // namespace penstock
