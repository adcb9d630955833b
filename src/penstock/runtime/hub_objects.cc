#include <algorithm>
#include <utility>

#include "penstock/runtime/hub_running.h"

namespace penstock::runtime {

Status RunningHub::OnPut(HubClient& client, IncomingMessage& message) {
  const auto id = message.fields.Number<uint64_t>();
  size_t next = 0;
  PENSTOCK_TRY(Value value, ReadValue(client.number, message, &next, store_));
  if (!message.fields.ok()) return Status::OK();
  if (ClientOf(id) != client.number) return Status::Invalid("put an object that is not its own");
  PENSTOCK_RETURN_NOT_OK(objects_.Make(id, client.number));
  KeepIfRoom(value);
  StoreObject(id, std::move(value));
  return Status::OK();
}

Status RunningHub::OnGet(HubClient& client, IncomingMessage& message) {
  const auto number = message.fields.Number<uint64_t>();
  std::vector<uint64_t> ids = message.fields.Ids();
  const auto task = message.fields.Number<uint64_t>();
  if (!message.fields.ok()) return Status::OK();
  Request* request = client.requests.Open(number, {.kind = RequestKind::kGet});
  if (request == nullptr) return Status::Invalid("used the number of an open request");
  for (uint32_t place = 0; place < ids.size(); ++place) {
    Object* object = objects_.Find(ids[place]);
    if (object == nullptr || object->kind == ObjectKind::kActor) {
      AnswerGet(client, number, place, LostValue(ids[place]));
    } else if (object->ready && !MustWait(object->value)) {
      AnswerGet(client, number, place, object->value);
    } else {
      ++request->missing;
      if (object->ready) {
        Delay(client, number, place, object->value);
      } else {
        object->waiters.push_back({client.number, number, place});
      }
    }
  }
  if (request->missing == 0) {
    client.requests.Close(number);
  } else {
    request->ids = std::move(ids);
    NoteWait(client, number, task);
  }
  return Status::OK();
}

void RunningHub::AnswerGet(HubClient& client, uint64_t request, uint32_t place,
                           const Value& value) {
  OutgoingMessage answer(MessageKind::kValue, client.number);
  answer.fields.Number(request).Number(place);
  answer.Add(value);
  answer.SendOn(*client.link);
  Touch(client);
}

Status RunningHub::OnWait(HubClient& client, IncomingMessage& message) {
  const auto number = message.fields.Number<uint64_t>();
  const auto enough = message.fields.Number<uint32_t>();
  std::vector<uint64_t> ids = message.fields.Ids();
  const auto task = message.fields.Number<uint64_t>();
  if (!message.fields.ok()) return Status::OK();
  Request* request = client.requests.Open(
      number,
      {.kind = RequestKind::kWait, .enough = std::min(enough, static_cast<uint32_t>(ids.size()))});
  if (request == nullptr) return Status::Invalid("used the number of an open request");
  for (uint32_t place = 0; place < ids.size(); ++place) {
    Object* object = objects_.Find(ids[place]);
    const auto generator = generators_.find(ids[place]);
    const bool has_item = generator != generators_.end() && !generator->second.items.empty();
    if (object == nullptr || object->ready || has_item || object->kind == ObjectKind::kActor) {
      request->places.push_back(place);
    } else {
      object->waiters.push_back({client.number, number, place});
    }
  }
  request->ids = std::move(ids);
  if (request->places.size() >= request->enough) {
    AnswerWait(client, number);
  } else {
    NoteWait(client, number, task);
  }
  return Status::OK();
}

void RunningHub::AnswerWait(HubClient& client, uint64_t number) {
  Request request = client.requests.Close(number);
  std::ranges::sort(request.places);
  RemoveWaiters(client.number, number, request);
  MessageWriter answer(MessageKind::kReady);
  answer.Number(number).Number(static_cast<uint32_t>(request.places.size()));
  for (const uint32_t place : request.places) answer.Number(place);
  client.link->Send(answer.Finish());
  Touch(client);
}

Status RunningHub::OnHurry(HubClient& client, IncomingMessage& message) {
  const auto number = message.fields.Number<uint64_t>();
  const Request* request = client.requests.Find(number);
  if (request == nullptr) return Status::OK();
  if (request->kind == RequestKind::kNext) {
    DropRequest(client, number);
    AnswerGet(client, number, 0, Value{});
  } else if (request->kind == RequestKind::kWait) {
    AnswerWait(client, number);
  }
  return Status::OK();
}

Status RunningHub::OnDrop(HubClient& client, IncomingMessage& message) {
  DropRequest(client, message.fields.Number<uint64_t>());
  return Status::OK();
}

void RunningHub::DropRequest(HubClient& client, uint64_t number) {
  const Request request = client.requests.Close(number);
  RemoveWaiters(client.number, number, request);
  if (request.kind != RequestKind::kNext) return;
  for (const uint64_t id : request.ids) {
    const auto generator = generators_.find(id);
    if (generator == generators_.end()) continue;
    std::erase_if(generator->second.takers, [&](const ItemRequest& taker) {
      return taker.client == client.number && taker.request == number;
    });
  }
}

/// Has the objects that a closed request still waits for forget it.
void RunningHub::RemoveWaiters(uint32_t client, uint64_t number, const Request& request) {
  for (const uint64_t id : request.ids) {
    Object* object = objects_.Find(id);
    if (object == nullptr || object->waiters.empty()) continue;
    std::erase_if(object->waiters, [&](const Waiter& waiter) {
      return waiter.client == client && waiter.id == number;
    });
  }
}

Status RunningHub::OnReferences(HubClient& client, IncomingMessage& message) {
  const std::vector<uint64_t> ids = message.fields.Ids();
  for (const uint64_t id : ids) {
    if (message.kind == MessageKind::kHold) objects_.Hold(id, client.number);
    if (message.kind == MessageKind::kRelease) objects_.Release(id, client.number);
    if (message.kind == MessageKind::kUnmapped) store_.Unmapped(client.number, id);
  }
  return Status::OK();
}

void RunningHub::StoreObject(uint64_t id, Value value) {
  const std::vector<Waiter> waiters = objects_.Store(id, std::move(value));
  if (!waiters.empty()) TellWaiters(waiters, objects_.Find(id)->value);
}

void RunningHub::TellWaiters(const std::vector<Waiter>& waiters, const Value& value) {
  for (const Waiter& waiter : waiters) {
    if (waiter.client == 0) {
      GivenReady(waiter.id);
      continue;
    }
    HubClient* client = FindClient(waiter.client);
    Request* request = client == nullptr ? nullptr : client->requests.Find(waiter.id);
    if (request == nullptr) continue;
    if (request->kind == RequestKind::kGet && MustWait(value)) {
      Delay(*client, waiter.id, waiter.place, value);
    } else if (request->kind == RequestKind::kGet) {
      AnswerGet(*client, waiter.id, waiter.place, value);
      if (--request->missing == 0) client->requests.Close(waiter.id);
    } else {
      request->places.push_back(waiter.place);
      if (request->places.size() >= request->enough) AnswerWait(*client, waiter.id);
    }
  }
}

}  // namespace penstock::runtime
