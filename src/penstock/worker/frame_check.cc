#include "penstock/worker/frame_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace penstock {
namespace {

const char* NameOf(FrameKind kind) {
  switch (kind) {
    case FrameKind::kReady:
      return "kReady";
    case FrameKind::kOutput:
      return "kOutput";
    case FrameKind::kDone:
      return "kDone";
    case FrameKind::kFailed:
      return "kFailed";
    default:
      return nullptr;  // Nothing that a worker may say.
  }
}

uint32_t FlagsAllowed(FrameKind kind) {
  switch (kind) {
    case FrameKind::kOutput:
      return kInputDescriptor | kMore;
    case FrameKind::kFailed:
      return kInputDescriptor | kConstructor | kBadReturnFlag;
    default:
      return 0;
  }
}

template <typename... Arguments>
Status Wrong(fmt::format_string<Arguments...> text, Arguments&&... arguments) {
  return Status::Invalid(fmt::format(text, std::forward<Arguments>(arguments)...));
}

bool IsOver(const Frame& frame) {
  return frame.kind != FrameKind::kOutput || (frame.flags & kMore) == 0;
}

Status CheckSegmentShape(const Frame& frame) {
  const char* name = NameOf(frame.kind);
  if ((frame.flags & kInputDescriptor) != 0) {
    if (frame.segment != 0) {
      return Wrong("sent {} with a descriptor for segment {} instead of 0", name, frame.segment);
    }
    if (frame.segment_bytes == 0 || frame.segment_bytes > frame.segment_capacity) {
      return Wrong("sent {} with {} bytes in a memory file of {}", name, frame.segment_bytes,
                   frame.segment_capacity);
    }
    return Status::OK();
  }
  if ((frame.segment != 0) != (frame.segment_bytes > 0)) {
    return Wrong("sent {} with {} bytes in segment {}", name, frame.segment_bytes, frame.segment);
  }
  if (frame.kind == FrameKind::kOutput && frame.segment == 0) {
    return Wrong("sent kOutput without an output");
  }
  const bool carries = frame.kind == FrameKind::kOutput || frame.kind == FrameKind::kFailed;
  if (!carries && frame.segment != 0) return Wrong("sent {} with a segment", name);
  return Status::OK();
}

}  // namespace

Status CheckFrameShape(const Frame& frame, int descriptors) {
  if (frame.magic != kFrameMagic) return Wrong("sent a frame with magic {:#x}", frame.magic);
  const char* name = NameOf(frame.kind);
  if (name == nullptr) {
    return Wrong("sent a frame of kind {}", static_cast<uint32_t>(frame.kind));
  }
  if (frame.reserved != 0 || (frame.flags & ~FlagsAllowed(frame.kind)) != 0) {
    return Wrong("sent {} with flags {:#x} and reserved {:#x}", name, frame.flags, frame.reserved);
  }
  const int wanted = (frame.flags & kInputDescriptor) != 0 ? 1 : 0;
  if (descriptors != wanted) {
    return Wrong("sent {} with {} descriptors where its flags say {}", name, descriptors, wanted);
  }
  if (frame.segment_bytes < 0 || frame.segment_capacity < 0 || frame.rows < 0 ||
      frame.busy_ns < 0) {
    return Wrong("sent {} with a negative size: {} bytes of {}, {} rows, {} ns", name,
                 frame.segment_bytes, frame.segment_capacity, frame.rows, frame.busy_ns);
  }
  return CheckSegmentShape(frame);
}

Status Conversation::SendBatch(HeldBatch batch) {
  const bool known = std::any_of(open_.begin(), open_.end(),
                                 [&](const HeldBatch& open) { return open.batch == batch.batch; });
  if (known) return Status::Invalid("the worker already holds batch ", batch.batch);
  open_.push_back(std::move(batch));
  return Status::OK();
}

bool Conversation::SendGrant(uint64_t batch, std::shared_ptr<Segment> output) {
  for (HeldBatch& open : open_) {
    if (open.batch != batch) continue;
    open.grants.push_back(std::move(output));
    return true;
  }
  return false;
}

Result<Answer> Conversation::Receive(const Frame& frame, std::shared_ptr<Segment> own) {
  if (frame.kind == FrameKind::kReady || (frame.flags & kConstructor) != 0) {
    return FinishBuilding(frame, std::move(own));
  }
  const char* name = NameOf(frame.kind);
  if (state_ != State::kReady) return Wrong("sent {} without being ready", name);
  if (open_.empty()) return Wrong("sent {} for batch {}, but holds none", name, frame.batch);
  if (frame.batch != open_.front().batch) {
    return Wrong("sent {} for batch {} when it was to answer batch {}", name, frame.batch,
                 open_.front().batch);
  }
  Answer answer;
  PENSTOCK_TRY(answer.segment, FindOutput(frame, std::move(own)));
  if (IsOver(frame)) {
    answer.finished = std::move(open_.front());
    open_.pop_front();
  }
  return answer;
}

Result<Answer> Conversation::FinishBuilding(const Frame& frame, std::shared_ptr<Segment> own) {
  const char* name = NameOf(frame.kind);
  if (state_ != State::kBuilding) return Wrong("sent {} after it was built", name);
  if (frame.segment != 0) return Wrong("sent {} in segment {}", name, frame.segment);
  state_ = frame.kind == FrameKind::kReady ? State::kReady : State::kUnusable;
  Answer answer;
  answer.segment = std::move(own);
  answer.finished.input = std::move(setup_);
  return answer;
}

Result<std::shared_ptr<Segment>> Conversation::FindOutput(const Frame& frame,
                                                          std::shared_ptr<Segment> own) {
  if (frame.segment == 0) return own;
  auto& grants = open_.front().grants;
  const auto found = std::find_if(grants.begin(), grants.end(),
                                  [&](const auto& grant) { return grant->id() == frame.segment; });
  if (found == grants.end()) {
    return Wrong("put its answer to batch {} into segment {}, which was not granted to it",
                 frame.batch, frame.segment);
  }
  if (frame.segment_bytes > (*found)->capacity()) {
    return Wrong("sent {} bytes in segment {}, which holds {}", frame.segment_bytes, frame.segment,
                 (*found)->capacity());
  }
  std::shared_ptr<Segment> output = std::move(*found);
  grants.erase(found);
  return output;
}

}  // namespace penstock
