#include <utility>

#include "penstock/runtime/hub_running.h"

namespace penstock::runtime {

Status RunningHub::OnYield(HubClient& client, IncomingMessage& message) {
  const auto task = message.fields.Number<uint64_t>();
  const auto item = message.fields.Number<uint64_t>();
  size_t next = 0;
  PENSTOCK_TRY(Value value, ReadValue(client.number, message, &next, store_));
  if (!message.fields.ok()) return Status::OK();
  if (ClientOf(item) != client.number || objects_.Find(item) != nullptr) {
    return Status::Invalid("yielded an object that is not its own");
  }
  const auto found = tasks_.find(task);
  if (found == tasks_.end() || found->second.returns >= 0) return Status::OK();
  const auto generator = generators_.find(task + 1);
  if (generator == generators_.end()) return Status::OK();  // Nobody refers to it any more.
  if (generator->second.repeated < generator->second.yielded) {
    ++generator->second.repeated;
    return Status::OK();
  }
  KeepIfRoom(value);
  AddItem(task + 1, item, std::move(value));
  return Status::OK();
}

/// Adds an item, or drops it where nobody refers to the generator any more.
void RunningHub::AddItem(uint64_t id, uint64_t item, Value value) {
  const auto found = generators_.find(id);
  if (found == generators_.end()) return;
  Generator& generator = found->second;
  if (!objects_.Make(item, 0).ok()) return;
  objects_.Pin(item);
  StoreObject(item, std::move(value));
  generator.items.push_back(item);
  ++generator.yielded;
  ++generator.repeated;
  HandOut(id, generator);
}

void RunningHub::EndGenerator(uint64_t id) {
  const auto found = generators_.find(id);
  if (found == generators_.end()) return;
  found->second.ended = true;
  StoreObject(id, Value{});
  HandOut(id, found->second);
}

/// Gives items to those who wait for them, and tells those who wait for there to be one.
void RunningHub::HandOut(uint64_t id, Generator& generator) {
  while (!generator.takers.empty() && (!generator.items.empty() || generator.ended)) {
    const ItemRequest taker = generator.takers.front();
    generator.takers.pop_front();
    HubClient* client = FindClient(taker.client);
    if (client == nullptr) continue;
    client->requests.Close(taker.request);
    Value answer{.form = ValueForm::kNone, .flags = kIsEnd};
    if (!generator.items.empty()) {
      const uint64_t item = generator.items.front();
      generator.items.pop_front();
      objects_.Hold(item, client->number);
      objects_.Unpin(item);
      answer = {.form = ValueForm::kInline, .flags = kIsItem};
      answer.bytes.assign(reinterpret_cast<const char*>(&item), sizeof item);
    }
    AnswerGet(*client, taker.request, 0, answer);
  }
  Object* object = objects_.Find(id);
  if (object == nullptr || generator.items.empty()) return;
  std::vector<Waiter> told;
  std::erase_if(object->waiters, [&](const Waiter& waiter) {
    HubClient* client = FindClient(waiter.client);
    const Request* request = client == nullptr ? nullptr : client->requests.Find(waiter.id);
    if (request == nullptr || request->kind != RequestKind::kWait) return false;
    told.push_back(waiter);
    return true;
  });
  TellWaiters(told, Value{});
}

Status RunningHub::OnNext(HubClient& client, IncomingMessage& message) {
  const auto number = message.fields.Number<uint64_t>();
  const auto id = message.fields.Number<uint64_t>();
  const auto task = message.fields.Number<uint64_t>();
  if (!message.fields.ok()) return Status::OK();
  const auto found = generators_.find(id);
  if (found == generators_.end()) {
    AnswerGet(client, number, 0, LostValue(id));
    return Status::OK();
  }
  if (client.requests.Open(number, {.kind = RequestKind::kNext, .ids = {id}}) == nullptr) {
    return Status::Invalid("used the number of an open request");
  }
  found->second.takers.push_back({client.number, number});
  HandOut(id, found->second);
  if (client.requests.Find(number) != nullptr) NoteWait(client, number, task);
  return Status::OK();
}

void RunningHub::DropGenerator(uint64_t id) {
  auto dropped = generators_.extract(id);
  if (dropped.empty()) return;
  for (const uint64_t item : dropped.mapped().items) objects_.Unpin(item);
  for (const ItemRequest& taker : dropped.mapped().takers) {
    HubClient* client = FindClient(taker.client);
    if (client == nullptr) continue;
    client->requests.Close(taker.request);
    AnswerGet(*client, taker.request, 0, LostValue(id));
  }
}

}  // namespace penstock::runtime
