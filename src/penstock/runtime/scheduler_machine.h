#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

#include "penstock/runtime/scheduler.h"
#include "penstock/runtime/scheduler_resources.h"

namespace penstock::runtime {

enum class TaskState : uint8_t {
  kWaiting,   // For objects.
  kQueued,    // In its shape's queue, or its actor's.
  kAdmitted,  // It has what it needs, but for a worker.
  kSent,      // To a worker.
  kPausing,   // Until wake_ns.
};

struct ScheduledTask {
  TaskSpec spec;
  TaskState state = TaskState::kWaiting;
  int attempt = 0;       // So often sent.
  int retries = 0;       // Of those that max_retries counts.
  int memory_kills = 0;  // In which it was alone to blame.
  bool cancelled = false;
  WorkerNumber worker = 0;  // kSent.
  int bundle = 0;           // kAdmitted: of its group, that it draws from.
  uint64_t order = 0;       // Its age.
  int64_t wake_ns = 0;
};

/// Tasks of equal needs in one environment and place.
struct TaskShape {
  std::vector<double> needs;
  EnvironmentNumber environment = 0;
  Place place;
  std::deque<uint64_t> queue;  // Those that are gone are still in it.
  bool listed = false;         // In queued_.
  int64_t passed_over = 0;     // By younger tasks, since its head does not fit.

  double processors() const { return needs.empty() ? 0 : needs[kProcessorIndex]; }
};

enum class WorkerState : uint8_t {
  kStarting,
  kIdle,
  kBusy,  // It has a lease.
  kStopping,
};

struct ScheduledWorker {
  EnvironmentNumber environment = 0;
  WorkerState state = WorkerState::kStarting;
  ShapeNumber lease = -1;  // What it has of a place; -1: nothing.
  int bundle = 0;          // Of that place's group, where it has one.
  bool gave_processors = false;
  bool killed = false;
  uint64_t actor = 0;
  std::deque<uint64_t> sent;  // Functions, a constructor, calls of an actor in order: oldest first.
  std::map<uint64_t, int> calls;  // By function, of those that have max_calls.
  bool retires = false;
  bool asked_back = false;  // What was sent ahead.
  int64_t begun_ns = 0;     // Its first function of those sent.
  int64_t since_ns = 0;     // kIdle, kStopping.
};

enum class ActorState : uint8_t {
  kPending,   // Its constructor waits: for objects, resources, a worker or the end of a pause.
  kBuilding,  // Its constructor was sent.
  kAlive,
  kDead,
};

struct ScheduledActor {
  ActorSpec spec;
  uint64_t constructor = 0;
  ActorState state = ActorState::kPending;
  WorkerNumber worker = 0;                                     // kBuilding, kAlive.
  std::map<uint64_t, uint64_t> open;                           // Calls that are not over, by age.
  std::unordered_map<uint32_t, std::deque<uint64_t>> callers;  // In order: not sent, by caller.
  std::deque<uint32_t> held_up;  // Callers whose next call waits for room alone.
  std::deque<uint64_t> ready;    // Not in order: not sent.
  int64_t in_flight = 0;
  int restarts = 0;
  int failed_builds = 0;  // In a row.
  bool referenced = true;
  SystemError error = SystemError::kActorDied;  // kDead.
  std::string text;
};

struct ScheduledGroup {
  std::vector<ResourceBook> bundles;
  std::vector<ShapeNumber> shapes;  // Of tasks in it.
  bool is_ready = false;            // It has what its bundles need.
  bool removed = false;             // What is taken from it now is the machine's.
  int64_t leases = 0;
};

struct SchedulerEnvironment {
  std::vector<WorkerNumber> idle;  // The one used last is used next.
  std::deque<uint64_t> awaiting;   // Admitted tasks without a worker.
  int starting = 0;
  int start_failures = 0;  // In a row.
};

class SchedulerMachine final : public Scheduler {
 public:
  explicit SchedulerMachine(SchedulerOptions options);

  ShapeNumber ShapeOf(const std::vector<double>& needs, EnvironmentNumber environment,
                      const Place& place) override;
  void TaskSubmitted(const TaskSpec& task) override;
  void ActorSubmitted(const TaskSpec& constructor, const ActorSpec& actor) override;
  void ActorRefused(const TaskSpec& constructor, SystemError error,
                    const std::string& why) override;
  void TaskReady(uint64_t task) override;
  void WorkerUp(WorkerNumber worker) override;
  void WorkerGone(WorkerNumber worker, const WorkerEnd& end) override;
  Answered TaskDone(WorkerNumber worker, uint64_t task, uint32_t flags) override;
  bool TaskGivenBack(WorkerNumber worker, uint64_t task) override;
  void Blocked(WorkerNumber worker) override;
  void Unblocked(WorkerNumber worker) override;
  void CancelTask(uint64_t task, uint32_t flags) override;
  void KillActor(uint64_t actor, bool may_restart) override;
  void ActorUnreferenced(uint64_t actor) override;
  void GroupSubmitted(GroupNumber group, const std::vector<std::vector<double>>& bundles) override;
  void GroupRemoved(GroupNumber group) override;
  void StartAhead() override;
  void Tick(int64_t now_ns) override;
  bool WantsTicks() const override;
  std::vector<Action> TakeActions() override;
  std::vector<double> available() const override { return book_.left(); }
  std::vector<double> AvailableIn(GroupNumber group, int bundle) const override;
  uint64_t RunningTask(WorkerNumber worker) const override;
  std::vector<Shortage> ShortagesOf(uint64_t task) const override;

 private:
  using Tasks = std::unordered_map<uint64_t, ScheduledTask>;

  // scheduler.cc: tasks.
  ScheduledTask* FindTask(uint64_t task);
  void End(uint64_t task, SystemError error, std::string text);
  void Forget(uint64_t task);
  bool TakeRetry(ScheduledTask& task);
  Answered FunctionDone(ScheduledWorker& worker, WorkerNumber number, ScheduledTask& task,
                        uint32_t flags);

  // scheduler_queue.cc: who is next.
  void Queue(ScheduledTask& task);
  void QueueAgain(ScheduledTask& task);
  void PlaceAll();
  ScheduledTask* HeadOf(TaskShape& shape);
  bool MayAdmit(TaskShape& shape);
  bool HasRunner(const TaskShape& shape, TaskKind kind) const;
  void Admit(ScheduledTask& task);
  void SendAhead(ShapeNumber number);
  bool IsShort(const ScheduledTask& task) const;
  void Reserve(const TaskShape& shape);
  std::vector<double> HeldForLong(const ResourceBook& book) const;
  void Pause(ScheduledTask& task, int times);
  void WakePausing();

  // scheduler_workers.cc.
  void StartFor(EnvironmentNumber environment, uint64_t task);
  void Send(WorkerNumber number, ScheduledTask& task, bool takes);
  void GiveWork(WorkerNumber number);
  void MakeIdle(WorkerNumber number);
  void EndLeaseOf(WorkerNumber number, ScheduledWorker& worker);
  void GiveLease(const TaskShape& shape, int bundle, bool is_function, bool gave_processors);
  void StopIdle(WorkerNumber number);
  void Stop(WorkerNumber number, ScheduledWorker& worker);
  void Kill(WorkerNumber number, ScheduledWorker& worker, std::string why);
  void FailedToStart(EnvironmentNumber number, const WorkerEnd& end);
  void FunctionWorkerGone(ScheduledWorker& worker, const WorkerEnd& end);
  void TaskDied(ScheduledTask& task, const WorkerEnd& end);
  void EndLongIdle();
  void TakeBackBehindLong();
  void Unsend(ScheduledWorker& worker, const TaskSpec& task, bool ran);

  // scheduler_actors.cc.
  void CallSubmitted(const TaskSpec& task);
  void CallReady(ScheduledTask& task);
  void SendCalls(ScheduledActor& actor, uint32_t caller);
  void SendReadyCalls(ScheduledActor& actor);
  void SendAllCalls(ScheduledActor& actor);
  bool HasRoom(const ScheduledActor& actor) const;
  void SendCall(ScheduledActor& actor, ScheduledTask& task);
  Answered ConstructorDone(ScheduledActor& actor, ScheduledTask& task, uint32_t flags);
  Answered CallDone(ScheduledActor& actor, ScheduledTask& task, uint32_t flags);
  void CallLeft(ScheduledActor& actor, ScheduledTask& task);
  void ForgetCall(ScheduledActor& actor, ScheduledTask& task);
  void ActorWorkerGone(uint64_t number, ScheduledActor& actor, const WorkerEnd& end);
  void Restart(ScheduledActor& actor, const WorkerEnd& end);
  void RetryCalls(ScheduledActor& actor, const std::string& text);
  void EndActorFor(uint64_t number, ScheduledActor& actor, SystemError error, std::string text);
  void EndIfUnused(uint64_t number, ScheduledActor& actor);
  void WithdrawConstructor(ScheduledActor& actor);

  // scheduler_groups.cc.
  const ResourceBook& BookOf(const TaskShape& shape, int bundle) const;
  ResourceBook& BookOf(const TaskShape& shape, int bundle);
  int RoomFor(const TaskShape& shape) const;
  std::vector<int> BundlesFor(const TaskShape& shape) const;
  void MakeGroup(GroupNumber number, const TaskShape& shape);
  bool IsHomeless(const ScheduledTask& task) const;
  void EndInGroup(GroupNumber number);
  void EndHomeless(ScheduledTask& task);
  void ForgetRemovedGroups();

  // scheduler_shortages.cc.
  uint64_t HolderOf(const ScheduledWorker& worker) const;

  // scheduler_cancel.cc.
  bool Withdraw(ScheduledTask& task);
  void CancelSent(ScheduledTask& task, bool force);

  const SchedulerOptions options_;
  ResourceBook book_;
  std::vector<TaskShape> shapes_;
  std::map<std::tuple<std::vector<double>, EnvironmentNumber, Place>, ShapeNumber> shape_numbers_;
  std::vector<ShapeNumber> free_shapes_;  // Of groups that are gone.
  std::unordered_map<GroupNumber, ScheduledGroup> groups_;
  int64_t removed_groups_ = 0;       // Of those.
  std::vector<ShapeNumber> queued_;  // All shapes whose queues are not empty, at least.
  std::unordered_map<EnvironmentNumber, SchedulerEnvironment> environments_;
  Tasks tasks_;
  std::map<WorkerNumber, ScheduledWorker> workers_;
  std::unordered_map<uint64_t, ScheduledActor> actors_;
  std::vector<uint64_t> pausing_;
  std::unordered_map<uint64_t, int64_t> durations_ns_;  // Of functions, as they are of late.
  std::vector<Action> actions_;
  WorkerNumber last_worker_ = 0;
  uint64_t last_order_ = 0;
  int starting_ = 0;
  int idle_ = 0;
  int stopping_ = 0;
  int64_t ahead_ = 0;     // Functions sent behind others.
  int free_runners_ = 0;  // Workers whose lease has no processors, of functions, that do not wait.
  bool place_wanted_ = false;
  int64_t now_ns_ = 0;
  int64_t looked_ns_ = 0;  // When what goes by time was looked at.
};

}  // namespace penstock::runtime
