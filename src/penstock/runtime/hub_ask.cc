#include <nlohmann/json.hpp>

#include "penstock/runtime/hub_running.h"

namespace penstock::runtime {
namespace {

using Json = nlohmann::json;

Json NamesOf(const std::map<std::pair<std::string, std::string>, uint64_t>& names) {
  Json named = Json::array();
  for (const auto& [name, actor] : names) named.push_back({name.first, name.second});
  return named;
}

}  // namespace

Status RunningHub::OnAsk(HubClient& client, IncomingMessage& message) {
  const auto request = message.fields.Number<uint64_t>();
  const std::string what(message.fields.Bytes());
  if (!message.fields.ok()) return Status::OK();
  if (what == "room") {  // Answered once there is some.
    room_asks_.emplace_back(client.number, request);
    return Status::OK();
  }
  Settle();  // What follows from what was said before counts.
  TellText(client, request, Answer(what));
  return Status::OK();
}

void RunningHub::TellText(HubClient& client, uint64_t request, const std::string& text) {
  MessageWriter answer(MessageKind::kText);
  answer.Number(request).Bytes(text);
  client.link->Send(answer.Finish());
  Touch(client);
}

/// Returns JSON; "null" where nothing is known of what is asked.
std::string RunningHub::Answer(const std::string& what) const {
  Json total = Json::object();
  Json available = Json::object();
  const std::vector<double> left = scheduler_->available();
  for (size_t i = 0; i < resources_.size(); ++i) {
    const auto& [name, amount] = resources_[i];
    if (amount <= 0) continue;
    total[name] = amount;
    available[name] = left[i];
  }
  const auto store = static_cast<double>(options_.store_bytes);
  total["object_store_memory"] = store;
  available["object_store_memory"] = store - static_cast<double>(store_.bytes());
  if (what == "resources") return total.dump();
  if (what == "available") return available.dump();
  if (what == "nodes") return Json::array({{{"Alive", true}, {"Resources", total}}}).dump();
  if (what == "names") return NamesOf(names_).dump();
  if (what == "groups") return TableOfGroups();
  if (what == "counts") {
    return Json({{"objects", objects_.size()},
                 {"tasks", tasks_.size()},
                 {"actors", actors_.size()},
                 {"workers", workers_.size()},
                 {"clients", clients_.size()},
                 {"segment_bytes", store_.bytes()},
                 {"spilled_bytes", store_.spilled_bytes()}})
        .dump();
  }
  return "null";
}

}  // namespace penstock::runtime
