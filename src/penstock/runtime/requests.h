#pragma once

#include <cstdint>
#include <unordered_map>
#include <utility>
#include <vector>

namespace penstock::runtime {

enum class RequestKind : uint8_t {
  kGet,
  kWait,
  kNext,
};

/// What a client waits for.
struct Request {
  RequestKind kind = RequestKind::kGet;
  std::vector<uint64_t> ids;
  size_t missing = 0;            // kGet: not answered yet.
  uint32_t enough = 0;           // kWait.
  std::vector<uint32_t> places;  // kWait: of those that are ready.
};

/// The open requests of one client, by their numbers.
class Requests {
 public:
  /// Null when the number is taken.
  Request* Open(uint64_t number, Request request) {
    const auto [opened, is_new] = requests_.try_emplace(number, std::move(request));
    return is_new ? &opened->second : nullptr;
  }

  Request* Find(uint64_t number) {
    const auto found = requests_.find(number);
    return found == requests_.end() ? nullptr : &found->second;
  }

  /// Takes a request out; one of no ids when there is none of this number.
  Request Close(uint64_t number) {
    auto closed = requests_.extract(number);
    return closed.empty() ? Request{} : std::move(closed.mapped());
  }

  std::vector<uint64_t> Numbers() const {
    std::vector<uint64_t> numbers;
    for (const auto& [number, request] : requests_) numbers.push_back(number);
    return numbers;
  }

  bool empty() const { return requests_.empty(); }

 private:
  std::unordered_map<uint64_t, Request> requests_;
};

}  // namespace penstock::runtime
