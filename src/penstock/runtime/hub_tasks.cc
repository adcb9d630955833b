#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "penstock/runtime/hub_running.h"

namespace penstock::runtime {
namespace {

constexpr int32_t kReturnsMax = 1 << 20;

}  // namespace

Status RunningHub::OnDefine(HubClient& client, IncomingMessage& message) {
  const auto id = message.fields.Number<uint64_t>();
  size_t next = 0;
  PENSTOCK_TRY(Value value, ReadValue(client.number, message, &next, store_));
  if (value.segment != nullptr) store_.Want(*value.segment);  // For ever: it is wanted soon.
  functions_.try_emplace(id, std::move(value));
  return Status::OK();
}

Status RunningHub::OnSubmit(HubClient& client, IncomingMessage& message) {
  MessageReader& fields = message.fields;
  HubTask task;
  const auto id = fields.Number<uint64_t>();
  task.kind = fields.Number<TaskKind>();
  task.function = fields.Number<uint64_t>();
  task.actor = fields.Number<uint64_t>();
  task.method = fields.Bytes();
  task.returns = fields.Number<int32_t>();
  task.options_text = fields.Bytes();
  const auto request = fields.Number<uint64_t>();
  size_t next = 0;
  PENSTOCK_TRY(task.arguments, ReadValue(client.number, message, &next, store_));
  task.given = fields.Ids();
  if (!fields.ok()) return Status::OK();
  const bool is_constructor = task.kind == TaskKind::kConstructor;
  if (task.kind > TaskKind::kMethod || task.returns < -1 || task.returns > kReturnsMax ||
      ClientOf(id) != client.number || tasks_.contains(id) || groups_.contains(id) ||
      (is_constructor && ClientOf(task.actor) != client.number)) {
    return Status::Invalid("submitted a task that none can be");
  }
  if (task.kind != TaskKind::kMethod && !functions_.contains(task.function)) {
    return Status::Invalid("submitted a function that it has not defined");
  }
  PENSTOCK_TRY(task.options, option_reader_.Read(task.kind, task.options_text));
  if (is_constructor) {
    const bool is_named = request != 0;
    if (is_named && !TakesName(client, request, task.actor, task)) return Status::OK();
    PENSTOCK_RETURN_NOT_OK(objects_.Make(task.actor, client.number, ObjectKind::kActor));
    MakeActor(id, task, is_named);
    if (is_named) TellActor(client, request, task.actor, "");
  }
  PENSTOCK_RETURN_NOT_OK(MakeReturns(client, id, task));
  Submit(client, id, std::move(task));
  return Status::OK();
}

Status RunningHub::MakeReturns(HubClient& client, uint64_t id, const HubTask& task) {
  if (task.kind == TaskKind::kConstructor) return Status::OK();
  if (task.returns < 0) {
    generators_.try_emplace(id + 1);
    return objects_.Make(id + 1, client.number, ObjectKind::kGenerator, id);
  }
  for (int32_t i = 0; i < task.returns; ++i) {
    PENSTOCK_RETURN_NOT_OK(
        objects_.Make(id + 1 + static_cast<uint64_t>(i), client.number, ObjectKind::kValue, id));
  }
  return Status::OK();
}

void RunningHub::Submit(HubClient& client, uint64_t id, HubTask task) {
  const TaskOptions& options = *task.options;
  TaskSpec spec{.task = id,
                .kind = task.kind,
                .shape = options.shape,
                .function = task.function,
                .actor = task.actor,
                .caller = client.number,
                .max_retries = options.max_retries,
                .max_calls = options.max_calls};
  if (client.worker != 0) spec.parent = scheduler_->RunningTask(client.worker);
  if (task.kind == TaskKind::kMethod && !options.max_retries_given) {
    const auto actor = actors_.find(task.actor);
    spec.max_retries = actor == actors_.end() ? 0 : actor->second.max_task_retries;
  }
  HubTask& kept = tasks_.try_emplace(id, std::move(task)).first->second;
  AwaitGiven(id, kept);
  spec.waits = kept.missing > 0;
  Schedule(kept, spec);
}

/// Hands a task to the scheduler, or ends it where it can never run.
void RunningHub::Schedule(const HubTask& task, TaskSpec spec) {
  const TaskOptions& options = *task.options;
  const bool has_place = options.place.group == 0 || HasGroup(options.place);
  const std::string why =
      options.unplaceable.empty() && has_place ? WhyNotIn(options) : options.unplaceable;
  const bool fits = has_place && why.empty();
  if (fits && options.place.group != 0) {
    spec.shape = scheduler_->ShapeOf(options.needs, options.environment, options.place);
  }
  if (task.kind == TaskKind::kConstructor) {
    if (fits) return scheduler_->ActorSubmitted(spec, options.actor);
    if (has_place) return scheduler_->ActorRefused(spec, SystemError::kUnplaceable, why);
    return scheduler_->ActorRefused(spec, SystemError::kActorDied,
                                    "was not built, as its placement group is removed");
  }
  if (fits) return scheduler_->TaskSubmitted(spec);
  if (has_place) return Fail(spec.task, SystemError::kUnplaceable, LabelOf(task) + " " + why);
  Fail(spec.task, SystemError::kGroupRemoved,
       LabelOf(task) + " was not run, as its placement group is removed");
}

/// Pins what the task refers to, and has it wait for what it is given.
void RunningHub::AwaitGiven(uint64_t id, HubTask& task) {
  for (const uint64_t contained : task.arguments.contained) objects_.Pin(contained);
  for (const uint64_t given : task.given) {
    Object* object = objects_.Find(given);
    if (object == nullptr) continue;
    ++object->pins;
    if (object->ready || object->kind == ObjectKind::kActor) continue;
    object->waiters.push_back({.client = 0, .id = id});
    ++task.missing;
  }
}

void RunningHub::GivenReady(uint64_t id) {
  const auto found = tasks_.find(id);
  if (found != tasks_.end() && --found->second.missing == 0) scheduler_->TaskReady(id);
}

Status RunningHub::OnDone(HubClient& client, IncomingMessage& message) {
  const auto id = message.fields.Number<uint64_t>();
  const auto flags = message.fields.Number<uint32_t>();
  const auto count = message.fields.Number<uint32_t>();
  std::vector<Value> values;
  size_t next = 0;
  for (uint32_t i = 0; i < count && message.fields.ok(); ++i) {
    PENSTOCK_TRY(values.emplace_back(), ReadValue(client.number, message, &next, store_));
    KeepIfRoom(values.back());
  }
  if (!message.fields.ok()) return Status::OK();
  if ((flags & (kFailed | kWasCancelled)) == kFailed && values.size() != 1) {
    return Status::Invalid("answered a task with an error and ", values.size(), " values");
  }
  if (scheduler_->TaskDone(client.worker, id, flags) != Answered::kOver) return Status::OK();
  return EndWithValues(id, flags, std::move(values));
}

Status RunningHub::EndWithValues(uint64_t id, uint32_t flags, std::vector<Value> values) {
  const HubTask& task = tasks_.at(id);
  if ((flags & kWasCancelled) != 0) {
    Fail(id, SystemError::kCancelled, LabelOf(task) + " was cancelled");
    return Status::OK();
  }
  if (task.kind == TaskKind::kConstructor) {
    if ((flags & kFailed) != 0) {
      values[0].flags |= kIsConstructorError;
      actors_.at(task.actor).constructor_error = std::move(values[0]);
    }
  } else if ((flags & kFailed) != 0) {
    StoreInAll(id, task, values[0]);
  } else if (task.returns < 0) {
    EndGenerator(id + 1);
  } else {
    if (values.size() != static_cast<size_t>(task.returns)) {
      const std::string text =
          fmt::format("returned {} values instead of {}", values.size(), task.returns);
      Fail(id, SystemError::kWorkerCrashed, text);
      return Status::Invalid(text);
    }
    for (size_t i = 0; i < values.size(); ++i) StoreObject(id + 1 + i, std::move(values[i]));
  }
  Forget(id);
  return Status::OK();
}

Status RunningHub::OnGiveBack(HubClient& client, IncomingMessage& message) {
  const auto id = message.fields.Number<uint64_t>();
  if (message.fields.ok()) scheduler_->TaskGivenBack(client.worker, id);
  return Status::OK();
}

/// Ends a task without a value.
void RunningHub::Fail(uint64_t id, SystemError error, const std::string& text) {
  const HubTask& task = tasks_.at(id);
  const auto actor = actors_.find(task.actor);
  const bool is_call = task.kind == TaskKind::kMethod && error == SystemError::kActorDied;
  if (is_call && actor != actors_.end() && actor->second.constructor_error) {
    StoreInAll(id, task, *actor->second.constructor_error);
  } else if (task.kind != TaskKind::kConstructor) {
    StoreInAll(id, task, ErrorValue(error, text));
  }
  Forget(id);
}

void RunningHub::StoreInAll(uint64_t id, const HubTask& task, const Value& value) {
  if (task.returns < 0) {
    const uint64_t item = MakeId(0, ++last_own_id_);
    AddItem(id + 1, item, value);
    return EndGenerator(id + 1);
  }
  const auto returns = static_cast<uint64_t>(task.returns);
  for (uint64_t i = 0; i < returns; ++i) StoreObject(id + 1 + i, value);
}

/// Lets go of what a task referred to, at its end.
void RunningHub::Forget(uint64_t id) {
  waiting_.erase(id);
  auto ended = tasks_.extract(id);
  for (const uint64_t contained : ended.mapped().arguments.contained) objects_.Unpin(contained);
  for (const uint64_t given : ended.mapped().given) objects_.Unpin(given);
}

std::string RunningHub::LabelOf(const HubTask& task) const {
  if (task.kind == TaskKind::kMethod) {
    const auto actor = actors_.find(task.actor);
    const std::string& label = actor == actors_.end() ? "" : actor->second.label;
    return label.empty() ? task.method : label + "." + task.method;
  }
  if (!task.options->label.empty()) return task.options->label;
  return task.kind == TaskKind::kConstructor ? "an actor" : "a task";
}

}  // namespace penstock::runtime
