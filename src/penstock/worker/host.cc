#include "penstock/worker/host.h"

#include <fmt/format.h>
#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <thread>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "penstock/base/check.h"
#include "penstock/base/error.h"
#include "penstock/worker/connection.h"
#include "penstock/worker/process.h"
#include "penstock/worker/socket.h"
#include "penstock/worker/spawner.h"

namespace penstock {
namespace {

constexpr int kEventsAtOnce = 64;
constexpr int kFramesAtOnce = 64;      // Of one worker, before others get their turn.
constexpr int kFramesInSocket = 4096;  // More than a socket holds.

Status LastError(const char* what) {
  return Status::IOError(what, ": ", std::generic_category().message(errno));
}

/// What wakes the host's thread: segments that are gone, and the end.
/// Its lock is the last to be taken: the pool may call Add from anywhere.
class Bell {
 public:
  explicit Bell(OwnedDescriptor descriptor) : descriptor_(std::move(descriptor)) {}

  int descriptor() const { return descriptor_.get(); }

  void Ring() { (void)::eventfd_write(descriptor_.get(), 1); }

  void Add(uint64_t segment) {
    MutexLock lock(mutex_);
    forgotten_.push_back(segment);
    if (forgotten_.size() == 1) Ring();
  }

  std::vector<uint64_t> Take() {
    eventfd_t count;
    (void)::eventfd_read(descriptor_.get(), &count);
    MutexLock lock(mutex_);
    return std::exchange(forgotten_, {});
  }

 private:
  const OwnedDescriptor descriptor_;
  Mutex mutex_;
  std::vector<uint64_t> forgotten_ PENSTOCK_GUARDED_BY(mutex_);
};

struct Worker;

/// What an event of the poller points to.
struct Watched {
  Worker* worker;
  bool is_process;  // Else its socket.
};

struct Worker {
  Worker(WorkerId number, std::unique_ptr<Process> started, OwnedDescriptor socket,
         std::shared_ptr<SegmentPool> pool, int poller)
      : id(number),
        process(std::move(started)),
        connection(std::move(socket), std::move(pool), poller, &watched_socket) {}

  const WorkerId id;
  const std::unique_ptr<Process> process;
  Watched watched_socket{.worker = this, .is_process = false};
  Watched watched_process{.worker = this, .is_process = true};
  Connection connection;
  std::atomic<bool> kill_wanted = false;

  // The host's thread alone.
  bool receiving = true;
  bool ended = false;
  std::string violation;  // What it did against the protocol, to follow "it".
};

class WorkerHostImpl final : public WorkerHost {
 public:
  WorkerHostImpl(std::shared_ptr<SegmentPool> pool, WorkerEvents events, OwnedDescriptor poller,
                 std::shared_ptr<Bell> bell)
      : pool_(std::move(pool)),
        events_(std::move(events)),
        poller_(std::move(poller)),
        bell_(std::move(bell)) {
    pool_->SetFreeListener([held_bell = bell_](uint64_t segment) { held_bell->Add(segment); });
    thread_ = std::thread([this] { Run(); });
  }

  ~WorkerHostImpl() override {
    pool_->SetFreeListener({});
    {
      MutexLock lock(mutex_);
      closing_ = true;
      for (const auto& [id, worker] : workers_) KillWorker(*worker);
    }
    bell_->Ring();
    thread_.join();
  }

  Status Start(WorkerId worker, const WorkerCommand& command, const std::string& setup) override;
  Status SendBatch(WorkerId worker, uint64_t batch, std::shared_ptr<Segment> input, int64_t bytes,
                   int64_t rows, std::shared_ptr<Segment> output) override;
  Status SendGrant(WorkerId worker, uint64_t batch, std::shared_ptr<Segment> output) override;

  void Stop(WorkerId worker) override {
    if (const auto found = Find(worker)) found->connection.SendStop();
  }

  void Kill(WorkerId worker) override {
    if (const auto found = Find(worker)) KillWorker(*found);
  }

  int running() const override {
    MutexLock lock(mutex_);
    return static_cast<int>(workers_.size());
  }

 private:
  static void KillWorker(Worker& worker) {
    worker.kill_wanted = true;
    worker.process->Kill();
  }

  std::shared_ptr<Worker> Find(WorkerId worker) const {
    MutexLock lock(mutex_);
    const auto found = workers_.find(worker);
    return found == workers_.end() ? nullptr : found->second;
  }

  Result<std::shared_ptr<Worker>> Spawn(WorkerId worker, const WorkerCommand& command);
  Status Watch(Worker& worker);

  void Run();
  void Handle(const epoll_event& event);
  void PassOnForgotten();
  void ReceiveFrom(Worker& worker, int frames_max);
  void CloseSocket(Worker& worker);
  void Condemn(Worker& worker, std::string violation);
  void End(Worker& worker);

  const std::shared_ptr<SegmentPool> pool_;
  const WorkerEvents events_;
  const OwnedDescriptor poller_;
  const std::shared_ptr<Bell> bell_;  // Shared with the pool's listener, which may outlive us.
  Spawner spawner_;

  mutable Mutex mutex_;  // Guards the three below.
  std::unordered_map<WorkerId, std::shared_ptr<Worker>> workers_ PENSTOCK_GUARDED_BY(mutex_);
  std::unordered_set<WorkerId> starting_ PENSTOCK_GUARDED_BY(mutex_);
  bool closing_ PENSTOCK_GUARDED_BY(mutex_) = false;

  // The host's thread alone: kept while events that are at hand may still point to them.
  std::vector<std::shared_ptr<Worker>> departed_;

  std::thread thread_;
};

Status WorkerHostImpl::Start(WorkerId worker, const WorkerCommand& command,
                             const std::string& setup) {
  const int64_t bytes = static_cast<int64_t>(setup.size());
  PENSTOCK_TRY(std::shared_ptr<Segment> segment, pool_->Acquire(std::max<int64_t>(bytes, 1)));
  std::memcpy(segment->data(), setup.data(), setup.size());
  {
    MutexLock lock(mutex_);
    if (closing_) return Status::Cancelled("the worker host is closing");
    if (workers_.contains(worker) || !starting_.insert(worker).second) {
      return Status::Invalid("a worker of this number is running: ", worker);
    }
  }
  Result<std::shared_ptr<Worker>> spawned = Spawn(worker, command);
  std::shared_ptr<Worker> started = spawned.ok() ? *spawned : nullptr;
  {
    MutexLock lock(mutex_);
    starting_.erase(worker);
    PENSTOCK_RETURN_NOT_OK(spawned.status());
    if (closing_) return Status::Cancelled("the worker host is closing");
    workers_.emplace(worker, started);
  }
  PENSTOCK_RETURN_NOT_OK(Watch(*started));
  started->connection.SendSetup(std::move(segment), bytes);
  return Status::OK();
}

Result<std::shared_ptr<Worker>> WorkerHostImpl::Spawn(WorkerId worker,
                                                      const WorkerCommand& command) {
  PENSTOCK_TRY(SocketPair sockets, MakeSocketPair());
  PENSTOCK_TRY(std::unique_ptr<Process> process, spawner_.Spawn(command, sockets.worker.get()));
  return std::make_shared<Worker>(worker, std::move(process), std::move(sockets.engine), pool_,
                                  poller_.get());
}

Status WorkerHostImpl::Watch(Worker& worker) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.ptr = &worker.watched_process;
  if (::epoll_ctl(poller_.get(), EPOLL_CTL_ADD, worker.process->descriptor(), &event) != 0) {
    const Status failed = LastError("a worker process cannot be watched");
    MutexLock lock(mutex_);
    workers_.erase(worker.id);
    return failed;
  }
  // From here on its end is seen, so on_exit tells of whatever goes wrong.
  if (!worker.connection.Watch().ok()) KillWorker(worker);
  return Status::OK();
}

Status WorkerHostImpl::SendBatch(WorkerId worker, uint64_t batch, std::shared_ptr<Segment> input,
                                 int64_t bytes, int64_t rows, std::shared_ptr<Segment> output) {
  if (input == nullptr || bytes <= 0 || bytes > input->capacity() || rows < 0 || input == output) {
    return Status::Invalid(
        fmt::format("batch {} does not fit its segment: {} rows, {} bytes", batch, rows, bytes));
  }
  const std::shared_ptr<Worker> found = Find(worker);
  if (found == nullptr) {
    return MakeError(ErrorKind::kWorkerDied, fmt::format("worker {} is not running", worker));
  }
  HeldBatch held{.batch = batch, .input = std::move(input)};
  if (output != nullptr) held.grants.push_back(std::move(output));
  return found->connection.SendBatch(std::move(held), bytes, rows);
}

Status WorkerHostImpl::SendGrant(WorkerId worker, uint64_t batch, std::shared_ptr<Segment> output) {
  if (output == nullptr) return Status::Invalid("no segment to grant for batch ", batch);
  const std::shared_ptr<Worker> found = Find(worker);
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
  while (true) {
    {
      MutexLock lock(mutex_);
      if (closing_ && workers_.empty()) return;
    }
    const int count = ::epoll_wait(poller_.get(), events.data(), kEventsAtOnce, -1);
    PENSTOCK_CHECK(count >= 0 || errno == EINTR);
    for (int i = 0; i < count; ++i) Handle(events[i]);
    departed_.clear();
  }
}

void WorkerHostImpl::Handle(const epoll_event& event) {
  if (event.data.ptr == nullptr) return PassOnForgotten();
  const Watched& watched = *static_cast<const Watched*>(event.data.ptr);
  Worker& worker = *watched.worker;
  if (worker.ended) return;
  if (watched.is_process) return End(worker);
  if ((event.events & EPOLLOUT) != 0) worker.connection.Flush();
  if ((event.events & ~EPOLLOUT) != 0) ReceiveFrom(worker, kFramesAtOnce);
}

void WorkerHostImpl::PassOnForgotten() {
  const std::vector<uint64_t> forgotten = bell_->Take();
  if (forgotten.empty()) return;
  std::vector<std::shared_ptr<Worker>> workers;
  {
    MutexLock lock(mutex_);
    for (const auto& [id, worker] : workers_) workers.push_back(worker);
  }
  for (const auto& worker : workers) {
    for (const uint64_t segment : forgotten) worker->connection.SendForget(segment);
  }
}

void WorkerHostImpl::ReceiveFrom(Worker& worker, int frames_max) {
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

void WorkerHostImpl::CloseSocket(Worker& worker) {
  if (!worker.connection.stopping() && !worker.process->IsExiting()) {
    return Condemn(worker, "closed its socket without being told to stop");
  }
  worker.receiving = false;
  worker.connection.Unwatch();
}

void WorkerHostImpl::Condemn(Worker& worker, std::string violation) {
  worker.violation = std::move(violation);
  worker.receiving = false;
  worker.connection.Unwatch();
  worker.process->Kill();
}

WorkerExit Explain(Worker& worker, WorkerExit exit) {
  const int64_t open = worker.connection.open_batches();
  const bool stopping = worker.connection.stopping();
  if (!worker.violation.empty()) {
    exit.reason = exit.signal == SIGKILL
                      ? fmt::format("was killed because it {}", worker.violation)
                      : fmt::format("{} after it {}", exit.reason, worker.violation);
  } else if (exit.signal == SIGKILL && worker.kill_wanted) {
    exit.reason = "was killed by the engine";
  } else if (exit.signal == 0 && exit.exit_code == 0) {
    exit.clean = stopping && open == 0;
    if (!stopping) exit.reason += " without being told to stop";
    if (stopping && open > 0) exit.reason += fmt::format(" without answering {} batches", open);
  }
  return exit;
}

void WorkerHostImpl::End(Worker& worker) {
  ReceiveFrom(worker, kFramesInSocket);
  const WorkerExit exit = Explain(worker, worker.process->Reap());
  worker.ended = true;
  (void)::epoll_ctl(poller_.get(), EPOLL_CTL_DEL, worker.process->descriptor(), nullptr);
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
                                                     WorkerEvents events) {
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
  return std::make_unique<WorkerHostImpl>(std::move(pool), std::move(events), std::move(poller),
                                          std::make_shared<Bell>(std::move(counter)));
}

}  // namespace penstock
