#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <queue>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "penstock/runtime/scheduler.h"

namespace penstock::runtime {

/// What the simulator knows of a task.
struct SimulatedTask {
  TaskSpec spec;
  std::vector<double> needs;
  GroupNumber group = 0;
  int64_t index = 0;  // In the order submitted.
  bool ended = false;
  bool cancelled = false;   // Somebody has asked for that.
  WorkerNumber worker = 0;  // That has it; 0: none.
  int charged = 0;          // Ends of workers, and wishes to be repeated, that count.
  int memory_kills = 0;
};

struct SimulatedActor {
  ActorSpec spec;
  uint64_t constructor = 0;
  bool ended = false;
  bool referenced = true;
  std::map<uint32_t, int64_t> last_sent;  // By caller, the last first-time call that was sent.
};

struct SimulatedWorker {
  EnvironmentNumber environment = 0;
  bool up = false;
  bool stopping = false;
  bool dying = false;
  bool leased = false;
  bool blocked = false;
  bool was_blocked = false;  // In this lease: it may be owed processors.
  bool killed = false;
  uint64_t actor = 0;
  ShapeNumber shape = 0;
  std::vector<double> needs;  // Of the lease.
  GroupNumber group = 0;      // Whence it has them.
  int concurrency = 1;
  std::deque<uint64_t> queue;  // Sent, not begun.
  std::set<uint64_t> running;
};

struct SimulatedGroup {
  std::vector<std::vector<double>> bundles;
  bool ready = false;
  bool removed = false;
};

struct SimulationOutcome {
  std::string violation;  // Empty: every promise held.
  int64_t steps = 0;
  int64_t returned = 0;  // Tasks that ended with what their worker said.
  int64_t failed = 0;
};

/// A cluster on virtual time, in which a scheduler's actions are carried out with random delays,
/// and whose tasks, actors and workers do what such do, at random: end, raise, block, die, are
/// cancelled, killed and forgotten. After each step what scheduler.h promises is checked.
class SimulatedCluster {
 public:
  explicit SimulatedCluster(uint64_t seed);

  SimulationOutcome Run();

 private:
  using Happening = std::function<void()>;
  struct Due {
    int64_t at_ns = 0;
    int64_t number = 0;
    std::shared_ptr<Happening> happening;
    bool operator>(const Due& other) const {
      return at_ns != other.at_ns ? at_ns > other.at_ns : number > other.number;
    }
  };

  // What goes on in the world.
  void SubmitSomething();
  void SubmitFunction();
  void SubmitActor();
  void SubmitGroup();
  ShapeNumber AnyShape(SimulatedTask& task);
  void RemoveGroup(GroupNumber number);
  void SubmitCall(uint64_t actor);
  void AwaitObjects(const TaskSpec& spec);
  void Disturb();
  void BeginNext(WorkerNumber number);
  void Work(WorkerNumber number, uint64_t task);
  void Finish(WorkerNumber number, uint64_t task);
  void Die(WorkerNumber number, bool out_of_memory);
  void Forget(uint64_t actor);

  // Actions.
  void Settle();
  void Do(const StartWorker& action);
  void Do(const RunTask& action);
  void Do(const EndLease& action);
  void Do(const StopWorker& action);
  void Do(const KillWorker& action);
  void Do(const InterruptTask& action);
  void Do(const TakeBack& action);
  void Do(const EndTask& action);
  void Do(const EndActor& action);
  void Do(const GroupReady& action);

  // Checks.
  void Require(bool holds, const std::string& rule);
  void CheckOrder(const SimulatedTask& task, int attempt);
  void CheckResources();
  void CheckGroups();
  void CheckEnd();
  void End(SimulatedTask& task);

  void Later(int64_t delay_ns, Happening happening);
  int64_t Random(int64_t most) { return static_cast<int64_t>(random_() % (most + 1)); }
  bool OneIn(int64_t count) { return Random(count - 1) == 0; }
  uint64_t AnyOpenTask();

  std::mt19937_64 random_;
  SchedulerOptions options_;
  std::unique_ptr<Scheduler> scheduler_;
  std::vector<std::vector<double>> needs_;
  std::vector<ShapeNumber> shapes_;
  std::priority_queue<Due, std::vector<Due>, std::greater<>> due_;
  std::map<uint64_t, SimulatedTask> tasks_;
  std::map<uint64_t, SimulatedActor> actors_;
  std::map<WorkerNumber, SimulatedWorker> workers_;
  std::map<GroupNumber, SimulatedGroup> groups_;
  int64_t now_ns_ = 0;
  int64_t posted_ = 0;
  int64_t to_submit_ = 0;
  uint64_t last_id_ = 0;
  int64_t starting_ = 0;
  bool short_tasks_ = false;
  int64_t danger_ = 0;  // The higher, the seldomer something goes wrong; 0: never.
  SimulationOutcome outcome_;
};

}  // namespace penstock::runtime
