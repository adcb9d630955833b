#pragma once

#include <cstdint>
#include <unordered_map>
#include <utility>
#include <vector>

#include "penstock/base/status.h"
#include "penstock/runtime/values.h"

namespace penstock::runtime {

/// What a reference may name.
enum class ObjectKind : uint8_t {
  kValue,      // Something that is put, returned or yielded.
  kGenerator,  // What a task that yields returns: it has items instead of a value.
  kActor,
};

/// Who waits for an object: a task that is given it, or a request of a client.
struct Waiter {
  uint32_t client = 0;  // 0: it is a task.
  uint64_t id = 0;      // The task, or the request.
  uint32_t place = 0;   // Of the object in the request.
};

struct Object {
  ObjectKind kind = ObjectKind::kValue;
  bool ready = false;
  Value value;
  std::vector<uint32_t> holders;  // Clients.
  int64_t pins = 0;               // Tasks that are given it, values that contain it, and the like.
  uint64_t task = 0;              // That makes it; 0: none.
  std::vector<Waiter> waiters;
};

/// An object that is gone, and whom that concerns.
struct FreedObject {
  uint64_t id = 0;
  ObjectKind kind = ObjectKind::kValue;
  std::vector<Waiter> waiters;
};

/// The objects that somebody refers to, and who: clients hold them, each once; whatever else refers
/// to one pins it. With the last reference an object is freed, its value dropped, and what that
/// contained unpinned.
///
/// A reference to an object that is not there (any more) counts for nothing.
/// Threads: one at a time.
class ObjectTable {
 public:
  /// Makes an object that one client holds (0: none does; pin it then before anything else).
  /// Invalid when there is one of this number.
  Status Make(uint64_t id, uint32_t holder, ObjectKind kind = ObjectKind::kValue,
              uint64_t task = 0);

  Object* Find(uint64_t id);

  void Hold(uint64_t id, uint32_t client);
  void Release(uint64_t id, uint32_t client);
  void Pin(uint64_t id);
  void Unpin(uint64_t id);

  /// Lets go of all that a client holds.
  void ClientGone(uint32_t client);

  /// Gives an object its value, pins what that contains and returns who waited. Of an object that
  /// is gone, or has a value, it is dropped.
  std::vector<Waiter> Store(uint64_t id, Value value);

  /// Returns what was freed since the last call.
  std::vector<FreedObject> TakeFreed() { return std::exchange(freed_, {}); }
  bool has_freed() const { return !freed_.empty(); }

  size_t size() const { return objects_.size(); }

 private:
  void FreeIfUnreferenced(uint64_t id);

  std::unordered_map<uint64_t, Object> objects_;
  std::unordered_map<uint32_t, int64_t> held_;  // How many each client holds.
  std::vector<FreedObject> freed_;
};

}  // namespace penstock::runtime
