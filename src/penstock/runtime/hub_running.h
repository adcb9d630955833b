#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "penstock/base/devices.h"
#include "penstock/base/mutex.h"
#include "penstock/runtime/generators.h"
#include "penstock/runtime/hub.h"
#include "penstock/runtime/link.h"
#include "penstock/runtime/objects.h"
#include "penstock/runtime/options.h"
#include "penstock/runtime/requests.h"
#include "penstock/runtime/scheduler.h"
#include "penstock/runtime/store.h"
#include "penstock/runtime/values.h"
#include "penstock/runtime/waits.h"

namespace penstock::runtime {

/// A process that uses the hub.
struct HubClient {
  uint32_t number = 0;
  std::unique_ptr<Link> link;
  bool greeted = false;
  WorkerNumber worker = 0;  // 0: none of the hub's.
  Requests requests;
  std::unordered_set<uint64_t> functions;  // That it was sent.
  bool says_blocked = false;               // By kBlocked.
  bool is_blocked = false;                 // As the scheduler was told.
  bool touched = false;                    // In this turn.
};

/// A task that waits for segments to come back from disk before it is sent.
struct DelayedRun {
  RunTask run;
  std::vector<std::shared_ptr<StoredSegment>> wanted;
};

/// An answer to a kGet that waits likewise.
struct DelayedAnswer {
  uint32_t client = 0;
  uint64_t request = 0;
  uint32_t place = 0;
  Value value;
};

/// A worker process of the hub's own, from its start until it has ended.
struct HubWorker {
  uint32_t client = 0;               // 0: it has not said hello.
  std::string name;                  // With which the lines that it prints begin.
  std::vector<std::string> devices;  // GPUs.
  double gpus = 0;
  bool stopping = false;
  std::deque<DelayedRun> delayed;  // In the order in which they are to be sent.
};

/// A task from its submission to its end; a constructor until its actor's.
struct HubTask {
  TaskKind kind = TaskKind::kFunction;
  uint64_t function = 0;
  uint64_t actor = 0;
  std::string method;
  int32_t returns = 0;  // -1: a generator.
  std::string options_text;
  std::shared_ptr<const TaskOptions> options;
  Value arguments;
  std::vector<uint64_t> given;
  size_t missing = 0;  // Of those given.
};

struct HubActor {
  std::pair<std::string, std::string> name;  // Namespace and name; the name empty: it has none.
  std::string options_text;                  // As its constructor was submitted with.
  std::string label;
  uint64_t constructor = 0;
  int max_concurrency = 1;
  int max_task_retries = 0;
  bool detached = false;
  bool ended = false;
  std::optional<Value> constructor_error;
};

enum class GroupState : uint8_t {
  kPending,
  kCreated,
  kRemoved,
};

/// A placement group; the object behind its number is there once it is created.
struct HubGroup {
  GroupOptions options;
  Value ready;  // Of that object.
  GroupState state = GroupState::kPending;
};

/// See hub.h. Everything but the inbox belongs to the hub's thread.
class RunningHub final : public Hub {
 public:
  RunningHub(HubOptions options, std::vector<std::pair<std::string, double>> resources,
             std::vector<std::string> gpus, OwnedDescriptor poller, OwnedDescriptor bell,
             int reception);
  ~RunningHub() override;

  Status Begin();
  Result<OwnedDescriptor> Connect() override;

 private:
  struct Ended {
    WorkerId worker = 0;
    WorkerExit exit;
  };
  struct Inbox {
    std::vector<OwnedDescriptor> sockets;
    std::vector<Ended> ended;
    bool connected = false;
    bool spilled = false;
    bool closing = false;
  };

  // hub.cc: the loop.
  void Run();
  void TakeInbox();
  void Settle();
  void TellBlocked();
  void FlushTouched();
  void HandleFreed();
  void Clear();
  void Ring();

  // hub_clients.cc: who is there, and what they say.
  void AcceptAll();
  void Accept(OwnedDescriptor socket);
  HubClient* FindClient(uint32_t number);
  void ReceiveFrom(uint32_t number);
  void ReceiveAll(uint32_t number);
  Status HandleMessages(HubClient& client);
  Status Handle(HubClient& client, IncomingMessage& message);
  Status HandleOfWorker(HubClient& client, IncomingMessage& message);
  Status OnHello(HubClient& client, IncomingMessage& message);
  void CutOff(uint32_t number, const std::string& why);
  void HungUp(uint32_t number);
  void CloseClient(uint32_t number);
  void Touch(HubClient& client);
  void TellReusable(uint32_t client, uint64_t segment);

  // hub_tasks.cc: tasks from their submission to their end.
  Status OnDefine(HubClient& client, IncomingMessage& message);
  Status OnSubmit(HubClient& client, IncomingMessage& message);
  Status MakeReturns(HubClient& client, uint64_t id, const HubTask& task);
  void Submit(HubClient& client, uint64_t id, HubTask task);
  void Schedule(const HubTask& task, TaskSpec spec);
  void AwaitGiven(uint64_t id, HubTask& task);
  Status OnDone(HubClient& client, IncomingMessage& message);
  Status OnGiveBack(HubClient& client, IncomingMessage& message);
  Status EndWithValues(uint64_t id, uint32_t flags, std::vector<Value> values);
  void Fail(uint64_t id, SystemError error, const std::string& text);
  void StoreInAll(uint64_t id, const HubTask& task, const Value& value);
  void Forget(uint64_t id);
  void GivenReady(uint64_t id);
  std::string LabelOf(const HubTask& task) const;

  // hub_objects.cc: objects and who asks for them.
  Status OnPut(HubClient& client, IncomingMessage& message);
  Status OnGet(HubClient& client, IncomingMessage& message);
  Status OnWait(HubClient& client, IncomingMessage& message);
  Status OnHurry(HubClient& client, IncomingMessage& message);
  Status OnDrop(HubClient& client, IncomingMessage& message);
  Status OnReferences(HubClient& client, IncomingMessage& message);
  void StoreObject(uint64_t id, Value value);
  void TellWaiters(const std::vector<Waiter>& waiters, const Value& value);
  void AnswerGet(HubClient& client, uint64_t request, uint32_t place, const Value& value);
  void AnswerWait(HubClient& client, uint64_t request);
  void DropRequest(HubClient& client, uint64_t number);
  void RemoveWaiters(uint32_t client, uint64_t number, const Request& request);

  // hub_waits.cc: tasks that wait for each other.
  using WaitingCalls = std::unordered_map<uint64_t, std::vector<uint64_t>>;
  void NoteWait(HubClient& client, uint64_t request, uint64_t task);
  bool RefuseEndlessWaits();
  bool IsEndless(uint64_t task, std::string* why);
  void RefuseWait(uint64_t task, const std::string& why);
  std::string TextOfWay(const std::vector<EndlessStep>& way) const;
  std::string LabelOf(uint64_t number) const;
  const std::vector<double>& NeedsOf(uint64_t task_or_group) const;
  void AddShortagesOf(uint64_t id, std::vector<Share>& shares);
  const Request* WaitingRequest(uint64_t task);
  WaitsFor WaitsOf(uint64_t id, const WaitingCalls& calls);
  WaitsFor WaitsOfActor(uint64_t id, const HubActor& actor, const WaitingCalls& calls);
  WaitsFor WaitsOfRequest(const Request& request);
  void AddMakersOf(const std::vector<uint64_t>& ids, std::vector<uint64_t>& makers);
  WaitingCalls FindWaitingCalls();

  // hub_spill.cc: what waits for the disk.
  SegmentStore::Options StoreOptions();
  void TakeSpilled();
  bool MustWait(const Value& value) const;
  void Delay(const HubClient& client, uint64_t request, uint32_t place, const Value& value);
  bool DelayRun(const RunTask& run, HubWorker& worker);
  void SendDelayed(HubWorker& worker);
  void DropDelayed(HubWorker& worker);
  bool TakeBackDelayed(const InterruptTask& action);
  void KeepIfRoom(Value& value) const;
  void AnswerRoomAsks();

  // hub_generators.cc.
  Status OnYield(HubClient& client, IncomingMessage& message);
  Status OnNext(HubClient& client, IncomingMessage& message);
  void AddItem(uint64_t generator, uint64_t item, Value value);
  void EndGenerator(uint64_t generator);
  void HandOut(uint64_t id, Generator& generator);
  void DropGenerator(uint64_t id);

  // hub_actors.cc.
  bool TakesName(HubClient& client, uint64_t request, uint64_t id, const HubTask& task);
  void MakeActor(uint64_t constructor, const HubTask& task, bool is_named);
  Status OnFindActor(HubClient& client, IncomingMessage& message);
  Status OnKill(HubClient& client, IncomingMessage& message);
  Status OnCancel(HubClient& client, IncomingMessage& message);
  void TellActor(HubClient& client, uint64_t request, uint64_t actor, const std::string& error);
  void DropActor(uint64_t id);

  // hub_groups.cc: placement groups.
  Status OnMakeGroup(HubClient& client, IncomingMessage& message);
  Status OnRemoveGroup(HubClient& client, IncomingMessage& message);
  std::string WhyNoGroup(const GroupOptions& options) const;
  void Do(const GroupReady& action);
  bool HasGroup(const Place& place) const;
  std::string WhyNotIn(const TaskOptions& options) const;
  std::string TableOfGroups() const;

  // hub_workers.cc: actions.
  void Do(const StartWorker& action);
  void Do(const RunTask& action);
  void Do(const EndLease& action);
  void Do(const StopWorker& action);
  void Do(const KillWorker& action);
  void Do(const InterruptTask& action);
  void Do(const TakeBack& action);
  void Do(const EndTask& action);
  void Do(const EndActor& action);
  void SendRun(HubClient& client, const RunTask& run);
  void SendFunction(HubClient& client, uint64_t function);
  void NameAfter(WorkerNumber number, HubWorker& worker, const HubTask& task);
  void WorkerEnded(const Ended& ended);
  void GiveDevices(HubWorker& worker);
  HubClient* ClientOfWorker(WorkerNumber worker);

  // hub_ask.cc.
  Status OnAsk(HubClient& client, IncomingMessage& message);
  std::string Answer(const std::string& what) const;
  void TellText(HubClient& client, uint64_t request, const std::string& text);

  const HubOptions options_;
  const std::vector<std::pair<std::string, double>> resources_;
  const bool has_gpus_;
  const OwnedDescriptor poller_;
  const OwnedDescriptor bell_;
  const int reception_;

  Mutex inbox_mutex_;
  Inbox inbox_ PENSTOCK_GUARDED_BY(inbox_mutex_);

  std::unique_ptr<Scheduler> scheduler_;
  OptionReader option_reader_;
  Devices devices_;
  SegmentStore store_;
  ObjectTable objects_;
  GeneratorTable generators_;
  std::unordered_map<uint64_t, Value> functions_;
  std::unordered_map<uint64_t, HubTask> tasks_;
  std::unordered_map<uint64_t, std::pair<uint32_t, uint64_t>> waiting_;  // Client and request.
  std::vector<uint64_t> new_waits_;                                      // Tasks, of this turn.
  std::unordered_map<uint64_t, HubActor> actors_;
  std::map<std::pair<std::string, std::string>, uint64_t> names_;
  std::map<uint64_t, HubGroup> groups_;
  std::deque<uint64_t> removed_groups_;  // Of those, in order.
  std::unordered_map<uint32_t, HubClient> clients_;
  std::map<WorkerNumber, HubWorker> workers_;
  std::vector<uint32_t> touched_;
  std::unordered_map<uint64_t, std::vector<DelayedAnswer>> delayed_;  // By segment.
  std::vector<std::pair<uint32_t, uint64_t>> room_asks_;              // Clients and requests.
  uint32_t last_client_ = 0;
  uint64_t last_own_id_ = 0;
  bool ending_ = false;

  std::unique_ptr<WorkerHost> host_;
  std::thread thread_;
};

}  // namespace penstock::runtime
