#include <fmt/format.h>
#include <fmt/ranges.h>
#include <signal.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "penstock/runtime/hub_running.h"

namespace penstock::runtime {
namespace {

/// What a task worker is told through its worker socket (see python/penstock/worker/tasks.py).
std::string SetupOf(WorkerNumber worker, const TaskEnvironment& environment) {
  std::string setup = "PENTASKS";
  for (int shift = 0; shift < 64; shift += 8) {
    setup.push_back(static_cast<char>(static_cast<uint64_t>(worker) >> shift));
  }
  setup += nlohmann::json({{"working_dir", environment.working_folder}}).dump();
  return setup;
}

std::string TextOf(const WorkerExit& exit) {
  if (exit.last_words.empty()) return exit.reason;
  return fmt::format("{}\n{}", exit.reason, exit.last_words);
}

}  // namespace

HubClient* RunningHub::ClientOfWorker(WorkerNumber worker) {
  const auto found = workers_.find(worker);
  return found == workers_.end() ? nullptr : FindClient(found->second.client);
}

void RunningHub::Do(const StartWorker& action) {
  HubWorker& worker = workers_[action.worker];
  const auto running = static_cast<int>(workers_.size());
  const TaskEnvironment& environment = option_reader_.environment(action.environment);
  WorkerCommand command = options_.worker_command;
  command.own_environment = environment.variables;
  if (has_gpus_) command.own_environment.emplace_back("CUDA_VISIBLE_DEVICES=");
  const auto task = tasks_.find(action.task);
  command.name = task == tasks_.end() ? "task" : LabelOf(task->second);
  command.pool_name = command.name;
  worker.name = command.name;
  command.pool_workers = running;  // The first few are spawned: nobody waits for a template.
  const Status started = host_->Start(action.worker, command, SetupOf(action.worker, environment));
  if (started.ok()) return;
  WorkerEnded({action.worker, {.cause = ExitCause::kNotStarted, .reason = started.message()}});
}

void RunningHub::Do(const RunTask& action) {
  HubClient* client = ClientOfWorker(action.worker);
  if (client == nullptr) return;  // It has hung up: its end will tell.
  HubWorker& worker = workers_.at(action.worker);
  const double gpus = tasks_.at(action.task).options->gpus;
  if (action.takes && gpus > 0) {
    worker.gpus = gpus;
    worker.devices = devices_.Take(gpus);
  }
  if (!DelayRun(action, worker)) SendRun(*client, action);
}

/// Sends a task to a worker; all that it is given is in memory, or cannot be.
void RunningHub::SendRun(HubClient& client, const RunTask& action) {
  const auto found = tasks_.find(action.task);
  if (found == tasks_.end()) return;  // It has ended meanwhile.
  const HubTask& task = found->second;
  HubWorker& worker = workers_.at(action.worker);
  if (task.kind != TaskKind::kMethod) {
    NameAfter(action.worker, worker, task);
    SendFunction(client, task.function);
  }
  const auto generator = task.returns < 0 ? generators_.find(action.task + 1) : generators_.end();
  if (generator != generators_.end()) generator->second.repeated = 0;
  OutgoingMessage run(MessageKind::kRun, client.number);
  run.fields.Number(action.task)
      .Number(task.kind)
      .Number(task.function)
      .Number(task.actor)
      .Bytes(task.method)
      .Number(task.returns)
      .Bytes(task.options_text)
      .Bytes(worker.devices.empty() ? "" : fmt::format("{}", fmt::join(worker.devices, ",")))
      .Number(static_cast<uint32_t>(action.attempt));
  run.Add(MustWait(task.arguments) ? LostValue(action.task) : task.arguments);
  run.fields.Number(static_cast<uint32_t>(task.given.size()));
  for (const uint64_t given : task.given) {
    const Object* object = objects_.Find(given);
    const bool is_there =
        object != nullptr && object->kind != ObjectKind::kActor && !MustWait(object->value);
    run.Add(is_there ? object->value : LostValue(given));
  }
  run.SendOn(*client.link);
  Touch(client);
}

/// Has the lines that a worker prints begin with the name of what it runs.
void RunningHub::NameAfter(WorkerNumber number, HubWorker& worker, const HubTask& task) {
  std::string name = LabelOf(task);
  if (name == worker.name || !host_->Rename(number, name)) return;
  worker.name = std::move(name);
}

void RunningHub::SendFunction(HubClient& client, uint64_t function) {
  if (!client.functions.insert(function).second) return;
  OutgoingMessage definition(MessageKind::kFunction, client.number);
  definition.fields.Number(function);
  definition.Add(functions_.at(function));
  definition.SendOn(*client.link);
}

void RunningHub::Do(const EndLease& action) {
  const auto found = workers_.find(action.worker);
  if (found != workers_.end()) GiveDevices(found->second);
}

void RunningHub::GiveDevices(HubWorker& worker) {
  if (!worker.devices.empty()) devices_.Give(worker.devices, worker.gpus);
  worker.devices.clear();
}

void RunningHub::Do(const StopWorker& action) {
  const auto found = workers_.find(action.worker);
  if (found == workers_.end()) return;
  found->second.stopping = true;
  host_->Stop(action.worker);
  HubClient* client = FindClient(found->second.client);
  if (client == nullptr) return;
  client->link->Send(MessageWriter(MessageKind::kStop).Finish());
  Touch(*client);
}

void RunningHub::Do(const KillWorker& action) {
  host_->Kill(action.worker, {.cause = ExitCause::kKilled, .text = action.why});
}

void RunningHub::Do(const InterruptTask& action) {
  if (TakeBackDelayed(action)) return;
  HubClient* client = ClientOfWorker(action.worker);
  if (client == nullptr) return;
  MessageWriter interrupt(MessageKind::kInterrupt);
  interrupt.Number(action.task);
  client->link->Send(interrupt.Finish());
  client->link->Flush();  // Before the signal.
  host_->Signal(action.worker, SIGUSR1);
}

void RunningHub::Do(const TakeBack& action) {
  HubClient* client = ClientOfWorker(action.worker);
  if (client == nullptr) return;
  MessageWriter take_back(MessageKind::kTakeBack);
  take_back.Ids(action.tasks);
  client->link->Send(take_back.Finish());
  client->link->Flush();  // Before the signal.
  host_->Signal(action.worker, SIGUSR1);
}

void RunningHub::Do(const EndTask& action) {
  const auto found = tasks_.find(action.task);
  if (found == tasks_.end()) return;
  const std::string label = LabelOf(found->second);
  std::string text;
  switch (action.error) {
    case SystemError::kCancelled:
      text = label + " was cancelled";
      break;
    case SystemError::kGroupRemoved:
      text = label + " has ended, as its placement group was removed";
      break;
    case SystemError::kPendingCallsLimit:
      text = label + ": the actor has as many calls pending as max_pending_calls allows";
      break;
    case SystemError::kActorDied:
    case SystemError::kActorUnavailable:
    case SystemError::kUnplaceable:
      text = fmt::format("{}: the actor {}", label, action.text);
      break;
    default:
      text = fmt::format("{}: its worker process {}", label, action.text);
  }
  Fail(action.task, action.error, text);
}

/// Hears what the worker had still said, then tells of its end.
void RunningHub::WorkerEnded(const Ended& ended) {
  const auto found = workers_.find(ended.worker);
  if (found == workers_.end()) return;
  if (const uint32_t client = found->second.client; client != 0) {
    ReceiveAll(client);
    CloseClient(client);
  }
  GiveDevices(found->second);
  DropDelayed(found->second);
  workers_.erase(ended.worker);
  scheduler_->WorkerGone(
      ended.worker,
      {.text = TextOf(ended.exit), .out_of_memory = ended.exit.cause == ExitCause::kOutOfMemory});
}

}  // namespace penstock::runtime
