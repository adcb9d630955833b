#include "client_value.h"

#include <cstring>
#include <stdexcept>

#include "client_packed.h"

namespace penstock::python {
namespace {

constexpr uint8_t kPickledNone[] = {'N', '.'};

[[noreturn]] void Refuse() { throw std::runtime_error("an object's bytes are damaged"); }

ObjectHeader HeaderOf(std::span<const uint8_t> bytes) {
  ObjectHeader header;
  if (bytes.size() < sizeof header) Refuse();
  std::memcpy(&header, bytes.data(), sizeof header);
  const uint64_t rest = bytes.size() - sizeof header;
  if (header.buffers > rest / sizeof(BufferPlace)) Refuse();
  if (header.pickled_bytes > rest - header.buffers * sizeof(BufferPlace)) Refuse();
  return header;
}

}  // namespace

std::span<const uint8_t> ClientValue::Pickled() const {
  if (memory_ == nullptr) return kPickledNone;
  const ObjectHeader header = HeaderOf(bytes_);
  return bytes_.subspan(sizeof header + header.buffers * sizeof(BufferPlace), header.pickled_bytes);
}

std::vector<std::span<const uint8_t>> ClientValue::Buffers() const {
  if (memory_ == nullptr) return {};
  const ObjectHeader header = HeaderOf(bytes_);
  std::vector<std::span<const uint8_t>> buffers;
  buffers.reserve(header.buffers);
  for (uint32_t place = 0; place < header.buffers; ++place) {
    BufferPlace buffer;
    std::memcpy(&buffer, bytes_.data() + sizeof header + place * sizeof buffer, sizeof buffer);
    if (buffer.offset > bytes_.size() || buffer.bytes > bytes_.size() - buffer.offset) Refuse();
    buffers.push_back(bytes_.subspan(buffer.offset, buffer.bytes));
  }
  return buffers;
}

uint32_t ClientValue::Code() const {
  uint32_t code = 0;
  if ((flags_ & runtime::kIsSystemError) == 0 || bytes_.size() < sizeof code) return 0;
  std::memcpy(&code, bytes_.data(), sizeof code);
  return code;
}

std::string ClientValue::Text() const {
  if ((flags_ & runtime::kIsSystemError) == 0 || bytes_.size() < sizeof(uint32_t)) return {};
  const std::span<const uint8_t> text = bytes_.subspan(sizeof(uint32_t));
  return {reinterpret_cast<const char*>(text.data()), text.size()};
}

uint64_t ClientValue::Item() const {
  uint64_t item = 0;
  if ((flags_ & runtime::kIsItem) == 0 || bytes_.size() < sizeof item) return 0;
  std::memcpy(&item, bytes_.data(), sizeof item);
  return item;
}

}  // namespace penstock::python
