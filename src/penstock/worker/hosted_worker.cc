#include "penstock/worker/hosted_worker.h"

#include <fmt/format.h>
#include <signal.h>

namespace penstock {

void HostedWorker::Kill(KillReason why) {
  std::shared_ptr<Process> running;
  {
    MutexLock lock(mutex_);
    if (!kill_wanted_) kill_wanted_ = why;
    running = launched_.process;
  }
  if (running != nullptr) running->Kill(std::move(why));
}

void HostedWorker::SetLaunched(Launched launched, MemoryKills::Mark mark) {
  MutexLock lock(mutex_);
  if (launched_.process != nullptr) return;
  launched_ = std::move(launched);
  memory_mark_ = std::move(mark);
  if (kill_wanted_) launched_.process->Kill(*kill_wanted_);
}

std::shared_ptr<Process> HostedWorker::process() const {
  MutexLock lock(mutex_);
  return launched_.process;
}

bool HostedWorker::is_thread() const {
  MutexLock lock(mutex_);
  return launched_.kind == LaunchKind::kThread;
}

std::optional<KillReason> HostedWorker::kill_wanted() const {
  MutexLock lock(mutex_);
  return kill_wanted_;
}

WorkerExit HostedWorker::Explain(MemoryKills* memory_kills) {
  const std::shared_ptr<Process> gone = process();
  if (gone == nullptr) return ExplainUnborn();
  WorkerExit exit = gone->Reap();
  exit.process = gone->id();
  const std::optional<KillReason> why = gone->kill_reason();
  const int64_t open = connection.open_batches();
  const bool stopping = connection.stopping();
  if (exit.signal == SIGKILL && why && why->cause != ExitCause::kOutOfMemory && is_thread() &&
      !kill_wanted()) {
    exit.cause = ExitCause::kKilled;  // It was another worker of its process that was to be.
    exit.reason = fmt::format("ended with its process, which {}", why->text);
  } else if (exit.signal == SIGKILL && why) {
    exit.cause = why->cause;
    exit.reason = why->text;
  } else if (exit.signal == SIGKILL && TakeMemoryKill(memory_kills)) {
    const KillReason want{.cause = ExitCause::kOutOfMemory,
                          .text = "was killed by the kernel for want of memory (signal 9)"};
    gone->Kill(want);  // For other workers of the process, which are told next.
    exit.cause = want.cause;
    exit.reason = want.text;
  } else if (!violation.empty()) {
    exit.reason += fmt::format(" after it {}", violation);
  } else if (exit.signal == 0 && exit.exit_code == 0) {
    if (stopping && open == 0) exit.cause = ExitCause::kStopped;
    if (!stopping) exit.reason += " without being told to stop";
    if (stopping && open > 0) exit.reason += fmt::format(" without answering {} batches", open);
  }
  if (exit.clean()) return exit;
  gone->output()->Finish();
  exit.last_words = gone->output()->LastWords();
  return exit;
}

/// Says of a worker that never was a process why it is gone.
WorkerExit HostedWorker::ExplainUnborn() {
  if (!start_failure.empty()) {
    return {.cause = ExitCause::kNotStarted,
            .reason = fmt::format("could not be started: {}", start_failure)};
  }
  const std::optional<KillReason> why = kill_wanted();
  if (why) return {.cause = why->cause, .reason = why->text};
  return {.cause = ExitCause::kStopped, .reason = "was stopped before it was started"};
}

bool HostedWorker::TakeMemoryKill(MemoryKills* memory_kills) {
  MutexLock lock(mutex_);
  return memory_kills->TakeKill(memory_mark_);
}

}  // namespace penstock
