#include "penstock/worker/launcher.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

#include "penstock/worker/pipe.h"
#include "penstock/worker/socket.h"

namespace penstock {
namespace {

constexpr int kPipeBytes = 1 << 20;          // The names of some 30,000 modules.
constexpr int kReapMillisecondsMax = 1'000;  // For workers whose template has died.

Status LastError(const char* what) {
  return Status::IOError(what, ": ", std::generic_category().message(errno));
}

/// Makes the pipe by which the first worker teaches the template, and never waits for it.
Result<Pipe> MakeLessonPipe() {
  PENSTOCK_TRY(Pipe pipe, MakePipe());
  (void)::fcntl(pipe.in.get(), F_SETPIPE_SZ, kPipeBytes);  // A smaller one teaches less.
  MakeNonBlocking(pipe.in.get());
  return pipe;
}

Status Watch(int poller, int descriptor, Watched& watched) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.ptr = &watched;
  if (::epoll_ctl(poller, EPOLL_CTL_ADD, descriptor, &event) == 0) return Status::OK();
  return LastError("a template process cannot be watched");
}

std::string KeyOf(const WorkerCommand& command) {
  return fmt::format("{}\n{}", fmt::join(command.arguments, "\n"),
                     fmt::join(command.environment, "\n"));
}

/// Kills a worker whose template, which would have reaped it, has died.
void EndOrphan(ForkedProcess& process, KillReason why) {
  process.Kill(std::move(why));
  pollfd ended{.fd = process.descriptor(), .events = POLLIN, .revents = 0};
  while (::poll(&ended, 1, kReapMillisecondsMax) < 0 && errno == EINTR) {
  }
}

}  // namespace

void ReadStream(int poller, const Process& process, WatchedKind kind) {
  const StandardStream stream =
      kind == WatchedKind::kOutput ? StandardStream::kOutput : StandardStream::kErrors;
  ProcessOutput& output = *process.output();
  if (output.Read(stream)) return;
  (void)::epoll_ctl(poller, EPOLL_CTL_DEL, output.descriptor(stream), nullptr);
}

Launcher::~Launcher() {
  MutexLock lock(mutex_);
  for (const auto& [key, family] : families_) {
    if (family->process != nullptr) family->process->process().Kill();
    for (const auto& [worker, process] : family->forked) EndOrphan(*process, {});
  }
}

Result<std::shared_ptr<Process>> Launcher::Launch(WorkerId worker, const WorkerCommand& command,
                                                  OwnedDescriptor socket) {
  MutexLock lock(mutex_);
  const auto [known, is_new] = families_.try_emplace(KeyOf(command));
  if (is_new) {
    known->second = std::make_unique<Family>();
    known->second->command = command;
  }
  Family& family = *known->second;
  const bool has_template =
      !command.template_arguments.empty() && command.pool_workers >= kForkedPoolMin;
  if (is_new && has_template) return SpawnFirst(family, socket);
  if (family.state == FamilyState::kSpawning) {
    ++spawned_;
    return Spawn(command, lines_, {.socket = socket.get()});
  }
  Waiting waiting{.worker = worker, .command = command, .socket = std::move(socket)};
  if (family.state == FamilyState::kLearning) {
    family.waiting.push_back(std::move(waiting));
  } else {
    AskFor(family, std::move(waiting));
  }
  return nullptr;
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

void Launcher::Handle(const Watched& watched) {
  std::vector<Telling> to_tell;
  {
    MutexLock lock(mutex_);
    for (const auto& [key, family] : families_) {
      if (&watched < family->watched.begin() || &watched >= family->watched.end()) continue;
      HandleTemplate(*family, watched.kind);
    }
    to_tell = std::exchange(to_tell_, {});
  }
  for (const Telling& tell : to_tell) tell();
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

std::string Launcher::Summary() const {
  MutexLock lock(mutex_);
  if (spawned_ + forked_ == 0) return "";
  if (forked_ > 0) return fmt::format("{} spawned, {} forked", spawned_, forked_);
  return fmt::format("{} spawned{}{}", spawned_, why_spawned_.empty() ? "" : ": ", why_spawned_);
}

Result<std::unique_ptr<Process>> Launcher::Spawn(const WorkerCommand& command,
                                                 std::shared_ptr<WorkerLines> lines,
                                                 GivenDescriptors given) {
  ProcessOutput::Ends ends;
  PENSTOCK_TRY(std::shared_ptr<ProcessOutput> output,
               ProcessOutput::Make(command.name, std::move(lines), &ends));
  given.output = ends.output.get();
  given.errors = ends.errors.get();
  PENSTOCK_TRY(std::unique_ptr<Process> process, spawner_.Spawn(command, given));
  process->SetOutput(std::move(output));
  return process;
}

/// Spawns the first worker of a family, and beside it the template that learns from it.
Result<std::shared_ptr<Process>> Launcher::SpawnFirst(Family& family,
                                                      const OwnedDescriptor& socket) {
  ++spawned_;
  Result<Pipe> pipe = MakeLessonPipe();
  const Status started = pipe.ok() ? StartTemplate(family, pipe->out.get()) : pipe.status();
  if (!started.ok()) {
    why_spawned_ = started.message();
    return Spawn(family.command, lines_, {.socket = socket.get()});
  }
  family.state = FamilyState::kLearning;
  auto first = Spawn(family.command, lines_, {.socket = socket.get(), .modules = pipe->in.get()});
  if (!first.ok()) family.state = FamilyState::kSpawning;
  return first;
}

Status Launcher::StartTemplate(Family& family, int modules) {
  WorkerCommand command = family.command;
  command.arguments = command.template_arguments;
  PENSTOCK_TRY(SocketPair sockets, MakeSocketPair());
  PENSTOCK_TRY(std::unique_ptr<Process> process,
               Spawn(command, nullptr,  // The first worker prints what it does.
                     {.socket = sockets.worker.get(), .modules = modules}));
  family.process = std::make_unique<TemplateProcess>(std::move(process), std::move(sockets.engine));
  const Status watched = WatchTemplate(family);
  if (!watched.ok()) family.process = nullptr;
  return watched;
}

Status Launcher::WatchTemplate(Family& family) {
  const Process& process = family.process->process();
  const std::array<int, 4> descriptors{family.process->socket(), process.descriptor(),
                                       process.output()->descriptor(StandardStream::kOutput),
                                       process.output()->descriptor(StandardStream::kErrors)};
  for (size_t i = 0; i < descriptors.size(); ++i) {
    PENSTOCK_RETURN_NOT_OK(Watch(poller_, descriptors[i], family.watched[i]));
  }
  return Status::OK();
}

void Launcher::AskFor(Family& family, Waiting waiting) {
  ProcessOutput::Ends ends;
  Result<std::shared_ptr<ProcessOutput>> output =
      ProcessOutput::Make(waiting.command.name, lines_, &ends);
  const Status asked = output.ok()
                           ? family.process->Fork(waiting.worker, waiting.socket.get(), ends)
                           : output.status();
  if (!asked.ok()) return SpawnLater(std::move(waiting));
  const WorkerId worker = waiting.worker;
  family.asked.emplace(worker, Asked{.waiting = std::move(waiting), .output = *std::move(output)});
}

/// Spawns what was to be forked.
void Launcher::SpawnLater(Waiting waiting) {
  if (closed_) {
    to_tell_.push_back([this, worker = waiting.worker] {
      events_.on_failure(worker, Status::Cancelled("the worker host is closing"));
    });
    return;
  }
  ++spawned_;
  Result<std::unique_ptr<Process>> spawned =
      Spawn(waiting.command, lines_, {.socket = waiting.socket.get()});
  const WorkerId worker = waiting.worker;
  if (!spawned.ok()) {
    to_tell_.push_back(
        [this, worker, failed = spawned.status()] { events_.on_failure(worker, failed); });
    return;
  }
  to_tell_.push_back([this, worker, process = std::shared_ptr<Process>(spawned.MoveValueUnsafe())] {
    events_.on_process(worker, process, /*forked=*/false);
  });
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
      family.process = nullptr;  // It has forked nothing.
      return;
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
    return SpawnLater(std::move(answered.waiting));
  }
  ++forked_;
  const std::shared_ptr<ForkedProcess> process = std::move(news.process);
  process->SetOutput(std::move(answered.output));
  family.forked.emplace(news.worker, process);
  to_tell_.push_back([this, worker = news.worker, process] {
    events_.on_process(worker, process, /*forked=*/true);
  });
}

void Launcher::TakeEnded(Family& family, const TemplateNews& news) {
  const auto forked = family.forked.find(news.worker);
  if (forked == family.forked.end()) return;
  forked->second->SetExit(news.exit);
  family.forked.erase(forked);
  to_tell_.push_back([this, worker = news.worker] { events_.on_ended(worker); });
}

/// From here on this family's workers are spawned.
void Launcher::StopForking(Family& family, const std::string& why) {
  family.state = FamilyState::kSpawning;
  why_spawned_ = why;
  for (Waiting& waiting : std::exchange(family.waiting, {})) SpawnLater(std::move(waiting));
}

/// The template has died: its workers die with it, and what it had not forked yet is spawned.
void Launcher::EndTemplate(Family& family, const std::string& why) {
  const std::string reason = fmt::format("the template process {}", why);
  family.process = nullptr;
  for (auto& [worker, process] : std::exchange(family.forked, {})) {
    EndOrphan(*process,
              {.cause = ExitCause::kSignal, .text = fmt::format("was killed because {}", reason)});
    process->SetExit({.cause = ExitCause::kSignal, .signal = SIGKILL});
    to_tell_.push_back([this, worker = worker] { events_.on_ended(worker); });
  }
  for (auto& [worker, asked] : std::exchange(family.asked, {})) {
    SpawnLater(std::move(asked.waiting));
  }
  StopForking(family, reason);
}

}  // namespace penstock
