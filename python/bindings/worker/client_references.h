#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

namespace penstock::python {

/// How often this process refers to each object and actor. The hub is told of the first reference
/// and of the last alone, and of the last a little later: a reference that comes back meanwhile is
/// never missed.
///
/// Threads: under its owner's lock.
class References {
 public:
  /// Returns true for the first, of which the hub has yet to be told.
  bool Hold(uint64_t id) {
    Entry& entry = entries_[id];
    return entry.count++ == 0 && !entry.is_leaving;
  }

  /// Counts one that the hub knows of already.
  void Own(uint64_t id) { ++entries_[id].count; }

  /// Returns true when the hub is to be told soon: much memory waits for it.
  bool Release(uint64_t id) {
    const auto found = entries_.find(id);
    if (found == entries_.end()) return false;
    Entry& entry = found->second;
    if (entry.count == 0 || --entry.count > 0 || entry.is_leaving) return false;
    entry.is_leaving = true;
    leaving_.push_back(id);
    return entry.is_large || leaving_.size() >= kLeavingMax;
  }

  /// The object lies in shared memory.
  void SetLarge(uint64_t id) {
    const auto found = entries_.find(id);
    if (found != entries_.end()) found->second.is_large = true;
  }

  /// Returns those whose last reference has gone, of which the hub is to be told now.
  std::vector<uint64_t> TakeReleased() {
    std::vector<uint64_t> released;
    for (const uint64_t id : leaving_) {
      const auto found = entries_.find(id);
      found->second.is_leaving = false;
      if (found->second.count > 0) continue;
      entries_.erase(found);
      released.push_back(id);
    }
    leaving_.clear();
    return released;
  }

 private:
  static constexpr size_t kLeavingMax = 64;

  struct Entry {
    int32_t count = 0;
    bool is_leaving = false;
    bool is_large = false;
  };
  std::unordered_map<uint64_t, Entry> entries_;
  std::vector<uint64_t> leaving_;
};

}  // namespace penstock::python
