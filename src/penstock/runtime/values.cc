#include "penstock/runtime/values.h"

#include <fmt/format.h>

#include <utility>

namespace penstock::runtime {
namespace {

/// Reads where a shared value lies.
Status ReadShared(uint32_t client, IncomingMessage& message, size_t* next_descriptor,
                  SegmentStore& store, Value* value) {
  const auto id = message.fields.Number<uint64_t>();
  value->offset = message.fields.Number<uint64_t>();
  value->size = message.fields.Number<uint64_t>();
  const auto capacity = message.fields.Number<uint64_t>();
  const auto comes = message.fields.Number<uint8_t>();
  if (!message.fields.ok()) return Status::Invalid("sent a value that ends too early");
  if (value->size > capacity || value->offset > capacity - value->size) {
    return Status::Invalid("sent a value that exceeds its segment");
  }
  if (comes == 0) {
    value->segment = store.Find(client, id);
    if (value->segment == nullptr || static_cast<uint64_t>(value->segment->capacity) < capacity) {
      return Status::Invalid("sent a value in a segment that it has not sent");
    }
    return Status::OK();
  }
  if (*next_descriptor >= message.descriptors.size()) {
    return Status::Invalid("sent a segment without its descriptor");
  }
  PENSTOCK_TRY(value->segment,
               store.Adopt(client, id, std::move(message.descriptors[(*next_descriptor)++]),
                           static_cast<int64_t>(capacity)));
  return Status::OK();
}

}  // namespace

Value ErrorValue(SystemError error, const std::string& text) {
  Value value{.form = ValueForm::kInline, .flags = kIsSystemError};
  const auto code = static_cast<uint32_t>(error);
  value.bytes.assign(reinterpret_cast<const char*>(&code), sizeof code);
  value.bytes += text;
  return value;
}

Value LostValue(uint64_t id) {
  return ErrorValue(
      SystemError::kObjectLost,
      fmt::format("The object {:016x} is not kept any more: no reference to it is left, or what "
                  "held it has ended; keep its reference as long as it is needed",
                  id));
}

Result<Value> ReadValue(uint32_t client, IncomingMessage& message, size_t* next_descriptor,
                        SegmentStore& store) {
  Value value{.form = message.fields.Number<ValueForm>(),
              .flags = message.fields.Number<uint8_t>()};
  switch (value.form) {
    case ValueForm::kNone:
      break;
    case ValueForm::kInline:
      value.bytes = message.fields.Bytes();
      break;
    case ValueForm::kShared:
      PENSTOCK_RETURN_NOT_OK(ReadShared(client, message, next_descriptor, store, &value));
      break;
    default:
      return Status::Invalid("sent a value of an unknown form");
  }
  value.contained = message.fields.Ids();
  if (!message.fields.ok()) return Status::Invalid("sent a value that ends too early");
  return value;
}

void OutgoingMessage::Add(const Value& value) {
  fields.Number(value.form).Number(value.flags);
  if (value.form == ValueForm::kInline) fields.Bytes(value.bytes);
  if (value.form == ValueForm::kShared) {
    const bool is_maker = value.segment->maker == client_;
    fields.Number(value.segment->id)
        .Number(value.offset)
        .Number(value.size)
        .Number(static_cast<uint64_t>(value.segment->capacity))
        .Number(static_cast<uint8_t>(is_maker ? 0 : 1));
    value.segment->store->Named(*value.segment, client_);
    if (!is_maker) {
      descriptors_.push_back({value.segment->descriptor.get(), value.segment});
      fields.Descriptor(value.segment->descriptor.get());
    }
  }
}

void OutgoingMessage::SendOn(Link& link) { link.Send(fields.Finish(), std::move(descriptors_)); }

}  // namespace penstock::runtime
