#include <fmt/format.h>

#include <utility>

#include "penstock/runtime/hub_running.h"

namespace penstock::runtime {

/// Returns whether a named actor is to be made; else who asked is told of the one that there is.
bool RunningHub::TakesName(HubClient& client, uint64_t request, uint64_t id, const HubTask& task) {
  const TaskOptions& options = *task.options;
  const auto [taken, is_new] = names_.try_emplace({options.name_space, options.name}, id);
  if (is_new) return true;
  if (options.get_if_exists) {
    TellActor(client, request, taken->second, "");
  } else {
    TellActor(
        client, request, 0,
        fmt::format("The name '{}' is already taken in the namespace '{}'; choose another, ask "
                    "for the actor that has it with get_actor, or pass get_if_exists=True",
                    options.name, options.name_space));
  }
  return false;
}

void RunningHub::MakeActor(uint64_t constructor, const HubTask& task, bool is_named) {
  const TaskOptions& options = *task.options;
  HubActor& actor = actors_[task.actor];
  if (is_named) actor.name = {options.name_space, options.name};
  actor.options_text = task.options_text;
  actor.label = options.label;
  actor.constructor = constructor;
  actor.max_concurrency = options.actor.max_concurrency;
  actor.max_task_retries = options.max_task_retries;
  actor.detached = options.detached;
  if (actor.detached) objects_.Pin(task.actor);
}

/// Tells a client which actor it asked for, and has it hold that.
void RunningHub::TellActor(HubClient& client, uint64_t request, uint64_t id,
                           const std::string& error) {
  const auto actor = actors_.find(id);
  objects_.Hold(id, client.number);
  MessageWriter answer(MessageKind::kActor);
  answer.Number(request)
      .Number(id)
      .Bytes(actor == actors_.end() ? "" : actor->second.options_text)
      .Bytes(error);
  client.link->Send(answer.Finish());
  Touch(client);
}

Status RunningHub::OnFindActor(HubClient& client, IncomingMessage& message) {
  const auto request = message.fields.Number<uint64_t>();
  std::string name_space(message.fields.Bytes());
  std::string name(message.fields.Bytes());
  if (!message.fields.ok()) return Status::OK();
  const auto found = names_.find({std::move(name_space), std::move(name)});
  TellActor(client, request, found == names_.end() ? 0 : found->second, "");
  return Status::OK();
}

Status RunningHub::OnKill(HubClient& client, IncomingMessage& message) {
  const auto actor = message.fields.Number<uint64_t>();
  const auto may_restart = message.fields.Number<uint32_t>();
  if (!message.fields.ok()) return Status::OK();
  scheduler_->KillActor(actor, may_restart != 0);
  Settle();  // Its name is free for what comes next.
  return Status::OK();
}

Status RunningHub::OnCancel(HubClient& client, IncomingMessage& message) {
  const auto id = message.fields.Number<uint64_t>();
  const auto flags = message.fields.Number<uint32_t>();
  const auto request = message.fields.Number<uint64_t>();
  if (!message.fields.ok()) return Status::OK();
  const Object* object = objects_.Find(id);
  const uint64_t maker = object == nullptr ? 0 : object->task;
  const auto task = tasks_.find(maker);
  std::string why_not;
  if (task != tasks_.end() && task->second.kind == TaskKind::kMethod && (flags & kForce) != 0) {
    why_not = fmt::format(
        "force=True is not supported for actor tasks, as it would end the actor with the call: "
        "cancel {} without it, or end the actor with kill()",
        LabelOf(task->second));
  } else if (maker != 0) {
    scheduler_->CancelTask(maker, flags);
  }
  if (request != 0) TellText(client, request, why_not);
  return Status::OK();
}

void RunningHub::Do(const EndActor& action) {
  const auto found = actors_.find(action.actor);
  if (found == actors_.end()) return;
  if (!found->second.name.second.empty()) names_.erase(found->second.name);
  found->second.name = {};
  if (std::exchange(found->second.detached, false)) objects_.Unpin(action.actor);
  found->second.ended = true;
  if (objects_.Find(action.actor) == nullptr) actors_.erase(found);
}

/// Nobody refers to the actor any more: it ends when it has done its calls.
void RunningHub::DropActor(uint64_t id) {
  scheduler_->ActorUnreferenced(id);
  const auto found = actors_.find(id);
  if (found != actors_.end() && found->second.ended) actors_.erase(found);
}

}  // namespace penstock::runtime
