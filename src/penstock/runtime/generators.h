#pragma once

#include <cstdint>
#include <deque>
#include <unordered_map>
#include <utility>

namespace penstock::runtime {

/// A request of a client for the next item of a generator.
struct ItemRequest {
  uint32_t client = 0;
  uint64_t request = 0;
};

/// What a generator has yielded and nobody has taken, or who waits for it to yield.
struct Generator {
  std::deque<uint64_t> items;  // Objects, in the order yielded.
  std::deque<ItemRequest> takers;
  bool ended = false;    // There will be no more.
  int64_t yielded = 0;   // In all.
  int64_t repeated = 0;  // By the run of the task that goes on: the first `yielded` are known.
};

/// The generators that somebody refers to, by their objects.
using GeneratorTable = std::unordered_map<uint64_t, Generator>;

}  // namespace penstock::runtime
