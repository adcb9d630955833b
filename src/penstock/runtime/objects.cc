#include "penstock/runtime/objects.h"

#include <algorithm>

namespace penstock::runtime {

Status ObjectTable::Make(uint64_t id, uint32_t holder, ObjectKind kind, uint64_t task) {
  const auto [made, is_new] = objects_.try_emplace(id);
  if (!is_new) return Status::Invalid("made an object of a number that is taken");
  made->second.kind = kind;
  made->second.task = task;
  if (holder != 0) {
    made->second.holders.push_back(holder);
    ++held_[holder];
  }
  return Status::OK();
}

Object* ObjectTable::Find(uint64_t id) {
  const auto found = objects_.find(id);
  return found == objects_.end() ? nullptr : &found->second;
}

void ObjectTable::Hold(uint64_t id, uint32_t client) {
  Object* object = Find(id);
  if (object == nullptr || std::ranges::find(object->holders, client) != object->holders.end()) {
    return;
  }
  object->holders.push_back(client);
  ++held_[client];
}

void ObjectTable::Release(uint64_t id, uint32_t client) {
  Object* object = Find(id);
  if (object == nullptr || std::erase(object->holders, client) == 0) return;
  --held_[client];
  FreeIfUnreferenced(id);
}

void ObjectTable::Pin(uint64_t id) {
  if (Object* object = Find(id)) ++object->pins;
}

void ObjectTable::Unpin(uint64_t id) {
  Object* object = Find(id);
  if (object == nullptr) return;
  --object->pins;
  FreeIfUnreferenced(id);
}

void ObjectTable::ClientGone(uint32_t client) {
  const auto held = held_.find(client);
  if (held == held_.end()) return;
  const bool holds = held->second > 0;
  held_.erase(held);
  if (!holds) return;
  std::vector<uint64_t> released;
  for (auto& [id, object] : objects_) {
    if (std::erase(object.holders, client) > 0) released.push_back(id);
  }
  for (const uint64_t id : released) FreeIfUnreferenced(id);
}

std::vector<Waiter> ObjectTable::Store(uint64_t id, Value value) {
  Object* object = Find(id);
  if (object == nullptr || object->ready) return {};
  object->ready = true;
  object->value = std::move(value);
  for (const uint64_t contained : object->value.contained) Pin(contained);
  return std::exchange(object->waiters, {});
}

/// Frees the object, and what only it had referred to.
void ObjectTable::FreeIfUnreferenced(uint64_t id) {
  std::vector<uint64_t> unreferenced{id};
  while (!unreferenced.empty()) {
    const auto found = objects_.find(unreferenced.back());
    unreferenced.pop_back();
    if (found == objects_.end()) continue;
    Object& object = found->second;
    if (!object.holders.empty() || object.pins > 0) continue;
    for (const uint64_t contained : object.value.contained) {
      Object* inner = Find(contained);
      if (inner != nullptr && --inner->pins <= 0) unreferenced.push_back(contained);
    }
    if (object.kind != ObjectKind::kValue || !object.waiters.empty()) {
      freed_.push_back({found->first, object.kind, std::move(object.waiters)});
    }
    objects_.erase(found);
  }
}

}  // namespace penstock::runtime
