#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "penstock/runtime/wire.h"

namespace penstock::runtime {

/// Writes one message's fields behind each other (wire.h says which).
class MessageWriter {
 public:
  explicit MessageWriter(MessageKind kind) { Number(MessageHeader{.kind = kind}); }

  template <typename Plain>
  MessageWriter& Number(Plain value) {
    static_assert(std::is_trivially_copyable_v<Plain>);
    const size_t at = bytes_.size();
    bytes_.resize(at + sizeof value);
    std::memcpy(bytes_.data() + at, &value, sizeof value);
    return *this;
  }

  MessageWriter& Bytes(std::string_view bytes) {
    Number(static_cast<uint32_t>(bytes.size()));
    bytes_.append(bytes);
    return *this;
  }

  MessageWriter& Ids(const std::vector<uint64_t>& ids) {
    Number(static_cast<uint32_t>(ids.size()));
    for (const uint64_t id : ids) Number(id);
    return *this;
  }

  /// Has a descriptor ride on the message; the caller keeps it open until the message is sent.
  MessageWriter& Descriptor(int descriptor) {
    descriptors_.push_back(descriptor);
    return *this;
  }

  /// Returns the message, its header filled in.
  const std::string& Finish() {
    MessageHeader header;
    std::memcpy(&header, bytes_.data(), sizeof header);
    header.bytes = static_cast<uint32_t>(bytes_.size());
    header.descriptors = static_cast<uint16_t>(descriptors_.size());
    std::memcpy(bytes_.data(), &header, sizeof header);
    return bytes_;
  }

  const std::vector<int>& descriptors() const { return descriptors_; }

 private:
  std::string bytes_;
  std::vector<int> descriptors_;
};

/// Reads one message's fields in their order. What lies beyond the message reads as 0 and empty,
/// and makes the reader bad: look at ok() when all is read.
class MessageReader {
 public:
  explicit MessageReader(std::string_view fields) : rest_(fields) {}

  template <typename Plain>
  Plain Number() {
    static_assert(std::is_trivially_copyable_v<Plain>);
    Plain value{};
    if (rest_.size() < sizeof value) return Fail(), value;
    std::memcpy(&value, rest_.data(), sizeof value);
    rest_.remove_prefix(sizeof value);
    return value;
  }

  /// Returns bytes of the message, which they live as long as.
  std::string_view Bytes() {
    const auto size = Number<uint32_t>();
    if (size > rest_.size()) return Fail(), std::string_view{};
    const std::string_view bytes = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return bytes;
  }

  std::vector<uint64_t> Ids() { return Numbers<uint64_t>(); }

  template <typename Plain>
  std::vector<Plain> Numbers() {
    const auto count = Number<uint32_t>();
    std::vector<Plain> numbers;
    if (count > rest_.size() / sizeof(Plain)) return Fail(), numbers;
    numbers.resize(count);
    std::memcpy(numbers.data(), rest_.data(), count * sizeof(Plain));
    rest_.remove_prefix(count * sizeof(Plain));
    return numbers;
  }

  bool ok() const { return ok_; }
  bool at_end() const { return rest_.empty(); }

 private:
  void Fail() {
    ok_ = false;
    rest_ = {};
  }

  std::string_view rest_;
  bool ok_ = true;
};

}  // namespace penstock::runtime
