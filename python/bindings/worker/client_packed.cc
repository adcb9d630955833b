#include "client_packed.h"

#include <cstring>
#include <stdexcept>
#include <utility>

namespace penstock::python {

using runtime::MessageWriter;
using runtime::ValueForm;

Packed::~Packed() {
  if (memory_ != nullptr) segments_->GiveBack(std::move(memory_));
}

void Packed::Send(uint8_t flags, MessageWriter* message) {
  if (!is_shared()) {
    message->Number(ValueForm::kInline).Number(flags).Bytes(inline_);
  } else {
    if (memory_ == nullptr) throw std::invalid_argument("a packed object can be sent once");
    constexpr uint64_t kOffset = 0;
    constexpr uint8_t kBringsDescriptor = 1;
    message->Number(ValueForm::kShared)
        .Number(flags)
        .Number(memory_->id())
        .Number(kOffset)
        .Number(static_cast<uint64_t>(bytes_))
        .Number(static_cast<uint64_t>(memory_->capacity()))
        .Number(kBringsDescriptor)
        .Descriptor(memory_->descriptor());
    segments_->Sent(std::move(memory_));
    memory_ = nullptr;
  }
  message->Ids(contained_);
}

ObjectLayout::ObjectLayout(std::span<const uint8_t> pickled,
                           std::vector<std::span<const uint8_t>> buffers)
    : pickled_(pickled), buffers_(std::move(buffers)) {
  uint64_t place = sizeof(ObjectHeader) + buffers_.size() * sizeof(BufferPlace) + pickled_.size();
  places_.reserve(buffers_.size());
  for (const std::span<const uint8_t> buffer : buffers_) {
    place = (place + kAlignment - 1) / kAlignment * kAlignment;
    places_.push_back({place, buffer.size()});
    place += buffer.size();
  }
  bytes_ = static_cast<int64_t>(place);
}

void ObjectLayout::Write(uint8_t* place) const {
  const ObjectHeader header{.buffers = static_cast<uint32_t>(buffers_.size()),
                            .pickled_bytes = pickled_.size()};
  std::memcpy(place, &header, sizeof header);
  uint8_t* next = place + sizeof header;
  if (!places_.empty()) {
    std::memcpy(next, places_.data(), places_.size() * sizeof(BufferPlace));
    next += places_.size() * sizeof(BufferPlace);
  }
  if (!pickled_.empty()) std::memcpy(next, pickled_.data(), pickled_.size());
  for (size_t i = 0; i < buffers_.size(); ++i) {
    if (buffers_[i].empty()) continue;
    std::memcpy(place + places_[i].offset, buffers_[i].data(), buffers_[i].size());
  }
}

}  // namespace penstock::python
