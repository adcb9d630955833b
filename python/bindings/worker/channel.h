#pragma once

#include <nanobind/nanobind.h>

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

#include "batch.h"
#include "mapping.h"
#include "output.h"
#include "penstock/base/brief_wait.h"
#include "penstock/worker/wire.h"

namespace penstock::python {

/// The worker's end of the wire (wire.h): receives work, sends what came of it.
///
/// Waits without the GIL. Frames that arrive while a batch runs are kept in order; batches among
/// them can be looked at before their turn, but are answered in the order sent. Throws
/// std::runtime_error when the engine breaks the protocol or the kernel refuses; a closed socket is
/// an orderly end.
class Channel {
 public:
  explicit Channel(int descriptor);

  /// Returns the setup bytes: the first frame. Empty when the engine is gone.
  nb::object ReceiveSetup();

  /// Returns the next batch, or None when no more will come.
  nb::object ReceiveBatch();

  /// Reads the frames that are there, without waiting. Returns false once the socket is closed.
  bool Poll();

  int descriptor() const { return descriptor_; }

  /// How many batches have arrived whose turn is still to come.
  size_t arrived() const { return arrived_.size(); }

  /// Returns one of them, counted from 0; ReceiveBatch returns the same object in its turn.
  nb::object Peek(size_t place);

  /// Returns the number of one of them in its stage, as batch_number does in its turn.
  uint64_t NumberOf(size_t place) const { return arrived_.at(place).frame.batch; }

  /// Whether the engine has said that no more batches will come.
  bool stopping() const { return ended_; }

  /// Whether WriteOutput would not wait.
  bool may_write() const { return grant_.has_value(); }

  void SendReady();

  /// Copies an output of the running batch into the granted segment, or into an own one where it
  /// is too small; waits for a grant first where none is left. Returns false when the engine is
  /// gone. Nothing is sent yet, so that the caller can let go of all that looks at the batch.
  bool WriteOutput(Output& output);

  /// Sends what was written, if anything, and ends the batch unless `more` may come. If somebody
  /// still looks at the batch's memory when it ends, the memory becomes theirs.
  void Send(bool more, int64_t busy_ns);

  /// Ends the batch, or the setup, with a packed error; drops what was written and not sent.
  void SendFailed(nb::bytes packed, uint32_t flags, int64_t busy_ns);

  /// Returns the number of the running batch in its stage, from 0, in input order.
  uint64_t batch_number() const { return batch_id_; }

  /// Returns how long grants were waited for since the last call.
  int64_t TakeWaited() { return std::exchange(waited_ns_, 0); }

 private:
  struct Written {
    int64_t bytes;
    int64_t rows;
    std::unique_ptr<OwnSegment> own;  // Null: it lies in the granted segment.
  };
  struct Arrived {
    Frame frame;
    std::shared_ptr<Mapping> input;
    nb::object batch;  // Null until somebody looks at it.
  };
  enum class Received : uint8_t {
    kFrame,
    kNothing,  // No frame is there, and it was asked not to wait.
    kEnd,      // The socket is closed.
  };
  struct Grant {
    uint64_t segment = 0;
    std::shared_ptr<Mapping> mapping;  // Null: the engine gave the first output no room.
  };

  Received Receive(bool waits);
  bool ReceiveFrame() { return Receive(/*waits=*/true) == Received::kFrame; }
  nb::object BatchOf(Arrived& arrived);
  void Accept(const Frame& frame, const int* descriptors, int count);
  std::shared_ptr<Mapping> MappingOf(uint64_t segment, int64_t capacity, int descriptor);
  bool WaitForGrant();
  void SendFrame(const Frame& frame, int descriptor);
  void EndBatch();

  const int descriptor_;
  BriefWait wait_;
  bool ended_ = false;  // kStop came, or the engine is gone.
  std::unordered_map<uint64_t, std::shared_ptr<Mapping>> mappings_;
  std::deque<Arrived> arrived_;

  uint64_t batch_id_ = 0;
  uint64_t input_segment_ = 0;
  nb::object batch_;  // The running one; null between batches.
  std::optional<Grant> grant_;
  std::optional<Written> written_;
  int64_t waited_ns_ = 0;
};

}  // namespace penstock::python
