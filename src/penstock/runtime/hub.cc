#include "penstock/runtime/hub.h"

#include <fmt/format.h>
#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <system_error>
#include <variant>

#include "penstock/base/brief_wait.h"
#include "penstock/base/check.h"
#include "penstock/memory/machine.h"
#include "penstock/memory/segment.h"
#include "penstock/runtime/hub_running.h"
#include "penstock/worker/environment.h"
#include "penstock/worker/reception.h"
#include "penstock/worker/socket.h"

namespace penstock::runtime {
namespace {

constexpr int kEventsAtOnce = 64;
constexpr uint64_t kBellTag = 0;  // Clients' tags are their numbers, from 1.
constexpr uint64_t kReceptionTag = uint64_t{1} << 40;
constexpr int64_t kSetupBytesKept = 1 << 20;
constexpr double kStorePart = 0.3;

Status LastError(const char* what) {
  return Status::IOError(what, ": ", std::generic_category().message(errno));
}

Status WatchFor(int poller, int descriptor, uint64_t tag) {
  epoll_event event{.events = EPOLLIN, .data = {.u64 = tag}};
  if (::epoll_ctl(poller, EPOLL_CTL_ADD, descriptor, &event) == 0) return Status::OK();
  return LastError("the hub cannot watch its sockets");
}

int64_t NowNs() {
  return std::chrono::steady_clock::now().time_since_epoch() / std::chrono::nanoseconds(1);
}

std::vector<std::string> GpusOf(const HubOptions& options) {
  std::vector<std::string> gpus = MachineGpus();
  if (options.gpus < 0) return gpus;
  const auto wanted = static_cast<size_t>(options.gpus);
  for (size_t i = gpus.size(); i < wanted; ++i) gpus.push_back(std::to_string(i));
  gpus.resize(wanted);
  return gpus;
}

std::vector<std::pair<std::string, double>> ResourcesOf(const HubOptions& options, size_t gpus) {
  std::vector<std::pair<std::string, double>> resources{
      {"CPU", options.processors},
      {"GPU", static_cast<double>(gpus)},
      {"memory", static_cast<double>(options.memory_bytes)}};
  resources.insert(resources.end(), options.resources.begin(), options.resources.end());
  return resources;
}

HubOptions Completed(HubOptions options) {
  if (options.processors <= 0) options.processors = MachineProcessors();
  if (options.memory_bytes <= 0) options.memory_bytes = MachineMemoryBytes();
  if (options.store_bytes <= 0) {
    options.store_bytes =
        static_cast<int64_t>(kStorePart * static_cast<double>(MachineMemoryBytes()));
  }
  // As Ray: a task's numeric libraries use one processor unless the user says otherwise.
  std::vector<std::string>& environment = options.worker_command.environment;
  for (const char* const name : {"OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"}) {
    if (HasVariable(environment, name)) continue;
    environment.push_back(fmt::format("{}=1", name));
  }
  return options;
}

SchedulerOptions SchedulerOptionsFor(const std::vector<std::pair<std::string, double>>& resources) {
  SchedulerOptions options;
  for (const auto& [name, amount] : resources) options.resources.push_back(amount);
  options.starting_max = std::max(2, static_cast<int>(resources[kProcessorIndex].second));
  return options;
}

}  // namespace

RunningHub::RunningHub(HubOptions options, std::vector<std::pair<std::string, double>> resources,
                       std::vector<std::string> gpus, OwnedDescriptor poller, OwnedDescriptor bell,
                       int reception)
    : options_(std::move(options)),
      resources_(std::move(resources)),
      has_gpus_(!gpus.empty()),
      poller_(std::move(poller)),
      bell_(std::move(bell)),
      reception_(reception),
      scheduler_(Scheduler::Make(SchedulerOptionsFor(resources_))),
      option_reader_(resources_, *scheduler_),
      devices_(std::move(gpus)),
      store_(StoreOptions()) {}

Status RunningHub::Begin() {
  PENSTOCK_RETURN_NOT_OK(WatchFor(poller_.get(), bell_.get(), kBellTag));
  PENSTOCK_RETURN_NOT_OK(WatchFor(poller_.get(), reception_, kReceptionTag));
  WorkerEvents events{.on_frame = [](WorkerId, const Frame&, std::shared_ptr<Segment>) {},
                      .on_exit =
                          [this](WorkerId worker, const WorkerExit& exit) {
                            MutexLock lock(inbox_mutex_);
                            inbox_.ended.push_back({worker, exit});
                            Ring();
                          }};
  PENSTOCK_TRY(host_, WorkerHost::Make(SegmentPool::Make(kSetupBytesKept), std::move(events),
                                       options_.worker_lines));
  thread_ = std::thread([this] { Run(); });
  return Status::OK();
}

RunningHub::~RunningHub() {
  {
    MutexLock lock(inbox_mutex_);
    inbox_.closing = true;
    Ring();
  }
  if (thread_.joinable()) thread_.join();
  host_.reset();
}

void RunningHub::Ring() { (void)::eventfd_write(bell_.get(), 1); }

Result<OwnedDescriptor> RunningHub::Connect() {
  PENSTOCK_TRY(SocketPair ends, MakeSocketPair());
  MutexLock lock(inbox_mutex_);
  inbox_.sockets.push_back(std::move(ends.engine));
  inbox_.connected = true;
  Ring();
  return std::move(ends.worker);
}

void RunningHub::Run() {
  sigset_t all;
  sigfillset(&all);
  ::pthread_sigmask(SIG_BLOCK, &all, nullptr);  // The program's signals are for its own threads.
  ::pthread_setname_np(::pthread_self(), "penstock-hub");
  std::array<epoll_event, kEventsAtOnce> events;
  BriefWait wait;
  while (!ending_) {
    int count = 0;
    const auto look = [&](int timeout_ms) {
      count = ::epoll_wait(poller_.get(), events.data(), kEventsAtOnce, timeout_ms);
      return count != 0;
    };
    const bool ticks = scheduler_->WantsTicks() || !store_.CheckRoom().ok();
    const int patience_ms = ticks ? static_cast<int>(kTickNs / 1'000'000) : -1;
    if (!wait.For([&] { return look(0); })) look(patience_ms);
    wait.Came();
    PENSTOCK_CHECK(count >= 0 || errno == EINTR);
    const int64_t now_ns = NowNs();
    scheduler_->Tick(now_ns);
    store_.Tick(now_ns);
    for (int i = 0; i < count; ++i) {
      const uint64_t tag = events[i].data.u64;
      if (tag == kBellTag) {
        TakeInbox();
      } else if (tag == kReceptionTag) {
        AcceptAll();
      } else {
        const auto number = static_cast<uint32_t>(tag);
        HubClient* client = FindClient(number);
        if (client == nullptr) continue;
        if ((events[i].events & EPOLLOUT) != 0) client->link->Flush();
        if ((events[i].events & ~EPOLLOUT) != 0) ReceiveFrom(number);
      }
    }
    Settle();
    FlushTouched();
  }
  Clear();
}

void RunningHub::TakeInbox() {
  eventfd_t count;
  (void)::eventfd_read(bell_.get(), &count);
  Inbox inbox;
  {
    MutexLock lock(inbox_mutex_);
    std::swap(inbox, inbox_);
  }
  if (inbox.closing) {
    ending_ = true;
    return;
  }
  for (OwnedDescriptor& socket : inbox.sockets) Accept(std::move(socket));
  if (inbox.connected) scheduler_->StartAhead();
  for (const Ended& ended : inbox.ended) WorkerEnded(ended);
  if (inbox.spilled) TakeSpilled();
}

/// Carries out what follows from what was heard, until nothing does.
void RunningHub::Settle() {
  while (true) {
    TellBlocked();
    HandleFreed();
    const std::vector<Action> actions = scheduler_->TakeActions();
    for (const Action& action : actions) {
      std::visit([this](const auto& one) { Do(one); }, action);
    }
    if (actions.empty() && !objects_.has_freed() && !RefuseEndlessWaits()) break;
  }
  if (!room_asks_.empty()) AnswerRoomAsks();
}

/// Tells the scheduler which workers wait for others by now.
void RunningHub::TellBlocked() {
  for (const uint32_t number : touched_) {
    HubClient* client = FindClient(number);
    if (client == nullptr || client->worker == 0) continue;
    const bool is_blocked = client->says_blocked || !client->requests.empty();
    if (std::exchange(client->is_blocked, is_blocked) == is_blocked) continue;
    if (is_blocked) {
      scheduler_->Blocked(client->worker);
    } else {
      scheduler_->Unblocked(client->worker);
    }
  }
}

void RunningHub::FlushTouched() {
  for (const uint32_t number : std::exchange(touched_, {})) {
    HubClient* client = FindClient(number);
    if (client == nullptr) continue;
    client->touched = false;
    client->link->Flush();
  }
}

void RunningHub::HandleFreed() {
  while (objects_.has_freed()) {
    for (const FreedObject& freed : objects_.TakeFreed()) {
      TellWaiters(freed.waiters, LostValue(freed.id));
      if (freed.kind == ObjectKind::kActor) DropActor(freed.id);
      if (freed.kind == ObjectKind::kGenerator) DropGenerator(freed.id);
    }
  }
}

/// Lets go of everything in an order in which nothing looks for what is gone.
void RunningHub::Clear() {
  for (auto& [number, client] : clients_) client.link->Unwatch();
  for (auto& [number, worker] : workers_) DropDelayed(worker);
  delayed_.clear();
  clients_.clear();
  tasks_.clear();
  actors_.clear();
  functions_.clear();
  groups_.clear();
  objects_ = ObjectTable();
}

Result<std::unique_ptr<Hub>> Hub::Start(HubOptions options) {
  HubOptions completed = Completed(std::move(options));
  std::vector<std::string> gpus = GpusOf(completed);
  std::vector<std::pair<std::string, double>> resources = ResourcesOf(completed, gpus.size());
  OwnedDescriptor poller(::epoll_create1(EPOLL_CLOEXEC));
  OwnedDescriptor bell(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (poller.get() < 0 || bell.get() < 0) return LastError("the hub cannot be started");
  PENSTOCK_TRY(const int reception, Reception::HubsEnd());
  auto hub =
      std::make_unique<RunningHub>(std::move(completed), std::move(resources), std::move(gpus),
                                   std::move(poller), std::move(bell), reception);
  PENSTOCK_RETURN_NOT_OK(hub->Begin());
  return hub;
}

}  // namespace penstock::runtime
