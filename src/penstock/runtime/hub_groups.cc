#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "penstock/runtime/hub_running.h"

namespace penstock::runtime {
namespace {

using Json = nlohmann::json;

constexpr size_t kRemovedGroupsMax = 1000;  // That the table still tells of.
constexpr const char* kStates[] = {"PENDING", "CREATED", "REMOVED"};

}  // namespace

Status RunningHub::OnMakeGroup(HubClient& client, IncomingMessage& message) {
  const auto request = message.fields.Number<uint64_t>();
  const auto id = message.fields.Number<uint64_t>();
  const std::string text(message.fields.Bytes());
  size_t next = 0;
  PENSTOCK_TRY(Value ready, ReadValue(client.number, message, &next, store_));
  if (!message.fields.ok()) return Status::OK();
  if (ClientOf(id) != client.number || groups_.contains(id) || tasks_.contains(id)) {
    return Status::Invalid("made a placement group that is not its own");
  }
  PENSTOCK_TRY(GroupOptions options, option_reader_.ReadGroup(text));
  const std::string why_not = WhyNoGroup(options);
  if (why_not.empty()) {
    PENSTOCK_RETURN_NOT_OK(objects_.Make(id + 1, 0, ObjectKind::kValue, id));
    objects_.Pin(id + 1);
    const HubGroup& group =
        groups_.emplace(id, HubGroup{.options = std::move(options), .ready = std::move(ready)})
            .first->second;
    scheduler_->GroupSubmitted(id, group.options.bundles);
  }
  TellText(client, request, why_not);
  return Status::OK();
}

std::string RunningHub::WhyNoGroup(const GroupOptions& options) const {
  if (!options.unplaceable.empty()) return "The placement group " + options.unplaceable;
  const bool is_taken = std::ranges::any_of(groups_, [&](const auto& entry) {
    return entry.second.state != GroupState::kRemoved && entry.second.options.name == options.name;
  });
  if (options.name.empty() || !is_taken) return "";
  return "There is a placement group of this name already: " + options.name;
}

void RunningHub::Do(const GroupReady& action) {
  HubGroup& group = groups_.at(action.group);
  group.state = GroupState::kCreated;
  StoreObject(action.group + 1, std::exchange(group.ready, {}));
}

Status RunningHub::OnRemoveGroup(HubClient& client, IncomingMessage& message) {
  const auto id = message.fields.Number<uint64_t>();
  const auto found = groups_.find(id);
  if (found == groups_.end() || found->second.state == GroupState::kRemoved) return Status::OK();
  HubGroup& group = found->second;
  if (std::exchange(group.state, GroupState::kRemoved) == GroupState::kPending) {
    StoreObject(id + 1, ErrorValue(SystemError::kGroupRemoved,
                                   "The placement group was removed before there was room for it"));
  }
  group.ready = {};
  objects_.Unpin(id + 1);
  scheduler_->GroupRemoved(id);
  removed_groups_.push_back(id);
  if (removed_groups_.size() > kRemovedGroupsMax) {
    groups_.erase(removed_groups_.front());
    removed_groups_.pop_front();
  }
  return Status::OK();
}

bool RunningHub::HasGroup(const Place& place) const {
  const auto group = groups_.find(place.group);
  return group != groups_.end() && group->second.state != GroupState::kRemoved;
}

/// Returns why a task's group, if it has one, can never run it, as the end of a sentence.
std::string RunningHub::WhyNotIn(const TaskOptions& options) const {
  if (options.place.group == 0) return "";
  const std::vector<std::vector<double>>& bundles = groups_.at(options.place.group).options.bundles;
  const auto count = static_cast<int>(bundles.size());
  if (options.place.bundle >= count) {
    return fmt::format("is to run in bundle {} of a placement group of {} bundles",
                       options.place.bundle, count);
  }
  const bool takes_any = options.place.bundle == kAnyBundle;
  const int first = takes_any ? 0 : options.place.bundle;
  const int last = takes_any ? count - 1 : options.place.bundle;
  std::string why;
  for (int bundle = first; bundle <= last; ++bundle) {
    const std::vector<double>& there = bundles[static_cast<size_t>(bundle)];
    size_t i = 0;
    while (i < there.size() && options.needs[i] <= there[i] + 1e-9) ++i;
    if (i == there.size()) return "";
    why = TooLittle(resources_[i].first, options.needs[i], there[i],
                    fmt::format(" in bundle {} of its placement group", bundle));
  }
  return why;
}

/// Returns JSON: a list of groups, each with its number, name, strategy, bundles and state.
std::string RunningHub::TableOfGroups() const {
  Json table = Json::array();
  for (const auto& [id, group] : groups_) {
    Json bundles = Json::array();
    for (const std::vector<double>& bundle : group.options.bundles) {
      Json amounts = Json::object();
      for (size_t i = 0; i < bundle.size(); ++i) {
        if (bundle[i] > 0) amounts[resources_[i].first] = bundle[i];
      }
      bundles.push_back(std::move(amounts));
    }
    table.push_back({{"number", id},
                     {"name", group.options.name},
                     {"strategy", group.options.strategy},
                     {"bundles", std::move(bundles)},
                     {"state", kStates[static_cast<size_t>(group.state)]}});
  }
  return table.dump();
}

}  // namespace penstock::runtime
