#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>

/// What the fuzz programs share: each has one LLVMFuzzerTestOneInput, which aborts where a parser
/// breaks a promise.
namespace penstock {

/// Aborts, saying which promise was broken, unless it holds.
inline void Require(bool holds, std::string_view promise) {
  if (holds) return;
  std::fprintf(stderr, "broken promise: %.*s\n", static_cast<int>(promise.size()), promise.data());
  std::abort();
}

/// Takes numbers from the front of an input; zeros where it ends.
class InputBytes {
 public:
  InputBytes(const uint8_t* data, size_t size) : left_(reinterpret_cast<const char*>(data), size) {}

  bool empty() const { return left_.empty(); }
  uint8_t Byte() { return Number<uint8_t>(); }

  template <typename T>
  T Number() {
    T number{};
    const size_t taken = std::min(sizeof(T), left_.size());
    std::memcpy(&number, left_.data(), taken);
    left_.remove_prefix(taken);
    return number;
  }

  std::string_view Rest() const { return left_; }

  /// Takes the bytes up to `end`, which goes with them.
  std::string_view Until(char end) {
    const size_t at = std::min(left_.find(end), left_.size());
    const std::string_view taken = left_.substr(0, at);
    left_.remove_prefix(std::min(at + 1, left_.size()));
    return taken;
  }

 private:
  std::string_view left_;
};

}  // namespace penstock
