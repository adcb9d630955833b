#include <deque>
#include <memory>
#include <set>
#include <utility>

#include "fuzzing.h"
#include "penstock/worker/frame_check.h"

/// What a worker says, as a conversation: each step is what the engine sends, or a frame of the
/// worker's made of the input's bytes.
namespace penstock {
namespace {

class NumberedSegment final : public Segment {
 public:
  NumberedSegment(uint64_t id, int64_t capacity) : Segment(id, -1, nullptr, capacity) {}
};

struct Sent {
  uint64_t batch = 0;
  std::set<uint64_t> grants;
};

/// Follows a conversation and knows what may be believed.
class Listener {
 public:
  void Step(InputBytes& input) {
    switch (input.Byte() % 8) {
      case 0:
        conversation_.SendSetup(MakeSegment(10));
        return;
      case 1:
        SendBatch(input.Byte() % 4);
        return;
      case 2:
        SendGrant(input.Byte() % 4);
        return;
      default:
        Hear(input);
    }
    Require(conversation_.open_batches() == std::ssize(open_), "batches are counted");
  }

 private:
  std::shared_ptr<Segment> MakeSegment(int64_t capacity) {
    return std::make_shared<NumberedSegment>(++last_segment_, capacity);
  }

  void SendBatch(uint64_t batch) {
    const bool known = std::ranges::find(open_, batch, &Sent::batch) != open_.end();
    const Status status = conversation_.SendBatch({.batch = batch, .input = MakeSegment(10)});
    Require(status.ok() != known, "a batch is sent once");
    if (!known) open_.push_back({.batch = batch});
  }

  void SendGrant(uint64_t batch) {
    auto segment = MakeSegment(100);
    const uint64_t id = segment->id();
    const auto found = std::ranges::find(open_, batch, &Sent::batch);
    Require(conversation_.SendGrant(batch, std::move(segment)) == (found != open_.end()),
            "only open batches are granted room");
    if (found != open_.end()) found->grants.insert(id);
  }

  void Hear(InputBytes& input) {
    Frame frame = ReadFrame(input);
    const int descriptors = input.Byte() % 3;
    if (!CheckFrameShape(frame, descriptors).ok()) return;
    Require(frame.segment_bytes >= 0 && frame.rows >= 0, "no size is negative");
    Require(descriptors == ((frame.flags & kInputDescriptor) != 0 ? 1 : 0),
            "descriptors come as the flags say");
    const auto own = descriptors == 1 ? MakeSegment(frame.segment_capacity) : nullptr;
    const auto answer = conversation_.Receive(frame, own);
    if (answer.ok()) CheckAnswer(frame, *answer, own);
  }

  void CheckAnswer(const Frame& frame, const Answer& answer, const std::shared_ptr<Segment>& own) {
    if (answer.segment != nullptr) {
      Require(frame.segment_bytes <= answer.segment->capacity(), "an answer fits its segment");
    }
    if (frame.kind == FrameKind::kReady || (frame.flags & kConstructor) != 0) {
      Require(!std::exchange(built_, true), "a worker is built once");
      return;
    }
    Require(built_ && !open_.empty() && open_.front().batch == frame.batch,
            "batches are answered in the order sent");
    if (answer.segment != nullptr && answer.segment != own) {
      Require(open_.front().grants.erase(answer.segment->id()) == 1,
              "a segment is used by whom it was granted to, once");
    }
    const bool more = frame.kind == FrameKind::kOutput && (frame.flags & kMore) != 0;
    if (more) return;
    Require(answer.finished.batch == frame.batch, "the batch that is over is let go");
    open_.pop_front();
  }

  /// A frame of small numbers, or of any.
  static Frame ReadFrame(InputBytes& input) {
    if (input.Byte() % 4 == 0) return input.Number<Frame>();
    return {.kind = static_cast<FrameKind>(input.Byte() % 12),
            .flags = static_cast<uint32_t>(input.Byte() % 32),
            .batch = static_cast<uint64_t>(input.Byte() % 4),
            .segment = input.Byte(),
            .segment_bytes = input.Number<int8_t>(),
            .segment_capacity = input.Number<int8_t>(),
            .rows = input.Number<int8_t>()};
  }

  Conversation conversation_;
  std::deque<Sent> open_;
  uint64_t last_segment_ = 0;
  bool built_ = false;
};

}  // namespace
}  // namespace penstock

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace penstock;
  Listener listener;
  InputBytes input(data, size);
  while (!input.empty()) listener.Step(input);
  return 0;
}
