#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "penstock/base/status.h"
#include "penstock/runtime/link.h"
#include "penstock/runtime/message.h"
#include "penstock/runtime/store.h"

namespace penstock::runtime {

/// A value as the hub keeps it. Copies share the segment.
struct Value {
  ValueForm form = ValueForm::kNone;
  uint8_t flags = 0;
  std::string bytes;                       // kInline.
  std::shared_ptr<StoredSegment> segment;  // kShared: where it lies,
  uint64_t offset = 0;                     // and in it.
  uint64_t size = 0;
  std::vector<uint64_t> contained;  // Objects that its bytes refer to.
};

/// Returns the value that says why there is none.
Value ErrorValue(SystemError error, const std::string& text);

/// Returns the value of an object that is not kept any more, or never was.
Value LostValue(uint64_t id);

/// Reads a value from a client's message, whose next descriptors go with it. Invalid as Link says.
Result<Value> ReadValue(uint32_t client, IncomingMessage& message, size_t* next_descriptor,
                        SegmentStore& store);

/// A message to one client, with values.
class OutgoingMessage {
 public:
  OutgoingMessage(MessageKind kind, uint32_t client) : fields(kind), client_(client) {}

  /// Names the value to the client.
  void Add(const Value& value);

  void SendOn(Link& link);

  MessageWriter fields;

 private:
  const uint32_t client_;
  std::vector<LentDescriptor> descriptors_;
};

}  // namespace penstock::runtime
