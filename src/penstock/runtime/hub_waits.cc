#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "penstock/runtime/hub_running.h"

namespace penstock::runtime {

/// Notes that a task waits for a request's objects and for nothing else, and ends the wait with an
/// error where it would never end.
void RunningHub::RefuseEndlessWait(HubClient& client, uint64_t number, uint64_t task) {
  const auto waiting = tasks_.find(task);
  if (waiting == tasks_.end()) return;
  waiting_[task] = {client.number, number};
  if (waiting_.size() == 1 && waiting->second.kind == TaskKind::kFunction) return;
  const WaitingCalls calls = FindWaitingCalls();
  const std::vector<uint64_t> way =
      FindEndlessWait(task, [&](uint64_t other) { return WaitsOf(other, calls); });
  if (way.empty()) return;
  waiting_.erase(task);
  std::vector<std::string> labels;
  for (const uint64_t other : way) labels.push_back(LabelOf(tasks_.at(other)));
  const std::string text = fmt::format(
      "Tasks that wait for each other never end: {}; a call of an actor must not get what only "
      "that actor's next call makes: return the reference, make the method async, or give the "
      "actor a larger max_concurrency",
      fmt::join(labels, " waits for "));
  const Request& request = *client.requests.Find(number);
  const auto missing = std::ranges::find_if(request.ids, [this](uint64_t id) {
    const Object* object = objects_.Find(id);
    return object != nullptr && !object->ready;
  });
  AnswerGet(client, number, static_cast<uint32_t>(missing - request.ids.begin()),
            ErrorValue(SystemError::kDeadlock, text));
}

/// Returns the open request that a task has said it waits for; null where it does not wait.
const Request* RunningHub::WaitingRequest(uint64_t task) {
  const auto found = waiting_.find(task);
  if (found == waiting_.end()) return nullptr;
  HubClient* client = FindClient(found->second.first);
  return client == nullptr ? nullptr : client->requests.Find(found->second.second);
}

WaitsFor RunningHub::WaitsOf(uint64_t id, const WaitingCalls& calls) {
  WaitsFor waits;
  const auto found = tasks_.find(id);
  if (found == tasks_.end()) return waits;
  if (const Request* request = WaitingRequest(id)) {
    AddMakersOf(request->ids, waits.needs);
    return waits;
  }
  const HubTask& task = found->second;
  if (task.missing > 0) AddMakersOf(task.given, waits.needs);
  const auto actor = actors_.find(task.actor);
  if (task.kind != TaskKind::kMethod || actor == actors_.end()) return waits;
  if (const uint64_t constructor = actor->second.constructor; tasks_.contains(constructor)) {
    waits.needs.push_back(constructor);
  }
  const auto waiting = calls.find(task.actor);
  const auto all = static_cast<size_t>(actor->second.max_concurrency);
  if (waiting != calls.end() && waiting->second.size() >= all) waits.rooms = waiting->second;
  return waits;
}

/// Adds the tasks that make those of the objects that are not there yet.
void RunningHub::AddMakersOf(const std::vector<uint64_t>& ids, std::vector<uint64_t>& makers) {
  for (const uint64_t id : ids) {
    const Object* object = objects_.Find(id);
    if (object != nullptr && !object->ready && object->task != 0) makers.push_back(object->task);
  }
}

/// Returns the calls that wait, by actor, and forgets those that do not wait any more.
RunningHub::WaitingCalls RunningHub::FindWaitingCalls() {
  std::erase_if(waiting_,
                [this](const auto& entry) { return WaitingRequest(entry.first) == nullptr; });
  WaitingCalls calls;
  for (const auto& [task, request] : waiting_) {
    const HubTask& waiting = tasks_.at(task);
    if (waiting.kind == TaskKind::kMethod) calls[waiting.actor].push_back(task);
  }
  return calls;
}

}  // namespace penstock::runtime
