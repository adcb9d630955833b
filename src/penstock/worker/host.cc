#include "penstock/worker/host.h"

#include <fmt/format.h>
#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <system_error>
#include <thread>
#include <unordered_map>
#include <utility>

#include "penstock/base/brief_wait.h"
#include "penstock/base/check.h"
#include "penstock/base/error.h"
#include "penstock/worker/bell.h"
#include "penstock/worker/hosted_worker.h"
#include "penstock/worker/socket.h"

namespace penstock {
namespace {

constexpr int kEventsAtOnce = 64;
constexpr int kFramesAtOnce = 64;      // Of one worker, before others get their turn.
constexpr int kFramesInSocket = 4096;  // More than a socket holds.

Status LastError(const char* what) {
  return Status::IOError(what, ": ", std::generic_category().message(errno));
}

class WorkerHostImpl final : public WorkerHost {
 public:
  WorkerHostImpl(std::shared_ptr<SegmentPool> pool, WorkerEvents events,
                 std::shared_ptr<WorkerLines> lines, OwnedDescriptor poller,
                 std::shared_ptr<Bell> bell)
      : pool_(std::move(pool)),
        events_(std::move(events)),
        poller_(std::move(poller)),
        bell_(std::move(bell)),
        launcher_(poller_.get(), std::move(lines), MakeLaunchEvents()) {
    pool_->SetFreeListener([held_bell = bell_](uint64_t segment) { held_bell->Add(segment); });
    thread_ = std::thread([this] { Run(); });
  }

  ~WorkerHostImpl() override {
    pool_->SetFreeListener({});
    {
      MutexLock lock(mutex_);
      closing_ = true;
    }
    for (const auto& worker : AllWorkers()) KillWorker(*worker, {});
    launcher_.Close();
    bell_->Ring();
    thread_.join();
  }

  Status Start(WorkerId worker, const WorkerCommand& command, const std::string& setup) override;
  Status SendBatch(WorkerId worker, uint64_t batch, std::shared_ptr<Segment> input, int64_t bytes,
                   int64_t rows, std::shared_ptr<Segment> output, bool keeps_input) override;
  Status SendGrant(WorkerId worker, uint64_t batch, std::shared_ptr<Segment> output) override;

  void Stop(WorkerId worker) override {
    const auto found = Find(worker);
    if (found == nullptr) return;
    if (found->is_thread()) launcher_.Leaving(worker);
    found->connection.SendStop();
    if (launcher_.Cancel(worker)) EndLater(worker);
  }

  void Kill(WorkerId worker, KillReason why) override {
    if (const auto found = Find(worker)) KillWorker(*found, std::move(why));
  }

  bool Rename(WorkerId worker, const std::string& name) override {
    const auto found = Find(worker);
    const auto process = found == nullptr ? nullptr : found->process();
    if (process == nullptr) return false;
    process->output()->Rename(name);
    return true;
  }

  bool IsEnding(WorkerId worker) const override {
    const auto found = Find(worker);
    const auto process = found == nullptr ? nullptr : found->process();
    return process == nullptr || process->IsExiting();
  }

  void Signal(WorkerId worker, int signal) override {
    const auto found = Find(worker);
    const auto process = found == nullptr ? nullptr : found->process();
    if (process != nullptr) process->Signal(signal);
  }

  std::optional<int64_t> ResidentBytes(WorkerId worker) const override {
    const auto found = Find(worker);
    const auto process = found == nullptr ? nullptr : found->process();
    return process == nullptr ? std::nullopt : process->ResidentBytes();
  }

  int running() const override {
    MutexLock lock(mutex_);
    return static_cast<int>(workers_.size());
  }

  std::string LaunchSummary() const override { return launcher_.Summary(); }

 private:
  void KillWorker(HostedWorker& worker, KillReason why) {
    worker.Kill(std::move(why));
    if (launcher_.Cancel(worker.id)) EndLater(worker.id);
  }

  /// Has a worker that was never launched end on the host's thread.
  void EndLater(WorkerId worker) {
    MutexLock lock(mutex_);
    cancelled_.push_back(worker);
    bell_->Ring();
  }

  std::vector<std::shared_ptr<HostedWorker>> AllWorkers() const {
    MutexLock lock(mutex_);
    std::vector<std::shared_ptr<HostedWorker>> all;
    for (const auto& [id, worker] : workers_) all.push_back(worker);
    return all;
  }

  std::shared_ptr<HostedWorker> Find(WorkerId worker) const {
    MutexLock lock(mutex_);
    const auto found = workers_.find(worker);
    return found == workers_.end() ? nullptr : found->second;
  }

  LaunchEvents MakeLaunchEvents();
  Status Watch(HostedWorker& worker, const Launched& launched);
  void EndCancelled();

  void Run();
  void Handle(const epoll_event& event);
  void PassOnForgotten();
  void ReceiveFrom(HostedWorker& worker, int frames_max);
  void CloseSocket(HostedWorker& worker);
  void Condemn(HostedWorker& worker, std::string violation);
  void End(HostedWorker& worker);
  void EndThread(HostedWorker& worker);
  void Bury(HostedWorker& worker, const WorkerExit& exit);

  const std::shared_ptr<SegmentPool> pool_;
  const WorkerEvents events_;
  const OwnedDescriptor poller_;
  const std::shared_ptr<Bell> bell_;  // Shared with the pool's listener, which may outlive us.
  Launcher launcher_;

  mutable Mutex mutex_;  // Guards what follows to closing_.
  std::unordered_map<WorkerId, std::shared_ptr<HostedWorker>> workers_ PENSTOCK_GUARDED_BY(mutex_);
  std::vector<WorkerId> cancelled_ PENSTOCK_GUARDED_BY(mutex_);  // Before they were launched.
  bool closing_ PENSTOCK_GUARDED_BY(mutex_) = false;

  MemoryKills memory_kills_;  // The host's thread alone.

  // The host's thread alone: kept while events that are at hand may still point to them.
  std::vector<std::shared_ptr<HostedWorker>> departed_;

  std::thread thread_;
};

Status WorkerHostImpl::Start(WorkerId worker, const WorkerCommand& command,
                             const std::string& setup) {
  const int64_t bytes = static_cast<int64_t>(setup.size());
  PENSTOCK_TRY(std::shared_ptr<Segment> segment, pool_->Acquire(std::max<int64_t>(bytes, 1)));
  std::memcpy(segment->data(), setup.data(), setup.size());
  PENSTOCK_TRY(SocketPair sockets, MakeSocketPair());
  const auto started =
      std::make_shared<HostedWorker>(worker, std::move(sockets.engine), pool_, poller_.get());
  {
    MutexLock lock(mutex_);
    if (closing_) return Status::Cancelled("the worker host is closing");
    if (!workers_.emplace(worker, started).second) {
      return Status::Invalid("a worker of this number is running: ", worker);
    }
  }
  auto launched = launcher_.Launch(worker, command, std::move(sockets.worker), *segment, bytes);
  Status failed = launched.status();
  if (launched.ok() && launched->process != nullptr) failed = Watch(*started, *launched);
  if (!failed.ok()) {
    MutexLock lock(mutex_);
    workers_.erase(worker);
    return failed;
  }
  // From here on its end is seen, so on_exit tells of whatever goes wrong.
  if (!started->connection.Watch().ok()) KillWorker(*started, {});
  started->connection.SendSetup(std::move(segment), bytes);
  // It may have come before the launch.
  if (const auto why = started->kill_wanted()) KillWorker(*started, *why);
  return Status::OK();
}

LaunchEvents WorkerHostImpl::MakeLaunchEvents() {
  return {.on_process =
              [this](WorkerId id, const Launched& launched) {
                const auto worker = Find(id);
                if (worker == nullptr || Watch(*worker, launched).ok()) return;
                worker->Kill({});
                End(*worker);
              },
          .on_failure =
              [this](WorkerId id, const Status& failed) {
                const auto worker = Find(id);
                if (worker == nullptr) return;
                worker->start_failure = failed.message();
                End(*worker);
              },
          .on_ended =
              [this](WorkerId id, const Launched& launched) {
                const auto worker = Find(id);
                if (worker == nullptr) return;
                worker->SetLaunched(launched, {});  // The end may come before Start knows.
                End(*worker);
              }};
}

/// Has the host's thread see the end of a worker that runs, and what it prints, unless the launcher
/// does.
Status WorkerHostImpl::Watch(HostedWorker& worker, const Launched& launched) {
  worker.SetLaunched(launched, memory_kills_.MarkOf(launched.process->id()));
  if (launched.kind == LaunchKind::kThread) return Status::OK();
  const ProcessOutput& output = *launched.process->output();
  PENSTOCK_RETURN_NOT_OK(WatchDescriptor(poller_.get(), output.descriptor(StandardStream::kOutput),
                                         &worker.watched_output));
  PENSTOCK_RETURN_NOT_OK(WatchDescriptor(poller_.get(), output.descriptor(StandardStream::kErrors),
                                         &worker.watched_errors));
  if (launched.kind == LaunchKind::kForked) return Status::OK();
  return WatchDescriptor(poller_.get(), launched.process->descriptor(), &worker.watched_process);
}

Status WorkerHostImpl::SendBatch(WorkerId worker, uint64_t batch, std::shared_ptr<Segment> input,
                                 int64_t bytes, int64_t rows, std::shared_ptr<Segment> output,
                                 bool keeps_input) {
  if (input == nullptr || bytes <= 0 || bytes > input->capacity() || rows < 0 || input == output) {
    return Status::Invalid(
        fmt::format("batch {} does not fit its segment: {} rows, {} bytes", batch, rows, bytes));
  }
  const std::shared_ptr<HostedWorker> found = Find(worker);
  if (found == nullptr) {
    return MakeError(ErrorKind::kWorkerDied, fmt::format("worker {} is not running", worker));
  }
  HeldBatch held{.batch = batch, .input = std::move(input)};
  if (output != nullptr) held.grants.push_back(std::move(output));
  return found->connection.SendBatch(std::move(held), bytes, rows, keeps_input);
}

Status WorkerHostImpl::SendGrant(WorkerId worker, uint64_t batch, std::shared_ptr<Segment> output) {
  if (output == nullptr) return Status::Invalid("no segment to grant for batch ", batch);
  const std::shared_ptr<HostedWorker> found = Find(worker);
  if (found == nullptr) {
    return MakeError(ErrorKind::kWorkerDied, fmt::format("worker {} is not running", worker));
  }
  return found->connection.SendGrant(batch, std::move(output));
}

void WorkerHostImpl::Run() {
  sigset_t all;
  sigfillset(&all);
  ::pthread_sigmask(SIG_BLOCK, &all, nullptr);  // The program's signals are for its own threads.
  ::pthread_setname_np(::pthread_self(), "penstock-host");
  std::array<epoll_event, kEventsAtOnce> events;
  BriefWait wait;
  while (true) {
    {
      MutexLock lock(mutex_);
      if (closing_ && workers_.empty()) return;
    }
    int count = 0;
    const auto look = [&](int timeout_ms) {
      count = ::epoll_wait(poller_.get(), events.data(), kEventsAtOnce, timeout_ms);
      return count != 0;
    };
    if (!wait.For([&] { return look(0); })) look(-1);
    wait.Came();
    PENSTOCK_CHECK(count >= 0 || errno == EINTR);
    for (int i = 0; i < count; ++i) Handle(events[i]);
    if (events_.on_pause) events_.on_pause();
    departed_.clear();
    launcher_.DropEnded();
  }
}

void WorkerHostImpl::Handle(const epoll_event& event) {
  if (event.data.ptr == nullptr) {
    EndCancelled();
    return PassOnForgotten();
  }
  const Watched& watched = *static_cast<const Watched*>(event.data.ptr);
  if (watched.worker == nullptr) return launcher_.Handle(watched);
  HostedWorker& worker = *static_cast<HostedWorker*>(watched.worker);
  if (worker.ended) return;
  switch (watched.kind) {
    case WatchedKind::kProcess:
      return End(worker);
    case WatchedKind::kOutput:
    case WatchedKind::kErrors:
      return ReadStream(poller_.get(), *worker.process(), watched.kind);
    case WatchedKind::kSocket:
      if ((event.events & EPOLLOUT) != 0) worker.connection.Flush();
      if ((event.events & ~EPOLLOUT) != 0) ReceiveFrom(worker, kFramesAtOnce);
  }
}

void WorkerHostImpl::PassOnForgotten() {
  const std::vector<uint64_t> forgotten = bell_->Take();
  if (forgotten.empty()) return;
  for (const auto& worker : AllWorkers()) {
    for (const uint64_t segment : forgotten) worker->connection.SendForget(segment);
  }
}

void WorkerHostImpl::EndCancelled() {
  std::vector<WorkerId> cancelled;
  {
    MutexLock lock(mutex_);
    cancelled = std::exchange(cancelled_, {});
  }
  for (const WorkerId id : cancelled) {
    if (const auto worker = Find(id)) End(*worker);
  }
}

void WorkerHostImpl::ReceiveFrom(HostedWorker& worker, int frames_max) {
  for (int i = 0; i < frames_max && worker.receiving; ++i) {
    Incoming incoming;
    const Result<Received> received = worker.connection.Receive(&incoming);
    if (!received.ok()) return Condemn(worker, received.status().message());
    switch (*received) {
      case Received::kFrame:
        events_.on_frame(worker.id, incoming.frame, std::move(incoming.segment));
        break;
      case Received::kNothing:
        return;
      case Received::kClosed:
        return CloseSocket(worker);
    }
  }
}

void WorkerHostImpl::CloseSocket(HostedWorker& worker) {
  const auto process = worker.process();  // None where the launch was called off.
  const bool lives_on = process != nullptr && !process->IsExiting();
  if (lives_on && !worker.connection.stopping()) {
    return Condemn(worker, "closed its socket without being told to stop");
  }
  worker.receiving = false;
  worker.connection.Unwatch();
  if (lives_on && worker.is_thread() && launcher_.Leave(worker.id)) EndThread(worker);
}

void WorkerHostImpl::Condemn(HostedWorker& worker, std::string violation) {
  worker.violation = std::move(violation);
  worker.receiving = false;
  worker.connection.Unwatch();
  worker.Kill({.cause = ExitCause::kProtocol,
               .text = fmt::format("was killed because it {}", worker.violation)});
}

void WorkerHostImpl::End(HostedWorker& worker) {
  ReceiveFrom(worker, kFramesInSocket);
  const WorkerExit exit = worker.Explain(&memory_kills_);
  if (const std::shared_ptr<Process> process = worker.process()) {
    Unwatch(poller_.get(), *process);
    process->output()->Finish();
  }
  Bury(worker, exit);
}

/// Ends a worker whose thread has left a process that lives on.
void WorkerHostImpl::EndThread(HostedWorker& worker) {
  const int64_t open = worker.connection.open_batches();
  if (open == 0) return Bury(worker, {.cause = ExitCause::kStopped, .reason = "left its process"});
  Bury(worker, {.reason = fmt::format("left its process without answering {} batches", open)});
}

void WorkerHostImpl::Bury(HostedWorker& worker, const WorkerExit& exit) {
  worker.ended = true;
  worker.connection.Close();
  const WorkerId id = worker.id;
  {
    MutexLock lock(mutex_);
    const auto found = workers_.find(id);
    departed_.push_back(std::move(found->second));
    workers_.erase(found);
  }
  events_.on_exit(id, exit);
}

}  // namespace

Result<std::unique_ptr<WorkerHost>> WorkerHost::Make(std::shared_ptr<SegmentPool> pool,
                                                     WorkerEvents events,
                                                     std::shared_ptr<WorkerLines> lines) {
  OwnedDescriptor poller(::epoll_create1(EPOLL_CLOEXEC));
  if (poller.get() < 0) return LastError("workers cannot be watched");
  OwnedDescriptor counter(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (counter.get() < 0) return LastError("workers cannot be watched");
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.ptr = nullptr;
  if (::epoll_ctl(poller.get(), EPOLL_CTL_ADD, counter.get(), &event) != 0) {
    return LastError("workers cannot be watched");
  }
  return std::make_unique<WorkerHostImpl>(std::move(pool), std::move(events), std::move(lines),
                                          std::move(poller),
                                          std::make_shared<Bell>(std::move(counter)));
}

}  // namespace penstock
