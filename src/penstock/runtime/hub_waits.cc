#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "penstock/runtime/hub_running.h"

namespace penstock::runtime {
namespace {

/// Returns whether a task has more of the machine than it gives back while it waits.
bool KeepsSome(const TaskOptions& options) {
  return std::any_of(options.needs.begin() + kProcessorIndex + 1, options.needs.end(),
                     [](double need) { return need > 0; });
}

}  // namespace

/// Notes that a task (0: none) waits for a request's objects and for nothing else.
void RunningHub::NoteWait(HubClient& client, uint64_t request, uint64_t task) {
  if (task == 0 || !tasks_.contains(task)) return;
  waiting_[task] = {client.number, request};
  new_waits_.push_back(task);
}

/// Ends with an error those waits which have begun in this turn and would never end; true: some.
/// The scheduler has placed what it can, with what those who wait have given back.
bool RunningHub::RefuseEndlessWaits() {
  bool has_refused = false;
  std::string why;
  for (const uint64_t task : std::exchange(new_waits_, {})) {
    if (WaitingRequest(task) == nullptr || !IsEndless(task, &why)) continue;
    RefuseWait(task, why);
    has_refused = true;
  }
  return has_refused;
}

bool RunningHub::IsEndless(uint64_t task, std::string* why) {
  const HubTask& waiting = tasks_.at(task);
  const bool is_alone = waiting_.size() == 1 && waiting.kind == TaskKind::kFunction;
  if (is_alone && !KeepsSome(*waiting.options)) return false;
  const WaitingCalls calls = FindWaitingCalls();
  const std::vector<EndlessStep> way =
      FindEndlessWait(task, [&](uint64_t other) { return WaitsOf(other, calls); });
  if (!way.empty()) *why = TextOfWay(way);
  return !way.empty();
}

void RunningHub::RefuseWait(uint64_t task, const std::string& why) {
  const auto [number, id] = waiting_.extract(task).mapped();
  HubClient& client = *FindClient(number);
  const Request& request = *client.requests.Find(id);
  uint32_t place = 0;
  if (request.kind == RequestKind::kGet) {
    const auto missing = std::ranges::find_if(request.ids, [this](uint64_t wanted) {
      const Object* object = objects_.Find(wanted);
      return object != nullptr && !object->ready;
    });
    place = static_cast<uint32_t>(missing - request.ids.begin());
  }
  DropRequest(client, id);
  AnswerGet(client, id, place, ErrorValue(SystemError::kDeadlock, why));
}

std::string RunningHub::TextOfWay(const std::vector<EndlessStep>& way) const {
  std::string text = "Tasks that wait for each other never end: ";
  const char* advice =
      "a call of an actor must not get what only that actor's next call makes: return the "
      "reference, make the method async, or give the actor a larger max_concurrency";
  for (size_t i = 0; i < way.size(); ++i) {
    text += LabelOf(way[i].task);
    if (i + 1 == way.size()) break;
    if (way[i].resource == Share::kNoResource) {
      text += " waits for ";
      continue;
    }
    const auto resource = static_cast<size_t>(way[i].resource);
    text += fmt::format("{} waits for {:g} of the resource '{}', held by ", i > 0 ? ", which" : "",
                        NeedsOf(way[i].task)[resource], resources_[resource].first);
    advice =
        "processors alone are given back by who waits: ask for less of the resource, end what "
        "holds it before waiting, or return the reference instead of waiting for it";
  }
  return fmt::format("{}; {}", text, advice);
}

const std::vector<double>& RunningHub::NeedsOf(uint64_t task_or_group) const {
  const auto group = groups_.find(task_or_group);
  return group == groups_.end() ? tasks_.at(task_or_group).options->needs
                                : group->second.options.needs;
}

/// Returns what people call a task, an actor or a placement group.
std::string RunningHub::LabelOf(uint64_t number) const {
  const auto task = tasks_.find(number);
  if (task != tasks_.end()) return LabelOf(task->second);
  if (groups_.contains(number)) return "a placement group";
  const auto actor = actors_.find(number);
  return actor == actors_.end() || actor->second.label.empty() ? "an actor" : actor->second.label;
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
  const auto holder = actors_.find(id);
  if (holder != actors_.end()) return WaitsOfActor(id, holder->second, calls);
  if (const Request* request = WaitingRequest(id)) return WaitsOfRequest(*request);
  AddShortagesOf(id, waits.shares);
  const auto found = tasks_.find(id);
  if (found == tasks_.end()) return waits;
  const HubTask& task = found->second;
  if (task.missing > 0) AddMakersOf(task.given, waits.needs);
  const auto group = groups_.find(task.options->place.group);
  if (group != groups_.end() && group->second.state == GroupState::kPending) {
    waits.needs.push_back(group->first);
  }
  const auto actor = actors_.find(task.actor);
  if (task.kind != TaskKind::kMethod || actor == actors_.end()) return waits;
  if (const uint64_t constructor = actor->second.constructor; tasks_.contains(constructor)) {
    waits.needs.push_back(constructor);
  }
  const auto waiting = calls.find(task.actor);
  const auto all = static_cast<size_t>(actor->second.max_concurrency);
  if (waiting == calls.end() || waiting->second.size() < all) return waits;
  Share& room = waits.shares.emplace_back();
  for (const uint64_t call : waiting->second) room.givers.push_back({call});
  return waits;
}

void RunningHub::AddShortagesOf(uint64_t id, std::vector<Share>& shares) {
  for (const Shortage& shortage : scheduler_->ShortagesOf(id)) {
    Share& share = shares.emplace_back();
    share.enough = shortage.lacking;
    share.resource = static_cast<int>(shortage.resource);
    for (const auto& [number, amount] : shortage.holders) share.givers.push_back({number, amount});
  }
}

/// An actor that holds a resource holds it while one of its calls waits, or its constructor.
WaitsFor RunningHub::WaitsOfActor(uint64_t id, const HubActor& actor, const WaitingCalls& calls) {
  WaitsFor waits;
  const auto waiting = calls.find(id);
  if (waiting != calls.end()) waits.needs = waiting->second;
  if (WaitingRequest(actor.constructor) != nullptr) waits.needs.push_back(actor.constructor);
  return waits;
}

WaitsFor RunningHub::WaitsOfRequest(const Request& request) {
  WaitsFor waits;
  if (request.kind != RequestKind::kWait) {
    AddMakersOf(request.ids, waits.needs);
    return waits;
  }
  std::vector<uint64_t> makers;
  std::vector<uint32_t> ready = request.places;
  std::ranges::sort(ready);
  for (uint32_t place = 0; place < request.ids.size(); ++place) {
    if (!std::ranges::binary_search(ready, place)) AddMakersOf({request.ids[place]}, makers);
  }
  const auto others = static_cast<double>(request.ids.size() - makers.size());  // That may come.
  Share& share = waits.shares.emplace_back();
  share.enough = static_cast<double>(request.enough) - others;
  for (const uint64_t maker : makers) share.givers.push_back({maker});
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
