#include "penstock/worker/launcher.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "penstock/worker/environment.h"
#include "penstock/worker/reception.h"
#include "penstock/worker/socket.h"

namespace penstock {
namespace {

constexpr int kPipeBytes = 1 << 20;          // The names of some 30,000 modules.
constexpr int kReapMillisecondsMax = 1'000;  // For workers whose template has died.

/// Makes the pipe by which the first worker teaches the template, and never waits for it.
Result<Pipe> MakeLessonPipe() {
  PENSTOCK_TRY(Pipe pipe, MakePipe());
  (void)::fcntl(pipe.in.get(), F_SETPIPE_SZ, kPipeBytes);  // A smaller one teaches less.
  MakeNonBlocking(pipe.in.get());
  return pipe;
}

/// Tells families apart; a small pool's, which has no template, from a large one's too.
std::string KeyOf(const WorkerCommand& command) {
  const bool is_alone = command.shared == WorkerSharing::kModel;
  const bool is_large = command.pool_workers >= kForkedPoolMin;
  return fmt::format("{}\n{}\n{}\n{}", is_alone ? command.pool : -1, is_large,
                     fmt::join(command.arguments, "\n"), fmt::join(command.environment, "\n"));
}

/// Kills a worker whose template, which would have reaped it, has died.
void EndOrphan(ForkedProcess& process, KillReason why) {
  process.Kill(std::move(why));
  pollfd ended{.fd = process.descriptor(), .events = POLLIN, .revents = 0};
  while (::poll(&ended, 1, kReapMillisecondsMax) < 0 && errno == EINTR) {
  }
}

}  // namespace

Launcher::~Launcher() {
  MutexLock lock(mutex_);
  for (const auto& [key, family] : families_) {
    if (family->process != nullptr) family->process->process().Kill();
    for (const auto& [worker, process] : family->forked) EndOrphan(*process, {});
  }
}

Result<Launched> Launcher::Launch(WorkerId worker, const WorkerCommand& command,
                                  OwnedDescriptor socket, const Segment& setup,
                                  int64_t setup_bytes) {
  MutexLock lock(mutex_);
  if (command.shared == WorkerSharing::kProcess) return LaunchThread(worker, command, socket);
  const auto [known, is_new] = families_.try_emplace(KeyOf(command));
  if (is_new) known->second = std::make_unique<Family>();
  Family& family = *known->second;
  if (is_new && !command.template_arguments.empty()) {
    if (command.shared == WorkerSharing::kModel) {
      StartBuilding(family, command, setup, setup_bytes);
    } else if (command.pool_workers >= kForkedPoolMin) {
      return SpawnFirst(family, command, socket);
    } else {
      family.why_spawned =
          fmt::format("fewer than {} start no sooner by being forked", kForkedPoolMin);
    }
  }
  if (family.state == FamilyState::kSpawning) {
    return SpawnWorker(command, {.socket = socket.get()}, family.why_spawned);
  }
  Waiting waiting{.worker = worker, .command = command, .socket = std::move(socket)};
  if (family.state == FamilyState::kLearning) {
    family.waiting.push_back(std::move(waiting));
  } else {
    AskFor(family, std::move(waiting));
  }
  return Launched{};
}

void Launcher::Close() {
  MutexLock lock(mutex_);
  closed_ = true;
  for (const auto& [key, family] : families_) {
    if (family->process != nullptr) family->process->process().Kill();
  }
}

bool Launcher::Cancel(WorkerId worker) {
  MutexLock lock(mutex_);
  for (const auto& [key, family] : families_) {
    const auto found = std::ranges::find(family->waiting, worker, &Waiting::worker);
    if (found == family->waiting.end()) continue;
    family->waiting.erase(found);
    return true;
  }
  return false;
}

bool Launcher::Leave(WorkerId worker) {
  MutexLock lock(mutex_);
  return std::ranges::any_of(thread_processes_,
                             [&](const auto& threads) { return threads->Leave(worker); });
}

void Launcher::Leaving(WorkerId worker) {
  MutexLock lock(mutex_);
  for (const auto& threads : thread_processes_) threads->MarkLeaving(worker);
}

void Launcher::Handle(const Watched& watched) {
  std::vector<Telling> to_tell;
  {
    MutexLock lock(mutex_);
    for (const auto& [key, family] : families_) {
      if (&watched < family->watched.begin() || &watched >= family->watched.end()) continue;
      HandleTemplate(*family, watched.kind);
    }
    HandleThreads(watched);
    to_tell = std::exchange(to_tell_, {});
  }
  for (const Telling& tell : to_tell) tell();
}

void Launcher::DropEnded() {
  MutexLock lock(mutex_);
  std::erase_if(thread_processes_, [](const auto& threads) { return threads->members().empty(); });
}

std::string Launcher::Summary() const {
  MutexLock lock(mutex_);
  return TextOf(launches_);
}

Result<std::unique_ptr<Process>> Launcher::Spawn(const WorkerCommand& command,
                                                 std::shared_ptr<WorkerLines> lines,
                                                 GivenDescriptors given) {
  PENSTOCK_RETURN_NOT_OK(lifeline_.status());
  given.lifeline = lifeline_->out.get();
  PENSTOCK_TRY(given.reception, Reception::WorkersEnd());
  WorkerCommand whole = command;
  SetVariables(command.own_environment, &whole.environment);
  ProcessOutput::Ends ends;
  PENSTOCK_TRY(std::shared_ptr<ProcessOutput> output,
               ProcessOutput::Make(command.name, std::move(lines), &ends));
  given.output = ends.output.get();
  given.errors = ends.errors.get();
  PENSTOCK_TRY(std::unique_ptr<Process> process, spawner_.Spawn(whole, given));
  process->SetOutput(std::move(output));
  return process;
}

LaunchCounts& Launcher::CountsOf(const WorkerCommand& command) {
  LaunchCounts& counts = launches_[command.pool];
  counts.pool_name = command.pool_name;
  return counts;
}

/// `why` it is not forked, where it might have been.
Result<Launched> Launcher::SpawnWorker(const WorkerCommand& command, GivenDescriptors given,
                                       const std::string& why) {
  LaunchCounts& counts = CountsOf(command);
  ++counts.spawned;
  if (!why.empty()) counts.why_spawned = why;
  PENSTOCK_TRY(std::shared_ptr<Process> process, Spawn(command, lines_, given));
  return Launched{.process = std::move(process), .kind = LaunchKind::kSpawned};
}

/// Gives the worker to the pool's process, or spawns that for it.
Result<Launched> Launcher::LaunchThread(WorkerId worker, const WorkerCommand& command,
                                        const OwnedDescriptor& socket) {
  for (const auto& threads : thread_processes_) {
    if (threads->pool() != command.pool || !threads->Join(worker, socket.get())) continue;
    ++CountsOf(command).threads;
    return Launched{.process = threads->process(), .kind = LaunchKind::kThread};
  }
  PENSTOCK_TRY(SocketPair low, MakeSocketPair());
  PENSTOCK_TRY(const OwnedDescriptor theirs, MoveUp(low.worker));
  WorkerCommand named = command;
  named.name = command.pool_name;
  PENSTOCK_TRY(Launched first,
               SpawnWorker(named, {.socket = socket.get(), .threads = theirs.get()}));
  first.kind = LaunchKind::kThread;
  thread_processes_.push_back(
      std::make_unique<ThreadProcess>(command.pool, first.process, std::move(low.engine), worker));
  const Status watched = thread_processes_.back()->Watch(poller_);
  if (watched.ok()) return first;
  Unwatch(poller_, *first.process);
  thread_processes_.pop_back();
  return watched;
}

/// Spawns the first worker of a family, and beside it the template that learns from it.
Result<Launched> Launcher::SpawnFirst(Family& family, const WorkerCommand& command,
                                      const OwnedDescriptor& socket) {
  Result<Pipe> pipe = MakeLessonPipe();
  const Status started =
      pipe.ok() ? StartTemplate(family, command, nullptr,  // The first worker prints what it does.
                                pipe->out.get())
                : pipe.status();
  if (!started.ok()) {
    family.why_spawned = started.message();
    return SpawnWorker(command, {.socket = socket.get()}, family.why_spawned);
  }
  family.state = FamilyState::kLearning;
  auto first = SpawnWorker(command, {.socket = socket.get(), .modules = pipe->in.get()});
  if (!first.ok()) family.state = FamilyState::kSpawning;
  return first;
}

/// Starts a template that builds the functions of which `setup` tells.
void Launcher::StartBuilding(Family& family, const WorkerCommand& command, const Segment& setup,
                             int64_t setup_bytes) {
  WorkerCommand named = command;
  named.name = command.pool_name;
  Status started = StartTemplate(family, named, lines_, -1);
  if (started.ok()) started = family.process->Build(setup, setup_bytes);
  if (started.ok()) {
    family.state = FamilyState::kLearning;
    family.builds = true;
    return;
  }
  DropTemplate(family);
  family.why_spawned = started.message();
}

Status Launcher::StartTemplate(Family& family, const WorkerCommand& command,
                               std::shared_ptr<WorkerLines> lines, int modules) {
  WorkerCommand forking = command;
  forking.arguments = command.template_arguments;
  forking.own_environment.clear();  // The first worker's.
  PENSTOCK_TRY(SocketPair sockets, MakeSocketPair());
  PENSTOCK_TRY(
      std::unique_ptr<Process> process,
      Spawn(forking, std::move(lines), {.socket = sockets.worker.get(), .modules = modules}));
  family.process = std::make_unique<TemplateProcess>(std::move(process), std::move(sockets.engine));
  const Status watched = WatchTemplate(family);
  if (!watched.ok()) DropTemplate(family);
  return watched;
}

Status Launcher::WatchTemplate(Family& family) {
  const Process& process = family.process->process();
  const std::array<int, 4> descriptors{family.process->socket(), process.descriptor(),
                                       process.output()->descriptor(StandardStream::kOutput),
                                       process.output()->descriptor(StandardStream::kErrors)};
  for (size_t i = 0; i < descriptors.size(); ++i) {
    PENSTOCK_RETURN_NOT_OK(WatchDescriptor(poller_, descriptors[i], &family.watched[i]));
  }
  return Status::OK();
}

void Launcher::DropTemplate(Family& family) {
  if (family.process == nullptr) return;
  Unwatch(poller_, family.process->process());
  (void)::epoll_ctl(poller_, EPOLL_CTL_DEL, family.process->socket(), nullptr);
  family.process = nullptr;
}

void Launcher::AskFor(Family& family, Waiting waiting) {
  ProcessOutput::Ends ends;
  Result<std::shared_ptr<ProcessOutput>> output =
      ProcessOutput::Make(waiting.command.name, lines_, &ends);
  Status asked = output.status();
  if (asked.ok()) {
    asked = family.process->Fork(waiting.worker, waiting.socket.get(), ends,
                                 waiting.command.own_environment);
  }
  if (!asked.ok()) return SpawnLater(std::move(waiting), asked.message());
  const WorkerId worker = waiting.worker;
  family.asked.emplace(worker, Asked{.waiting = std::move(waiting), .output = *std::move(output)});
}

/// Spawns what was to be forked.
void Launcher::SpawnLater(Waiting waiting, const std::string& why) {
  const WorkerId worker = waiting.worker;
  Result<Launched> spawned = Status::Cancelled("the worker host is closing");
  if (!closed_) spawned = SpawnWorker(waiting.command, {.socket = waiting.socket.get()}, why);
  to_tell_.push_back([this, worker, spawned = std::move(spawned)] {
    if (spawned.ok()) {
      events_.on_process(worker, *spawned);
    } else {
      events_.on_failure(worker, spawned.status());
    }
  });
}

void Launcher::HandleTemplate(Family& family, WatchedKind kind) {
  if (family.process == nullptr) return;
  Process& process = family.process->process();
  if (kind == WatchedKind::kOutput || kind == WatchedKind::kErrors) {
    return ReadStream(poller_, process, kind);
  }
  Receive(family);
  if (kind == WatchedKind::kProcess && family.process != nullptr) {
    EndTemplate(family, process.Reap().reason);
  }
}

void Launcher::HandleThreads(const Watched& watched) {
  for (const auto& threads : thread_processes_) {
    if (!threads->Owns(watched) || threads->members().empty()) continue;
    if (watched.kind != WatchedKind::kProcess) {
      ReadStream(poller_, *threads->process(), watched.kind);
      continue;
    }
    Unwatch(poller_, *threads->process());
    for (const WorkerId worker : threads->TakeMembers()) {
      TellEnded(worker, {.process = threads->process(), .kind = LaunchKind::kThread});
    }
  }
}

void Launcher::Receive(Family& family) {
  while (family.process != nullptr) {
    Result<std::optional<TemplateNews>> news = family.process->Receive();
    if (!news.ok()) return family.process->process().Kill();
    if (!*news) return;
    Take(family, std::move(**news));
  }
}

void Launcher::Take(Family& family, TemplateNews news) {
  switch (news.kind) {
    case FrameKind::kPrepared:
      if (family.state != FamilyState::kLearning) return;
      family.state = FamilyState::kForking;
      for (Waiting& waiting : std::exchange(family.waiting, {})) {
        AskFor(family, std::move(waiting));
      }
      return;
    case FrameKind::kRefused:
      StopForking(family, news.reason);
      return DropTemplate(family);  // It has forked nothing.
    case FrameKind::kForked:
    case FrameKind::kForkFailed:
      return TakeForked(family, std::move(news));
    default:
      return TakeEnded(family, news);
  }
}

void Launcher::TakeForked(Family& family, TemplateNews news) {
  const auto asked = family.asked.find(news.worker);
  if (asked == family.asked.end()) return;
  Asked answered = std::move(asked->second);
  family.asked.erase(asked);
  if (news.process == nullptr) {
    StopForking(family, news.reason);
    return SpawnLater(std::move(answered.waiting), family.why_spawned);
  }
  LaunchCounts& counts = CountsOf(answered.waiting.command);
  ++(family.builds ? counts.forked_built : counts.forked);
  const std::shared_ptr<ForkedProcess> process = std::move(news.process);
  process->SetOutput(std::move(answered.output));
  family.forked.emplace(news.worker, process);
  to_tell_.push_back([this, worker = news.worker, process] {
    events_.on_process(worker, {.process = process, .kind = LaunchKind::kForked});
  });
}

void Launcher::TakeEnded(Family& family, const TemplateNews& news) {
  const auto forked = family.forked.find(news.worker);
  if (forked == family.forked.end()) return;
  forked->second->SetExit(news.exit);
  TellEnded(news.worker, {.process = forked->second, .kind = LaunchKind::kForked});
  family.forked.erase(forked);
}

void Launcher::TellEnded(WorkerId worker, Launched launched) {
  to_tell_.push_back(
      [this, worker, launched = std::move(launched)] { events_.on_ended(worker, launched); });
}

/// From here on this family's workers are spawned.
void Launcher::StopForking(Family& family, const std::string& why) {
  family.state = FamilyState::kSpawning;
  family.why_spawned = why;
  for (Waiting& waiting : std::exchange(family.waiting, {})) SpawnLater(std::move(waiting), why);
}

/// The template has died: its workers die with it, and what it had not forked yet is spawned.
void Launcher::EndTemplate(Family& family, const std::string& why) {
  const std::string reason = fmt::format("the template process {}", why);
  DropTemplate(family);
  for (auto& [worker, process] : std::exchange(family.forked, {})) {
    EndOrphan(*process,
              {.cause = ExitCause::kSignal, .text = fmt::format("was killed because {}", reason)});
    process->SetExit({.cause = ExitCause::kSignal, .signal = SIGKILL});
    TellEnded(worker, {.process = process, .kind = LaunchKind::kForked});
  }
  for (auto& [worker, asked] : std::exchange(family.asked, {})) {
    SpawnLater(std::move(asked.waiting), reason);
  }
  StopForking(family, reason);
}

}  // namespace penstock
