#include <unistd.h>

#include <cstring>
#include <stdexcept>

#include "client.h"

namespace penstock::python {

using runtime::MessageHeader;
using runtime::MessageKind;
using runtime::MessageReader;
using runtime::MessageWriter;
using runtime::ValueForm;

namespace {

[[noreturn]] void Refuse() {
  throw std::runtime_error("the hub sent something that is no message");
}

std::span<const uint8_t> SpanOf(const std::string& bytes) {
  return {reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()};
}

ClientValue InlineValue(uint8_t flags, std::string_view bytes) {
  auto memory = std::make_shared<const std::string>(bytes);
  const std::span<const uint8_t> span = SpanOf(*memory);
  return {flags, std::move(memory), span, /*segment=*/nullptr};
}

ClientValue LostValue(const char* why) {
  const auto code = static_cast<uint32_t>(runtime::SystemError::kObjectLost);
  std::string bytes(reinterpret_cast<const char*>(&code), sizeof code);
  return InlineValue(runtime::kIsSystemError, bytes + why);
}

}  // namespace

// A message's descriptors, in order; those that nobody takes are closed.
struct Client::Descriptors {
  std::vector<int> all;
  size_t next = 0;

  ~Descriptors() {
    for (; next < all.size(); ++next) close(all[next]);
  }
  int Take() { return next < all.size() ? all[next++] : -1; }
};

void Client::TakePacket(std::string_view packet, const std::vector<int>& descriptors) {
  descriptors_.insert(descriptors_.end(), descriptors.begin(), descriptors.end());
  if (begun_.empty()) {
    packet.remove_prefix(TakeMessages(packet));
    begun_ = packet;
    return;
  }
  begun_ += packet;
  begun_.erase(0, TakeMessages(begun_));
}

// Takes the messages that are whole; returns how many bytes they were.
size_t Client::TakeMessages(std::string_view bytes) {
  size_t taken = 0;
  MessageHeader header;
  while (bytes.size() - taken >= sizeof header) {
    const std::string_view rest = bytes.substr(taken);
    std::memcpy(&header, rest.data(), sizeof header);
    if (header.bytes < sizeof header || header.bytes > runtime::kMessageBytesMax) Refuse();
    if (header.bytes > rest.size()) break;
    Descriptors own;
    while (own.all.size() < header.descriptors && !descriptors_.empty()) {
      own.all.push_back(descriptors_.front());
      descriptors_.pop_front();
    }
    TakeMessage(header.kind, rest.substr(sizeof header, header.bytes - sizeof header), own);
    taken += header.bytes;
  }
  return taken;
}

void Client::TakeMessage(MessageKind kind, std::string_view fields, Descriptors& descriptors) {
  MessageReader reader(fields);
  switch (kind) {
    case MessageKind::kWelcome:
      number_ = reader.Number<uint32_t>();
      facts_ = reader.Bytes();
      is_welcome_ = true;
      break;
    case MessageKind::kValue: {
      const auto request = reader.Number<uint64_t>();
      const auto place = reader.Number<uint32_t>();
      TakeValue(request, place, ReadValue(reader, descriptors));
      break;
    }
    case MessageKind::kReady:
      if (Answer* const ready = AnswerTo(reader.Number<uint64_t>())) {
        ready->places = reader.Numbers<uint32_t>();
        ready->is_complete = true;
      }
      break;
    case MessageKind::kActor:
      if (Answer* const found = AnswerTo(reader.Number<uint64_t>())) {
        found->actor = reader.Number<uint64_t>();
        found->text = reader.Bytes();
        found->error = reader.Bytes();
        found->is_complete = true;
      }
      break;
    case MessageKind::kText:
      if (Answer* const told = AnswerTo(reader.Number<uint64_t>())) {
        told->text = reader.Bytes();
        told->is_complete = true;
      }
      break;
    case MessageKind::kRun:
      TakeTask(reader, descriptors);
      Ring();
      break;
    case MessageKind::kFunction: {
      const auto function = reader.Number<uint64_t>();
      functions_[function] = ReadValue(reader, descriptors);
      break;
    }
    case MessageKind::kInterrupt:
      interrupted_.insert(reader.Number<uint64_t>());
      Ring();
      break;
    case MessageKind::kTakeBack:
      GiveBack(reader.Ids());
      break;
    case MessageKind::kReusable:
      for (const uint64_t segment : reader.Ids()) segments_->Reusable(segment);
      break;
    case MessageKind::kStop:
      stops_ = true;
      Ring();
      break;
    default:
      Refuse();
  }
  if (!reader.ok()) Refuse();
}

Client::Answer* Client::AnswerTo(uint64_t request) {
  const auto found = requests_.find(request);
  return found == requests_.end() ? nullptr : found->second;
}

void Client::TakeValue(uint64_t request, uint32_t place, ClientValue value) {
  const auto callback = callbacks_.find(request);
  if (callback != callbacks_.end()) {
    callable_.emplace_back(callback->second, std::move(value));
    callbacks_.erase(callback);
    return;
  }
  Answer* const answer = AnswerTo(request);
  if (answer == nullptr) {
    if (const uint64_t item = value.Item(); item != 0) {  // Nobody asks for it any more.
      MessageWriter message(MessageKind::kRelease);
      message.Ids({item});
      Post(message);
    }
    return;
  }
  if (place >= answer->values.size() || answer->values[place]) return;
  if (value.is_shared() && answer->ids != nullptr) references_.SetLarge((*answer->ids)[place]);
  answer->has_error = answer->has_error || value.is_error();
  answer->values[place] = std::move(value);
  answer->is_complete = --answer->missing == 0;
}

ClientValue Client::ReadValue(MessageReader& reader, Descriptors& descriptors) {
  const auto form = reader.Number<ValueForm>();
  const auto flags = reader.Number<uint8_t>();
  if (form == ValueForm::kNone) return {flags, nullptr, {}, /*segment=*/nullptr};
  if (form == ValueForm::kInline) return InlineValue(flags, reader.Bytes());
  if (form != ValueForm::kShared) Refuse();
  const auto segment = reader.Number<uint64_t>();
  const auto offset = reader.Number<uint64_t>();
  const auto bytes = reader.Number<uint64_t>();
  const auto capacity = reader.Number<uint64_t>();
  const bool brings_descriptor = reader.Number<uint8_t>() != 0;
  if (!reader.ok() || offset > capacity || bytes > capacity - offset) Refuse();
  const int descriptor = brings_descriptor ? descriptors.Take() : -1;
  std::shared_ptr<SegmentView> view;
  try {
    view = ViewOf(segment, static_cast<int64_t>(capacity), descriptor);
  } catch (const std::exception& error) {
    unmapped_->Add(segment, 1);
    return LostValue(error.what());
  }
  const std::span<const uint8_t> span(view->memory().data() + offset, bytes);
  const SegmentMemory* const memory = &view->memory();
  return {flags, std::move(view), span, memory};
}

std::shared_ptr<SegmentView> Client::ViewOf(uint64_t segment, int64_t capacity, int descriptor) {
  std::shared_ptr<SegmentView> view = views_.Find(segment);
  if (view != nullptr) {
    if (descriptor >= 0) close(descriptor);
  } else {
    std::shared_ptr<SegmentMemory> memory = segments_->Find(segment);
    if (memory == nullptr) {
      if (descriptor < 0) throw std::runtime_error("the hub named memory that it never sent");
      memory = SegmentMemory::Map(descriptor, capacity);
    } else if (descriptor >= 0) {
      close(descriptor);
    }
    view = views_.Add(segment, std::move(memory));
  }
  if (capacity > view->memory().capacity()) Refuse();
  view->Named();
  return view;
}

}  // namespace penstock::python
