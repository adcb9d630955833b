#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "penstock/base/status.h"
#include "penstock/memory/segment.h"
#include "penstock/worker/wire.h"

namespace penstock {

/// Checks what can be told from a worker's frame alone: magic, kind, flags, sizes, and that as many
/// descriptors came along as the flags say. Invalid says what the worker did, as the end of a
/// sentence that begins with "it".
Status CheckFrameShape(const Frame& frame, int descriptors);

/// A batch that a worker holds, with the segments that must live until it is answered.
struct HeldBatch {
  uint64_t batch = 0;
  std::shared_ptr<Segment> input;
  std::vector<std::shared_ptr<Segment>> grants;  // Room for outputs, not used yet.
};

/// What one accepted frame brings.
struct Answer {
  std::shared_ptr<Segment> segment;  // Holds the output or the error; null when there is none.
  HeldBatch finished;  // What the worker no longer holds; may go when the caller has no lock.
};

/// What one worker was sent and has not answered, and thereby what it may say next.
/// Threads: guarded by whoever owns it.
class Conversation {
 public:
  void SendSetup(std::shared_ptr<Segment> segment) { setup_ = std::move(segment); }

  /// Invalid when the worker already holds a batch of this number.
  Status SendBatch(HeldBatch batch);

  /// Returns false when the batch is over already, which a grant may cross on the wire.
  bool SendGrant(uint64_t batch, std::shared_ptr<Segment> output);

  /// Takes a frame of good shape; `own` is the segment whose descriptor came with it, or null.
  /// Invalid as in CheckFrameShape.
  Result<Answer> Receive(const Frame& frame, std::shared_ptr<Segment> own);

  int64_t open_batches() const { return static_cast<int64_t>(open_.size()); }

 private:
  enum class State : uint8_t {
    kBuilding,  // Neither kReady nor kFailed has come.
    kReady,     // Answers batches.
    kUnusable,  // Its constructor raised; it has nothing more to say.
  };

  Result<Answer> FinishBuilding(const Frame& frame, std::shared_ptr<Segment> own);
  Result<std::shared_ptr<Segment>> FindOutput(const Frame& frame, std::shared_ptr<Segment> own);

  State state_ = State::kBuilding;
  std::shared_ptr<Segment> setup_;  // Until the worker has read it.
  std::deque<HeldBatch> open_;      // In the order sent, which is the order of answers.
};

}  // namespace penstock
