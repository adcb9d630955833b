#pragma once

#include <nanobind/nanobind.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "client_outbox.h"
#include "client_packed.h"
#include "client_references.h"
#include "client_segments.h"
#include "client_socket.h"
#include "client_task.h"
#include "client_value.h"
#include "penstock/base/mutex.h"
#include "penstock/runtime/message.h"

namespace penstock::python {

namespace nb = nanobind;

/// What a client does not find behind its socket any more: the hub has ended, or cut it off.
class HubGone : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// A process's end of its connection to a hub (runtime/wire.h): the program's, a task worker's, or
/// that of any worker whose functions use tasks and actors.
///
/// Whichever thread waits reads the socket, for all: one at a time, the others sleep until
/// something has changed. Messages leave in the order of the calls. References, requests and
/// arrived tasks are kept here; nothing of Python's is touched under the lock, since its objects
/// may call back whenever one is made or goes.
/// Threads: any. All methods are called with the GIL; those that wait let go of it. Waits of the
/// main thread answer signals, with what their handlers raise.
/// Errors: HubGone once the hub has ended or Close was called; std::runtime_error in a process that
/// was forked from the client's, which has no part in it.
class Client {
 public:
  using Timeout = std::optional<double>;  // Seconds; none: for ever.
  using Values = std::vector<std::optional<ClientValue>>;

  /// Takes the descriptor, and greets the hub; `worker`: as which it started this process, or 0.
  /// Waits for kWelcomeTimeout at most.
  Client(int descriptor, uint64_t worker);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  uint32_t number() const { return number_; }
  const std::string& facts() const { return facts_; }

  /// Returns the first of so many ids that nobody else has.
  uint64_t NewIds(uint64_t count);

  /// Lays out an object, in a segment where it is large. After each kRoomAfterBytes of new ones it
  /// waits until the hub has brought to the disk what is beyond its budget.
  std::unique_ptr<Packed> Pack(nb::bytes pickled, nb::list buffers,
                               std::vector<uint64_t> contained);

  /// Tells the hub of a function, once.
  void Define(uint64_t function, nb::bytes data);

  struct Submission {
    runtime::TaskKind kind = runtime::TaskKind::kFunction;
    uint64_t function = 0;
    uint64_t actor = 0;
    std::string_view method;
    int32_t returns = 1;
    std::string_view options;
    Packed& arguments;
    const std::vector<uint64_t>& given;
  };

  /// Returns the task's id; what it returns has the ids behind it, each held once. Of a
  /// constructor the actor is held.
  uint64_t Submit(const Submission& submission);

  /// Returns the id of the actor of this name, its options, and why there is none.
  std::tuple<uint64_t, std::string, std::string> CreateNamed(const Submission& submission);

  /// Returns the object's id, held once.
  uint64_t Put(Packed& packed);

  /// Returns all values, or those that have come where one is an error; none after the timeout.
  /// `task`: the one that this thread runs, so that waits which can never end are refused; 0: none.
  std::optional<Values> Get(const std::vector<uint64_t>& ids, Timeout timeout, uint64_t task);

  using Waited = std::pair<std::vector<uint32_t>, std::optional<ClientValue>>;

  /// Returns the places of those that are ready, as soon as there are `enough`; or the error that
  /// there never will be. `task` as of Get.
  Waited Wait(const std::vector<uint64_t>& ids, uint32_t enough, Timeout timeout, uint64_t task);

  /// Returns a generator's next item, its end, or why there is none; nothing after the timeout.
  /// `task` as of Get.
  std::optional<ClientValue> NextItem(uint64_t generator, Timeout timeout, uint64_t task);

  void Hold(uint64_t id);

  /// The hub hears of the last reference with the next message, unless much waits for it.
  void Release(uint64_t id, bool at_once);

  /// Returns why the task cannot be cancelled by these flags; empty: it is.
  std::string Cancel(uint64_t id, uint32_t flags);
  void Kill(uint64_t actor, bool may_restart);
  /// Makes a placement group of a new id, whose next is its object's; returns why not; empty: done.
  std::string MakeGroup(uint64_t group, std::string_view options, Packed& ready);
  void RemoveGroup(uint64_t group);

  std::tuple<uint64_t, std::string> FindActor(std::string_view name_space, std::string_view name);
  std::string Ask(std::string_view what);
  void SetBlocked(bool blocked);

  /// Has `callback` called with the value once it is there, by whoever reads then.
  void WhenReady(uint64_t id, nb::object callback);

  /// Reads for all until the connection ends.
  void Serve();

  void Close();

  /// Returns the next task; nothing at the timeout, or when no more will come (is_stopping).
  std::optional<ArrivedTask> ReceiveTask(Timeout timeout);
  bool is_stopping();

  void Done(uint64_t task, uint32_t flags, const std::vector<Packed*>& values);
  void YieldItem(uint64_t task, Packed& value);

  /// Reads what is there, without waiting.
  void Poll();

  /// Reads what is there, and returns the tasks that were cancelled and are not done; waits a
  /// little where there is none.
  std::vector<uint64_t> Interrupted(double patience_s);

  /// Returns a descriptor that can be read when Poll would find something, or tasks have arrived.
  int descriptor();

 private:
  static constexpr size_t kPacketsWaitingMax = 1024;  // For the hub to take what came before.
  static constexpr int64_t kRoomAfterBytes = int64_t{256} << 20;

  using Clock = std::chrono::steady_clock;
  using Deadline = std::optional<Clock::time_point>;

  // What has come for a request.
  struct Answer {
    Values values;
    size_t missing = 0;  // Of the values.
    bool has_error = false;
    bool is_complete = false;  // Nothing more will come.
    std::vector<uint32_t> places;
    uint64_t actor = 0;
    std::string text;
    std::string error;
    const std::vector<uint64_t>* ids = nullptr;  // Of the values.
  };
  class OpenRequest;

  // Throws in a forked process, and once the connection has ended.
  void CheckProcess() const;
  void CheckOpen() PENSTOCK_REQUIRES(mutex_);

  // client_send.cc
  void Post(runtime::MessageWriter& message) PENSTOCK_REQUIRES(mutex_);
  void PostReleased() PENSTOCK_REQUIRES(mutex_);
  void Flush() PENSTOCK_REQUIRES(mutex_);
  uint64_t PostTask(const Submission& submission, uint64_t request) PENSTOCK_REQUIRES(mutex_);

  // client_requests.cc
  std::string AskWithoutGil(std::string_view what);
  void AwaitAnswers() PENSTOCK_REQUIRES(mutex_);
  void PostWait(uint64_t request, const std::vector<uint64_t>& ids, uint32_t enough, uint64_t task)
      PENSTOCK_REQUIRES(mutex_);
  void Hurry(uint64_t request) PENSTOCK_REQUIRES(mutex_);

  // client_read.cc
  template <typename Done>
  bool WaitUntil(Done done, Deadline deadline) PENSTOCK_REQUIRES(mutex_) {
    bool has_time = true;
    while (has_time && !done()) has_time = WaitForChange(deadline);
    return has_time;
  }
  bool WaitForChange(Deadline deadline) PENSTOCK_REQUIRES(mutex_);
  bool ReadPackets(int timeout_ms) PENSTOCK_REQUIRES(mutex_);
  ClientSocket::Received ReadPacket() PENSTOCK_REQUIRES(mutex_);
  void CallBack() PENSTOCK_REQUIRES(mutex_);
  void AnswerSignals(bool has_signal) PENSTOCK_REQUIRES(mutex_);
  void End() PENSTOCK_REQUIRES(mutex_);

  // client_messages.cc
  struct Descriptors;
  void TakePacket(std::string_view packet, const std::vector<int>& descriptors)
      PENSTOCK_REQUIRES(mutex_);
  size_t TakeMessages(std::string_view bytes) PENSTOCK_REQUIRES(mutex_);
  void TakeMessage(runtime::MessageKind kind, std::string_view fields, Descriptors& descriptors)
      PENSTOCK_REQUIRES(mutex_);
  Answer* AnswerTo(uint64_t request) PENSTOCK_REQUIRES(mutex_);
  void TakeValue(uint64_t request, uint32_t place, ClientValue value) PENSTOCK_REQUIRES(mutex_);
  void TakeTask(runtime::MessageReader& reader, Descriptors& descriptors) PENSTOCK_REQUIRES(mutex_);
  ClientValue ReadValue(runtime::MessageReader& reader, Descriptors& descriptors)
      PENSTOCK_REQUIRES(mutex_);
  std::shared_ptr<SegmentView> ViewOf(uint64_t segment, int64_t capacity, int descriptor)
      PENSTOCK_REQUIRES(mutex_);

  // client_tasks.cc
  void GiveBackTasks() PENSTOCK_REQUIRES(mutex_);
  void GiveBack(const std::vector<uint64_t>& tasks) PENSTOCK_REQUIRES(mutex_);
  void Ring() PENSTOCK_REQUIRES(mutex_);

  static Deadline DeadlineOf(Timeout timeout);

  const int forks_;  // In the process that made it; another number in one forked from that.
  std::unique_ptr<ClientSocket> socket_;
  const std::shared_ptr<Unmapped> unmapped_ = std::make_shared<Unmapped>();
  const std::shared_ptr<OwnSegments> segments_ = std::make_shared<OwnSegments>();
  uint32_t number_ = 0;
  std::string facts_;
  std::atomic<uint64_t> ids_ = 1;
  std::atomic<int64_t> made_bytes_ = 0;  // Of segments, since the hub last had room for them.

  Mutex mutex_;
  ConditionVariable changed_;
  bool is_welcome_ PENSTOCK_GUARDED_BY(mutex_) = false;
  bool is_reading_ PENSTOCK_GUARDED_BY(mutex_) = false;
  bool is_sending_ PENSTOCK_GUARDED_BY(mutex_) = false;
  bool has_ended_ PENSTOCK_GUARDED_BY(mutex_) = false;
  bool is_closed_ PENSTOCK_GUARDED_BY(mutex_) = false;  // By this process.
  Clock::time_point signals_answered_ PENSTOCK_GUARDED_BY(mutex_);
  Outbox outbox_ PENSTOCK_GUARDED_BY(mutex_);
  References references_ PENSTOCK_GUARDED_BY(mutex_);
  SegmentViews views_ PENSTOCK_GUARDED_BY(mutex_){unmapped_};
  std::unordered_set<uint64_t> defined_ PENSTOCK_GUARDED_BY(mutex_);

  uint64_t requests_made_ PENSTOCK_GUARDED_BY(mutex_) = 0;
  std::unordered_map<uint64_t, Answer*> requests_ PENSTOCK_GUARDED_BY(mutex_);
  std::unordered_map<uint64_t, PyObject*> callbacks_ PENSTOCK_GUARDED_BY(mutex_);
  std::vector<std::pair<PyObject*, ClientValue>> callable_ PENSTOCK_GUARDED_BY(mutex_);

  std::string begun_ PENSTOCK_GUARDED_BY(mutex_);  // A message whose rest is still to come.
  std::deque<int> descriptors_ PENSTOCK_GUARDED_BY(mutex_);  // Of messages still to come.

  std::deque<ArrivedTask> arrived_ PENSTOCK_GUARDED_BY(mutex_);
  std::unordered_map<uint64_t, ClientValue> functions_ PENSTOCK_GUARDED_BY(mutex_);
  std::unordered_map<uint64_t, runtime::TaskKind> running_ PENSTOCK_GUARDED_BY(mutex_);
  std::unordered_set<uint64_t> interrupted_ PENSTOCK_GUARDED_BY(mutex_);
  bool has_given_back_ PENSTOCK_GUARDED_BY(mutex_) = false;  // In this task, as the hub asked.
  int waiting_ PENSTOCK_GUARDED_BY(mutex_) = 0;  // Threads that wait for the hub inside of a task.
  bool has_actor_ PENSTOCK_GUARDED_BY(mutex_) = false;
  bool stops_ PENSTOCK_GUARDED_BY(mutex_) = false;
  int doorbell_ PENSTOCK_GUARDED_BY(mutex_) = -1;  // An eventfd, rung when tasks have arrived …
  int watched_ PENSTOCK_GUARDED_BY(mutex_) = -1;   // … and an epoll of that and the socket.
};

}  // namespace penstock::python
